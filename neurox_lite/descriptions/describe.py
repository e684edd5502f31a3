"""What is each neuron about? Descriptors that its exemplars have more often than other sentences.

After Mondal et al. (2024), "Towards Generating Informative Textual Description for Neurons in
Language Models"; what they leave open is decided here.

1. Descriptors of each sentence are proposed: by a generator that is given, or keywords and noun
   phrases of the corpus. Those that say the same are put together under one. Words have their
   labels, forms and positions as descriptors, and labels that were read before.
2. On one half of the sentences, exemplars of a neuron are the 1 % with its largest (smallest)
   activations among sentences of about the same length: long ones have large activations, and
   nearly every descriptor, by chance.
3. Of every descriptor the log-odds among exemplars, or of words among those at which the neuron is
   largest there, its probability by chance, and the false discovery rate over all neurons and
   descriptors; at most two are returned, or none (:mod:`~neurox_lite.descriptions.enrichment`).
4. What was found is left out unless exemplars of the other half have it more often, too, and it
   finds active words (or sentences) there better than chance; it is scored on these. The other half
   is described in the same way, to see what is stable, and so are shuffled activations.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from neurox_lite.arguments import expect, real_number, whole_number
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.concepts import Concepts, find_concepts
from neurox_lite.descriptions.corpus_descriptors import corpus_descriptors, numbered
from neurox_lite.descriptions.corpus_rows import CorpusRows, corpus_rows
from neurox_lite.descriptions.descriptor_clusters import LETTERS, Embed, cluster_descriptors
from neurox_lite.descriptions.distribution import DEAD
from neurox_lite.descriptions.enriched import FEW_EXEMPLARS, Enriched, find_enriched
from neurox_lite.descriptions.exemplars import exemplars as find_exemplars
from neurox_lite.descriptions.halves import Half, HalfExemplars, exemplars_in, half_of, n_taken
from neurox_lite.descriptions.held_out import BothHalves
from neurox_lite.descriptions.neuron_description import (
    SENTENCE,
    SIGNS,
    WORD,
    Description,
    NeuronDescription,
    NeuronDescriptions,
    jaccard,
)
from neurox_lite.descriptions.proposals import Propose, propose_descriptors
from neurox_lite.descriptions.reference_scores import ReferenceScores
from neurox_lite.descriptions.scored_examples import Examples
from neurox_lite.descriptions.scoring import score_examples
from neurox_lite.descriptions.shuffling import shuffled_rows
from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron
from neurox_lite.progress import tqdm
from neurox_lite.public_names import public_sources
from neurox_lite.seeds import validate_seed

logger = logging.getLogger(__name__)

NOTHING = "nothing is more frequent among its exemplars than chance explains"
NOT_HELD = "what is more frequent among its exemplars is not so in the other half of the sentences"

MOST_SHARE = 0.05
"""Where more of the sentences are exemplars, many of these are not exceptional."""


def describe(
    activations: Any,
    corpus: TaggedCorpus,
    neurons: Any = None,
    *,
    propose: Propose | None = None,
    embed: Embed | str | None = LETTERS,
    share: float = 0.01,
    min_count: int = 10,
    seed: int = 0,
    exemplars: Exemplars | None = None,
) -> NeuronDescriptions:
    """Describe neurons by what their exemplars have more often than other sentences.

    Layers are read four times. Memory: 128 MB of a layer's columns, and about ten float64 numbers
    for each neuron, sign and descriptor.

    Parameters
    ----------
    activations : ActivationStore, or (n_words, n_neurons) array, tensor or store's matrix
        A store made from ``corpus``, or a row for each of its words.
    corpus : TaggedCorpus
        Of thousands of sentences. Equal ones count once.
    neurons : neuron, or several, optional
        As for :meth:`NeuronSpace.columns_of`, such as ``ranking.top(50)``; by default all.
    propose : function, optional
        Takes texts and gives for each its descriptors, short phrases. By default the keywords and
        noun phrases of the corpus.
    embed : function, "letters" or None
        Which descriptors are put together. A function takes descriptors and gives a vector for
        each, (n, width), such as the ``encode`` of a sentence encoder; those with a cosine of at
        least 0.75 are one. By default those are that share most of their letters, by None none.
    share : float
        Of the sentences that are exemplars.
    min_count : int
        Sentences of each half that a descriptor needs, or words.
    seed : int
        Of the halves.
    exemplars : Exemplars, optional
        Of all neurons and words of ``activations``, with the same seed; else they are found here.

    Returns
    -------
    NeuronDescriptions

    Raises
    ------
    InputError
        When the store was made from another corpus, there is no such neuron, there are fewer than
        20 different sentences, ``propose`` does not give descriptors for each text, nothing is in
        ``2 min_count`` words or sentences, ``share`` or ``min_count`` is out of range, or the
        exemplars are of other neurons or words.
    """
    share, seed = real_number(share, "share"), validate_seed(seed)
    min_count = whole_number(min_count, "min_count", least=1)
    if not 0 < share <= 0.2:
        raise InputError(f"share is {share}; give a share of the sentences above 0 and up to 0.2")
    rows = corpus_rows(activations, corpus)
    columns = _columns(rows, neurons)
    concepts = _concepts(rows, min_count)
    names, of_sentences = _proposed(rows, propose, embed, min_count)
    if not len(concepts) and not names:
        raise InputError(
            f"{corpus.source}: nothing to describe neurons by: no label, form or "
            f"descriptor is in {2 * min_count} words or sentences; lower min_count or give more"
        )
    draw = rows.draw(seed)
    first, second = (
        half_of(rows, places, concepts, of_sentences, draw) for places in rows.halves(seed)
    )
    _warn_of_few(rows, first, share)
    chosen = rows.space.neurons(columns)
    if exemplars is None:
        layers = sorted({neuron.layer for neuron in chosen})
        exemplars = find_exemplars(activations, corpus, layers=layers, seed=seed)
    else:
        _require_alike(rows, exemplars)
    examples = {neuron: exemplars.of(neuron) for neuron in chosen}
    is_dead = {neuron: own.category == DEAD for neuron, own in examples.items()}
    rng = np.random.default_rng(seed)
    halves, own_rows = (first, second), (first.rows, second.rows)
    shuffled = (
        first.rows[shuffled_rows(first.sentences, rng)],
        second.rows[shuffled_rows(second.sentences, rng)],
    )
    in_each = [
        [
            exemplars_in(values[rows_of], half, share)
            for rows_of, half in zip((*own_rows, *shuffled), (*halves, *halves), strict=True)
        ]
        for _, _, values in _signed(rows, columns, is_dead, "exemplars")
    ]
    in_first, in_second, first_shuffled, second_shuffled = zip(*in_each, strict=True)
    of_first, of_second = find_enriched(first, in_first), find_enriched(second, in_second)
    of_shuffled = (
        find_enriched(first, first_shuffled, of_first.limit),
        find_enriched(second, second_shuffled, of_first.limit),
    )
    own = BothHalves(halves, own_rows, (of_first, of_second), share)
    other, by_chance = own.exchanged, BothHalves(halves, shuffled, of_shuffled, share)
    texts = {WORD: concepts.names, SENTENCE: names}
    references = ReferenceScores(sum(map(len, of_first.found)), seed)
    every, n_by_chance = [], 0
    for number, (neuron, sign, values) in enumerate(_signed(rows, columns, is_dead, "scores")):
        held = own.those_that_hold(number, values)
        descriptions = tuple(_description(one, texts, held_out) for one, held_out in held)
        for one, (_, held_out) in zip(descriptions, held, strict=True):
            references.add(rows.space.column(neuron), one.score, held_out)
        in_other = other.those_that_hold(number, values)
        reason = _why_none(is_dead[neuron], in_first[number], of_first.found[number])
        n_by_chance += bool(by_chance.those_that_hold(number, values))
        every.append(
            NeuronDescription(
                neuron,
                sign,
                descriptions,
                tuple(f"{one.level}: {texts[one.level][one.number]}" for one, _ in in_other),
                "" if held else reason,
            )
        )
    found = {(one.neuron, one.sign): one for one in every}
    others = [every[place] for place in rng.permutation(len(every)).tolist()]
    has_others = len({one.neuron for one in every}) > 1
    return NeuronDescriptions(
        rows.space,
        public_sources(corpus.source),
        (first.n_sentences, second.n_sentences),
        (len(concepts), len(names)),
        share,
        _mean_jaccard(every, every),
        _mean_jaccard(every, others) if has_others else None,
        n_by_chance / len(every),
        references.means(),
        tuple(found[neuron, sign] for neuron in chosen for sign in SIGNS),
        tuple(examples.values()),
    )


def _columns(rows: CorpusRows, neurons: Any) -> np.ndarray:
    """Of the neurons to describe, each once, in the order in which they are given."""
    columns = np.arange(rows.space.n_neurons)
    if neurons is not None:
        columns = np.array(list(dict.fromkeys(rows.space.columns_of(neurons).tolist())), dtype=int)
    if not len(columns):
        raise InputError("no neurons to describe; give at least one, or None for all")
    if len(rows.sentences) < 2 * FEW_EXEMPLARS:
        raise InputError(
            f"{rows.corpus.source}: {len(rows.sentences)} different sentences are too few to "
            "describe neurons; take thousands"
        )
    return columns


def _require_alike(rows: CorpusRows, exemplars: Exemplars) -> None:
    """Raise InputError for exemplars of some neurons, or of another store or corpus."""
    expect(exemplars, Exemplars, "exemplars", "those of nx.descriptions.exemplars")
    own = (exemplars.space, len(exemplars), exemplars.n_sentences, exemplars.n_words)
    if own != (rows.space, rows.space.n_neurons, len(rows.sentences), len(rows)):
        raise InputError(
            f"exemplars of {len(exemplars)} neurons of {exemplars.space.model} in "
            f"{exemplars.source}; give those of all neurons of this store and corpus, or none"
        )


def _warn_of_few(rows: CorpusRows, half: Half, share: float) -> None:
    n_exemplars = sum(n_taken(group, share) for group in half.groups)
    if n_exemplars > MOST_SHARE * half.n_sentences:
        logger.warning(
            "%s: %d different sentences are few to describe neurons by %d exemplars in each half; "
            "take thousands",
            rows.corpus.source,
            len(rows.sentences),
            n_exemplars,
        )


def _signed(
    rows: CorpusRows, columns: np.ndarray, is_dead: Mapping[Neuron, bool], what: str
) -> Iterator[tuple[Neuron, str, np.ndarray]]:
    """Neurons in the order of columns: activations of each, (n_rows,), and then their negatives."""
    unique = np.unique(columns)
    for column, values in tqdm(
        rows.columns(unique), desc=what, unit="neuron", total=len(unique), disable=None, delay=2
    ):
        neuron = rows.space.neuron(column)
        if is_dead[neuron]:
            values = np.zeros_like(values)  # without rounding
        for sign, signed in zip(SIGNS, (values, -values), strict=True):
            yield neuron, sign, signed


def _concepts(rows: CorpusRows, least: int) -> Concepts:
    """Labels, forms and positions of words and what was read before, not those of neighbours."""
    every = find_concepts(rows.corpus, rows.words, min_count=2 * least)
    own = [
        number
        for number, name in enumerate(every.names)
        if not name.startswith(("previous:", "next:"))
    ]
    return Concepts(tuple(every.names[number] for number in own), every.has[:, own])


def _proposed(
    rows: CorpusRows, propose: Propose | None, embed: Embed | str | None, least: int
) -> tuple[tuple[str, ...], csr_array]:
    """Descriptors of sentences, those alike under one, and which sentence has which."""
    sentences = rows.sentences.tolist()
    found: Sequence[Sequence[str]]
    if propose is None:
        found = corpus_descriptors(rows.corpus, sentences)
    else:
        found = propose_descriptors(propose, [rows.corpus.text(number) for number in sentences])
    # Of those that occur once nothing can be said, unless they are put together with others.
    names, of_sentence, numbers = numbered(found, 2)
    if not names:
        return (), csr_array((len(sentences), 0), dtype=bool)
    counts = np.bincount(numbers, minlength=len(names))
    chief = cluster_descriptors(names, counts, embed)
    pairs = np.unique(np.stack([of_sentence, chief[numbers]]), axis=1)
    counts = np.bincount(pairs[1], minlength=len(names))
    kept = np.flatnonzero((counts >= 2 * least) & (counts < len(sentences)))
    place = np.full(len(names), -1)
    place[kept] = np.arange(len(kept))
    of_sentence, numbers = pairs[:, place[pairs[1]] >= 0]
    has = csr_array(
        (np.ones(len(numbers), bool), (of_sentence, place[numbers])),
        shape=(len(sentences), len(kept)),
    )
    return tuple(names[number] for number in kept.tolist()), has


def _why_none(is_dead: bool, exemplars: HalfExemplars, found: Sequence[Enriched]) -> str:
    n_exemplars = len(exemplars.sentences)
    if is_dead:
        return "dead: the same at every word"
    if not n_exemplars:
        return "no exemplars: no sentence is beyond most others of its length"
    if n_exemplars < FEW_EXEMPLARS:
        return f"{n_exemplars} exemplars are too few; it takes {FEW_EXEMPLARS}, of more sentences"
    return NOT_HELD if found else NOTHING


def _description(
    found: Enriched, texts: Mapping[str, Sequence[str]], examples: Examples
) -> Description:
    """A descriptor, with its scores on the other half."""
    text = texts[found.level][found.number]
    return Description(
        text,
        found.level,
        found.n_with,
        found.n_exemplars,
        found.share,
        found.log_odds,
        float(np.exp(found.log_p)),
        float(np.exp(found.log_q)),
        score_examples(examples, text),
    )


def _mean_jaccard(
    neurons: Sequence[NeuronDescription], others: Sequence[NeuronDescription]
) -> float | None:
    """Mean over described neurons of what they and the other half of others share."""
    each = [
        jaccard(one.texts, other.other_half) or 0.0
        for one, other in zip(neurons, others, strict=True)
        if one.texts
    ]
    return float(np.mean(each)) if each else None
