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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from tqdm.auto import tqdm

from neurox_lite.arguments import real_number, whole_number
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.descriptions.concepts import Concepts, find_concepts
from neurox_lite.descriptions.corpus_descriptors import corpus_descriptors, numbered
from neurox_lite.descriptions.corpus_rows import CorpusRows, corpus_rows
from neurox_lite.descriptions.descriptor_clusters import LETTERS, Embed, cluster_descriptors
from neurox_lite.descriptions.distribution import DEAD
from neurox_lite.descriptions.enriched import FEW_EXEMPLARS, Enriched, EnrichedHalf, find_enriched
from neurox_lite.descriptions.exemplars import exemplars as exemplars_of
from neurox_lite.descriptions.halves import HalfExemplars, exemplars_in, half_of, n_taken
from neurox_lite.descriptions.held_out import those_that_hold
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
) -> NeuronDescriptions:
    """Describe neurons by what their exemplars have more often than other sentences.

    Layers are read three times. Memory: 128 MB of a layer's columns, and about eight float64
    numbers for each neuron, sign and descriptor.

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

    Returns
    -------
    NeuronDescriptions

    Raises
    ------
    InputError
        When the store was made from another corpus, there is no such neuron, there are fewer than
        20 different sentences, or ``propose`` does not give descriptors for each text.
    """
    share, seed = real_number(share, "share"), validate_seed(seed)
    min_count = whole_number(min_count, "min_count", least=1)
    if not 0 < share <= 0.2:
        raise InputError(f"share is {share}; give a share of the sentences above 0 and up to 0.2")
    rows = corpus_rows(activations, corpus)
    columns = np.arange(rows.space.n_neurons)
    if neurons is not None:
        # Each once, in the order in which they are given.
        columns = np.array(list(dict.fromkeys(rows.space.columns_of(neurons).tolist())), dtype=int)
    if not len(columns):
        raise InputError("no neurons to describe; give at least one, or None for all")
    if len(rows.sentences) < 2 * FEW_EXEMPLARS:
        raise InputError(
            f"{corpus.source}: {len(rows.sentences)} different sentences are too few to describe "
            "neurons; take thousands"
        )
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
    halves = first, second
    n_exemplars = sum(n_taken(group, share) for group in halves[0].groups)
    if n_exemplars > MOST_SHARE * halves[0].n_sentences:
        logger.warning(
            "%s: %d different sentences are few to describe neurons by %d exemplars in each half; "
            "take thousands",
            corpus.source,
            len(rows.sentences),
            n_exemplars,
        )
    chosen = rows.space.neurons(columns)
    layers = sorted({neuron.layer for neuron in chosen})
    every_neuron = exemplars_of(activations, corpus, layers=layers, seed=seed)
    examples = {
        column: every_neuron.of(neuron)
        for column, neuron in zip(columns.tolist(), chosen, strict=True)
    }
    rng = np.random.default_rng(seed)
    own_rows = [half.rows for half in halves]
    shuffled = [half.rows[shuffled_rows(half.sentences, rng)] for half in halves]
    unique = np.unique(columns)
    exemplars: list[list[HalfExemplars]] = []
    reasons: list[str] = []
    for column, values in _progress(rows.columns(unique), len(unique), "exemplars"):
        is_dead = examples[column].category == DEAD
        if is_dead:
            values = np.zeros_like(values)  # without rounding
        for signed in (values, -values):
            exemplars.append(
                [
                    exemplars_in(signed[rows_of], half, share)
                    for rows_of, half in zip(own_rows + shuffled, (*halves, *halves), strict=True)
                ]
            )
            reasons.append(_why_none(is_dead, exemplars[-1][0]))
    in_first, in_second, *in_shuffled = zip(*exemplars, strict=True)
    of_first, of_second = find_enriched(halves[0], in_first), find_enriched(halves[1], in_second)
    by_chance = [
        find_enriched(half, own, of_first.limit)
        for half, own in zip(halves, in_shuffled, strict=True)
    ]
    texts = {WORD: concepts.names, SENTENCE: names}
    found: dict[int, list[NeuronDescription]] = {}
    described_by_chance = []
    references = ReferenceScores(sum(map(len, of_first.found)), seed)
    numbers = iter(range(len(exemplars)))
    for column, values in _progress(rows.columns(unique), len(unique), "scores"):
        found[column] = []
        for sign, signed in zip(SIGNS, (values, -values), strict=True):
            number = next(numbers)
            parts = tuple(signed[rows_of] for rows_of in own_rows)
            own = those_that_hold(_replicated(of_first, of_second, number), share, parts, halves)
            other = those_that_hold(
                _replicated(of_second, of_first, number), share, parts[::-1], halves[::-1]
            )
            if chance := _replicated(by_chance[0], by_chance[1], number):
                parts = tuple(signed[rows_of] for rows_of in shuffled)
                described_by_chance.append(bool(those_that_hold(chance, share, parts, halves)))
            descriptions = tuple(_description(one, texts, held_out) for one, held_out in own)
            for one, (_, held_out) in zip(descriptions, own, strict=True):
                references.add(column, one.score, held_out)
            reason = reasons[number] or (NOT_HELD if of_first.found[number] else NOTHING)
            found[column].append(
                NeuronDescription(
                    rows.space.neuron(column),
                    sign,
                    descriptions,
                    tuple(f"{one.level}: {texts[one.level][one.number]}" for one, _ in other),
                    "" if descriptions else reason,
                )
            )
    every = [one for column in unique.tolist() for one in found[column]]
    others = [every[place] for place in rng.permutation(len(every)).tolist()]
    return NeuronDescriptions(
        rows.space,
        public_sources(corpus.source),
        (halves[0].n_sentences, halves[1].n_sentences),
        (len(concepts), len(names)),
        share,
        _mean_jaccard(every, every),
        _mean_jaccard(every, others),
        sum(described_by_chance) / len(every),
        references.means(),
        tuple(one for column in columns.tolist() for one in found[column]),
        tuple(examples.values()),
    )


def _progress(items: Iterable[Any], total: int, what: str) -> Iterable[Any]:
    return tqdm(items, desc=what, unit="neuron", total=total, disable=None, delay=2)


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


def _why_none(is_dead: bool, exemplars: HalfExemplars) -> str:
    if is_dead:
        return "dead: the same at every word"
    n_exemplars = len(exemplars.sentences)
    if not n_exemplars:
        return "no exemplars: no sentence is beyond most others of its length"
    if n_exemplars < FEW_EXEMPLARS:
        return f"{n_exemplars} exemplars are too few; it takes {FEW_EXEMPLARS}, of more sentences"
    return ""


def _replicated(half: EnrichedHalf, other: EnrichedHalf, number: int) -> list[Enriched]:
    """What one half says of a neuron and sign, and the exemplars of the other half say as well."""
    return [one for one in half.found[number] if other.replicates(number, one)]


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
