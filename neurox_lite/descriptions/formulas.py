"""Compositional explanations of neurons: the formula over concepts that says where one is active.

Mu & Andreas (2020), "Compositional Explanations of Neurons". (1) A neuron is active on the words of
its largest activations, or of its smallest. (2) On one half of the sentences a beam search finds
the formula with the highest IoU. (3) The other half says how good it is, and the same of a neuron
with shuffled activations how good chance is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from neurox_lite.arguments import real_number, whole_number
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.descriptions.concepts import MIN_COUNT, Concepts, concepts_of
from neurox_lite.descriptions.corpus_rows import CorpusRows, corpus_rows
from neurox_lite.descriptions.distribution import is_constant
from neurox_lite.descriptions.formula_search import Formula, best_formulas
from neurox_lite.descriptions.neuron_description import SIGNS
from neurox_lite.descriptions.neuron_formulas import (
    CompositionalFormulas,
    NeuronFormula,
    ScoredFormula,
)
from neurox_lite.descriptions.score_intervals import overlap
from neurox_lite.descriptions.shuffling import shuffled_rows
from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron
from neurox_lite.progress import tqdm
from neurox_lite.seeds import validate_seed

MIN_SENTENCES = 10
"""Of each half, in which a neuron has to be active."""

MOST_ACTIVE = 0.5
"""Share of the words on which a neuron may be active: those tied at an end are no end."""


def compositional_formulas(
    X: Any,
    corpus: TaggedCorpus,
    neurons: Any = None,
    *,
    share: float = 0.05,
    max_length: int = 5,
    beam_width: int = 10,
    tags: Sequence[str] | None = None,
    min_count: int = MIN_COUNT,
    seed: int = 0,
) -> CompositionalFormulas:
    """Which words is a neuron active on, as a formula such as ``upos=NOUN AND Number=Plur``?

    A neuron is active on the share of the words with its largest activations, and, apart, on that
    with its smallest; words tied with the last are active too, unless that were more than half of
    all. A formula f over concepts scores (Mu & Andreas 2020, section 2)::

        IoU = |active and f| / |active or f|

    Formulas are read from the left, as ``((a AND b) OR c) AND NOT d``, and found by beam search on
    one half of the sentences; a longer one is taken only if it is better there. What it is worth is
    its IoU on the other half, which has the interval of that of
    :func:`~neurox_lite.descriptions.scoring.score_description`. What chance reaches is said by the
    best formula of the shuffled neuron, whose activations stand at the words of other sentences of
    the same half: a formula says something when its held-out IoU is above that.

    A beam does not always find the best formula: one whose beginnings say little, as in
    ``(a OR b) AND c``, may be left out of it. A wider one finds more, and takes longer.

    Sentences that occur twice count once, and words without activation not at all. Layers are read
    one after the other; memory: 128 MB of a layer's columns, and the concepts. A core does some 25
    neurons a second with 12,500 words searched and 600 concepts, in a time that grows with the
    words and with the concepts that a word has.

    Parameters
    ----------
    X : (n_words, n_neurons) array, tensor or store's matrix, or ActivationStore
        A row for each word of ``corpus``.
    corpus : TaggedCorpus
    neurons : neuron, or several, optional
        As for :meth:`NeuronSpace.columns_of`; by default all.
    share : float
        Of the words on which a neuron is active. The default is the least that the authors admit
        for text, where neurons are active above 0 and those active on fewer than 500 of 10,000
        sentences are left out; of images they take 0.005 of the pixels.
    max_length, beam_width : int
        Concepts in a formula, and formulas that are kept at each length; as the authors' for text.
    tags : list of str, optional
        Whose labels are concepts; by default all of the corpus, of a treebank also such as
        ``head``, the number of a word's head, which explain little and take time.
    min_count : int
        Words that a concept needs, see :func:`~neurox_lite.descriptions.concepts.concepts_of`.
    seed : int
        Of the halves and of the shuffling, which is the same for all neurons.

    Returns
    -------
    CompositionalFormulas
        Neurons that are constant, or active in too few sentences, have a reason and no formula.

    Raises
    ------
    InputError
        When the store was made from another corpus, there is not one row per word, an activation is
        NaN or infinite, there is no such neuron or tag, no concept is frequent enough, or an option
        is out of range.
    """
    share, seed = real_number(share, "share"), validate_seed(seed)
    if not 0 < share <= MOST_ACTIVE:
        raise InputError(f"share is {share}; give a share of the words above 0 and up to 0.5")
    max_length = whole_number(max_length, "max_length", least=1)
    beam_width = whole_number(beam_width, "beam_width", least=1)
    rows = corpus_rows(X, corpus)
    space = rows.space
    columns = np.arange(space.n_neurons) if neurons is None else space.columns_of(neurons)
    concepts = concepts_of(corpus, tags=tags, min_count=min_count, words=rows.words)
    halves = _halves(rows, concepts, seed)
    search = partial(
        best_formulas, halves[0].concepts, max_length=max_length, beam_width=beam_width
    )
    found: dict[int, list[NeuronFormula]] = {}
    n_neurons = len(np.unique(columns))
    with tqdm(total=n_neurons, desc="formulas", unit="neuron", disable=None, delay=2) as progress:
        for column, values in rows.columns(columns):
            neuron = space.neuron(column)
            found[column] = [
                _explain(neuron, sign, signed, share, halves, search)
                for sign, signed in zip(SIGNS, (values, -values), strict=True)
            ]
            progress.update()
    searched, held_out = halves
    return CompositionalFormulas(
        space=space,
        share=share,
        max_length=max_length,
        beam_width=beam_width,
        n_concepts=len(concepts),
        n_sentences=(searched.n_sentences, held_out.n_sentences),
        n_words=(len(searched.rows), len(held_out.rows)),
        seed=seed,
        formulas=tuple(one for column in columns.tolist() for one in found[column]),
    )


@dataclass(frozen=True, eq=False)
class _Half:
    """The rows of half of the sentences, also shuffled, their sentences, and their concepts."""

    rows: np.ndarray
    shuffled: np.ndarray
    sentences: np.ndarray
    concepts: Concepts

    @property
    def n_sentences(self) -> int:
        return len(np.unique(self.sentences))


def _halves(rows: CorpusRows, concepts: Concepts, seed: int) -> list[_Half]:
    """Halves of the sentences, with their concepts."""
    rng = np.random.default_rng(seed)
    halves = []
    for places in rows.halves(seed):
        own, starts = rows.rows_of(places)
        sentences = np.repeat(np.arange(len(places)), np.diff(starts))
        shuffled = own[shuffled_rows(sentences, rng)]
        halves.append(_Half(own, shuffled, sentences, concepts.take(own)))
    return halves


def _explain(
    neuron: Neuron,
    sign: str,
    values: np.ndarray,
    share: float,
    halves: Sequence[_Half],
    search: Callable[[np.ndarray], list[Formula]],
) -> NeuronFormula:
    """Formulas of the words with the largest ``values`` (n_rows,)."""
    active = _active(values, share)
    in_halves = [active[half.rows] for half in halves]
    n_active = (int(in_halves[0].sum()), int(in_halves[1].sum()))
    reason = _why_none(values, in_halves, halves)
    found = [] if reason else search(in_halves[0])
    if not found:
        reason = reason or "no word on which it is active has a concept"
        return NeuronFormula(neuron, sign, n_active, reason=reason)
    shuffled = [active[half.shuffled] for half in halves]
    by_chance = search(shuffled[0])
    return NeuronFormula(
        neuron,
        sign,
        n_active,
        best=_score(found[-1], in_halves, halves),
        concept=_score(found[0], in_halves, halves),
        shuffled=_score(by_chance[-1], shuffled, halves) if by_chance else None,
    )


def _active(values: np.ndarray, share: float) -> np.ndarray:
    """Which words are among a share with the largest values; none if more than half of all tie."""
    n_active = max(1, round(share * len(values)))
    least = np.partition(values, -n_active)[-n_active]
    active = values >= least
    return active if active.mean() <= MOST_ACTIVE else values > least


def _why_none(values: np.ndarray, in_halves: Sequence[np.ndarray], halves: Sequence[_Half]) -> str:
    """Why there is no formula of the words active in each half; empty when there may be one."""
    if is_constant(values.min(), values.max()):
        return "constant"
    if not any(active.any() for active in in_halves):
        return "more than half of the words are tied at this end"
    least = min(
        len(np.unique(half.sentences[active]))
        for half, active in zip(halves, in_halves, strict=True)
    )
    if least < MIN_SENTENCES:
        return f"active in {least} sentences of one half; it takes {MIN_SENTENCES} of each"
    return ""


def _score(
    formula: Formula, in_halves: Sequence[np.ndarray], halves: Sequence[_Half]
) -> ScoredFormula:
    """IoU of a formula and the words active in each half."""
    (searched, held_out), (active, active_held_out) = halves, in_halves
    holds, holds_held_out = formula.holds(searched.concepts), formula.holds(held_out.concepts)
    iou = float((holds & active).sum() / (holds | active).sum())
    of_held_out, _ = overlap(holds_held_out, active_held_out, held_out.sentences)
    return ScoredFormula(formula, iou, of_held_out)
