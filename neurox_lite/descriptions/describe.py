"""What is each neuron about? Descriptors that its exemplars have more often than other sentences.

After Mondal et al. (2024), "Towards Generating Informative Textual Description for Neurons in
Language Models"; what they leave open is decided here.

1. Descriptors of each sentence are proposed: by a generator that is given, or keywords and noun
   phrases of the corpus. Those that say the same are put together under one. Words have their
   labels, forms and positions as descriptors.
2. On one half of the sentences, exemplars of a neuron are the 1 % with its largest (smallest)
   activations among sentences of about the same length: long ones have large activations, and
   nearly every descriptor, by chance.
3. Of every descriptor the log-odds among exemplars, or of words among those at which the neuron is
   largest there, its probability by chance, and the false discovery rate over all neurons and
   descriptors; at most two are returned, or none (:mod:`~neurox_lite.descriptions.enrichment`).
4. The other half scores what was found, and is described, too, to see what is stable. The same is
   done with shuffled activations.
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
from neurox_lite.descriptions.concepts import Concepts, concepts_of
from neurox_lite.descriptions.corpus_descriptors import corpus_descriptors, numbered
from neurox_lite.descriptions.corpus_rows import CorpusRows, corpus_rows
from neurox_lite.descriptions.descriptor_clusters import LETTERS, Embed, cluster_descriptors
from neurox_lite.descriptions.distribution import DEAD
from neurox_lite.descriptions.enriched import FEW_EXEMPLARS, Enriched, find_enriched
from neurox_lite.descriptions.exemplars import exemplars as exemplars_of
from neurox_lite.descriptions.halves import Half, HalfExemplars, exemplars_in, half_of, n_taken
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
from neurox_lite.descriptions.scoring import score_description
from neurox_lite.descriptions.shuffling import shuffled_rows
from neurox_lite.errors import InputError
from neurox_lite.public_names import public_sources
from neurox_lite.seeds import validate_seed

logger = logging.getLogger(__name__)

NOTHING = "nothing is more frequent among its exemplars than chance explains"


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
    draw = rows.draw(seed)
    halves = [half_of(rows, places, concepts, of_sentences, draw) for places in rows.halves(seed)]
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
    first, second = halves
    rng = np.random.default_rng(seed)
    shuffled = first.rows[shuffled_rows(first.sentences, rng)]
    exemplars: list[list[HalfExemplars]] = []
    unique = np.unique(columns)
    reasons: list[str] = []
    for column, values in _progress(rows.columns(unique), len(unique), "exemplars"):
        is_dead = examples[column].category == DEAD
        if is_dead:
            values = np.zeros_like(values)  # without rounding
        for signed in (values, -values):
            exemplars.append(
                [
                    exemplars_in(signed[first.rows], first, share),
                    exemplars_in(signed[second.rows], second, share),
                    exemplars_in(signed[shuffled], first, share),
                ]
            )
            reasons.append(_why_none(is_dead, exemplars[-1][0]))
    described, limit = find_enriched(first, [own for own, _, _ in exemplars])
    again, _ = find_enriched(second, [own for _, own, _ in exemplars])
    by_chance, _ = find_enriched(first, [own for _, _, own in exemplars], limit)
    texts = {WORD: concepts.names, SENTENCE: names}
    found: dict[int, list[NeuronDescription]] = {}
    numbers = iter(range(len(described)))
    for column, values in _progress(rows.columns(unique), len(unique), "scores"):
        found[column] = []
        for sign, signed in zip(SIGNS, (values, -values), strict=True):
            number = next(numbers)
            own = tuple(
                _description(each, texts, signed, halves, share) for each in described[number]
            )
            reason = "" if own else reasons[number] or NOTHING
            other = tuple(f"{one.level}: {texts[one.level][one.number]}" for one in again[number])
            found[column].append(
                NeuronDescription(rows.space.neuron(column), sign, own, other, reason)
            )
    every = [one for column in unique.tolist() for one in found[column]]
    return NeuronDescriptions(
        rows.space,
        public_sources(corpus.source),
        (first.n_sentences, second.n_sentences),
        (len(concepts), len(names)),
        share,
        _mean_jaccard(every, every),
        _mean_jaccard(every, [every[place] for place in rng.permutation(len(every))]),
        float(np.mean([bool(one) for one in by_chance])),
        tuple(one for column in columns.tolist() for one in found[column]),
        tuple(examples.values()),
    )


def _progress(items: Iterable[Any], total: int, what: str) -> Iterable[Any]:
    return tqdm(items, desc=what, unit="neuron", total=total, disable=None, delay=2)


def _concepts(rows: CorpusRows, least: int) -> Concepts:
    """Labels, forms and positions of words, not those of their neighbours."""
    every = concepts_of(rows.corpus, min_count=2 * least, words=rows.words)
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


def _description(
    found: Enriched,
    texts: Mapping[str, Sequence[str]],
    values: np.ndarray,
    halves: Sequence[Half],
    share: float,
) -> Description:
    """A descriptor, with its scores on the other half."""
    first, second = halves
    seen, own, sentences = values[first.rows], values[second.rows], second.sentences
    if found.level == SENTENCE:
        seen = np.maximum.reduceat(seen, first.starts[:-1])
        own = np.maximum.reduceat(own, second.starts[:-1])
        sentences = np.arange(second.n_sentences)
    threshold = float(np.quantile(seen, 1 - share))
    has = second.of_words if found.level == WORD else second.of_sentences
    present = has[:, [found.number]].toarray()[:, 0]
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
        score_description(present, own, sentences, threshold=threshold, description=text),
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
