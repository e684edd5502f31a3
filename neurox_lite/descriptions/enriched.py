"""Descriptors that neurons' exemplars have more often than half of the corpus has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from neurox_lite.descriptions.enrichment import (
    choose,
    log_odds,
    log_tail_binomial,
    log_tail_hypergeometric,
    q_of_neurons,
)
from neurox_lite.descriptions.halves import Half, HalfExemplars
from neurox_lite.descriptions.neuron_description import SENTENCE, WORD
from neurox_lite.showing import short_repr

FEW_EXEMPLARS = 10
"""With fewer exemplars nothing is said."""

REPLICATED = 0.001
"""Probability by chance of what one half says, among the exemplars of the other."""


@dataclass(frozen=True)
class Enriched:
    """A descriptor of some exemplars."""

    level: str
    number: int
    n_with: int
    n_exemplars: int
    share: float
    log_odds: float
    log_p: float
    log_q: float

    __repr__ = short_repr


@dataclass(frozen=True, eq=False)
class EnrichedHalf:
    """What exemplars of half of the sentences have more often, set by set.

    Attributes
    ----------
    found : list of lists of Enriched
        At most two of each set of exemplars.
    limit : float
        The largest logarithm of a probability that is significant.
    log_p : dict of str to (n_sets, n_descriptors) arrays
        Of all descriptors, by level.
    """

    found: list[list[Enriched]]
    limit: float
    log_p: dict[str, np.ndarray]

    __repr__ = short_repr

    def replicates(self, number: int, other: Enriched) -> bool:
        """Whether a descriptor of the other half is more frequent here, too."""
        return bool(self.log_p[other.level][number, other.number] < np.log(REPLICATED))


def find_enriched(
    half: Half, exemplars: Sequence[HalfExemplars], limit: float | None = None
) -> EnrichedHalf:
    """At most two descriptors of each set of exemplars.

    With ``limit``, such a logarithm, others' false discovery rate decides instead of their own.
    """
    none = HalfExemplars(np.zeros(0, int), np.zeros(0, int))
    enough = [one if len(one.sentences) >= FEW_EXEMPLARS else none for one in exemplars]
    n_exemplars = np.array([len(one.sentences) for one in enough])
    of_words, of_sentences = half.of_words, half.of_sentences
    shares = np.asarray(half.weights @ of_words) / half.n_sentences
    counts = np.asarray(of_sentences.sum(0), dtype=float)
    hits = (
        _hits(of_words, [one.rows for one in enough]),
        _hits(of_sentences, [one.sentences for one in enough]),
    )
    every_count = (shares * half.n_sentences, counts)
    odds = [
        log_odds(k, n_exemplars, c, half.n_sentences)
        for k, c in zip(hits, every_count, strict=True)
    ]
    log_p = [
        log_tail_binomial(hits[0], n_exemplars, shares),
        log_tail_hypergeometric(hits[1], n_exemplars, counts, half.n_sentences),
    ]
    n_words = of_words.shape[1]
    every_q, limit = q_of_neurons(np.hstack(log_p), limit)
    log_q = np.split(every_q, [n_words], axis=1)
    found: list[list[Enriched]] = []
    for number, one in enumerate(enough):
        least = [p[number].min(initial=0) for p in log_p]
        family = int(least[1] < least[0])
        rows = (one.rows, one.sentences)[family]
        weights = half.weights if family == 0 else np.ones(half.n_sentences)
        chosen = choose(
            log_p[family][number],
            log_q[family][number],
            odds[family][number],
            rows,
            (of_words, of_sentences)[family],
            weights,
        )
        found.append(
            [
                Enriched(
                    (WORD, SENTENCE)[family],
                    each,
                    int(hits[family][number, each]),
                    int(n_exemplars[number]),
                    float(every_count[family][each] / half.n_sentences),
                    float(odds[family][number, each]),
                    float(log_p[family][number, each]),
                    float(log_q[family][number, each]),
                )
                for each in (chosen if n_exemplars[number] else [])
            ]
        )
    return EnrichedHalf(found, limit, dict(zip((WORD, SENTENCE), log_p, strict=True)))


def _hits(has: csr_array, rows: Sequence[np.ndarray]) -> np.ndarray:
    """How many of some rows have each descriptor, (n_sets, n_descriptors)."""
    ends = np.cumsum([0, *map(len, rows)])
    places = np.concatenate(rows)
    taken = csr_array(
        (np.ones(len(places), np.float32), places, ends), shape=(len(rows), has.shape[0])
    )
    return np.asarray((taken @ has.astype(np.float32)).toarray(), dtype=float)
