"""The formula over concepts that fits best the words a neuron is active on, by beam search.

All formulas of the beam are joined with all concepts at once: how many words AND, OR and AND NOT
give, and how many of them are active, follows from how many the formula and the concept share.
These are counted along the words of the formulas, each of which has only a few concepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neurox_lite.descriptions.concepts import Concepts

AND, OR, AND_NOT = OPERATORS = ("AND", "OR", "AND NOT")
LOOKED_AT = 5
"""Several formulas have the same words, as ``a AND b`` and ``b AND a``; the beam has one of them,
and is filled from so many times as many of the best."""


@dataclass(frozen=True)
class Formula:
    """A formula over concepts, read from the left: ``(a AND b) OR c``.

    Attributes
    ----------
    first : str
        Name of a concept.
    rest : tuple of pairs of str
        An operator, one of ``OPERATORS``, and a concept.
    """

    first: str
    rest: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return 1 + len(self.rest)

    def __str__(self) -> str:
        text, last = self.first, None
        for operator, concept in self.rest:
            if last not in (None, operator):
                text = f"({text})"
            text, last = f"{text} {operator} {concept}", operator
        return text

    def holds(self, concepts: Concepts) -> np.ndarray:
        """Which words it is true of; (n_words,) bool array."""
        words = concepts.of(self.first)
        for operator, concept in self.rest:
            words = _join(words, operator, np.flatnonzero(concepts.of(concept)))
        return words


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A formula, the words (n_words,) that it is true of, and its IoU."""

    formula: Formula
    words: np.ndarray
    iou: float


def best_formulas(
    concepts: Concepts, active: np.ndarray, *, max_length: int, beam_width: int
) -> list[Formula]:
    """The concept with the highest IoU, and those longer formulas that are better than it.

    Mu & Andreas (2020), section 2: the formulas of the beam are joined with every concept by every
    operator, and the best ``beam_width`` of these are the next beam.

    Parameters
    ----------
    concepts : Concepts
    active : (n_words,) bool array
    max_length, beam_width : int

    Returns
    -------
    list of Formula
        Each longer and better than the one before; the last is the best of all. Of equally good
        ones it is the shortest, then the first by its last operator, what it joins, and the
        concept joined. Empty when no active word has a concept.
    """
    hits = np.bincount(concepts.has[active].indices, minlength=len(concepts))
    seen: set[bytes] = set()
    scores = _iou(hits, concepts.counts, active.sum())
    beam = _first(_single(concepts, scores, LOOKED_AT * beam_width), beam_width, seen)
    best = beam[:1]
    for length in range(2, max_length + 1):
        if not beam:
            break
        width = beam_width if length < max_length else 1
        scores = _scores(concepts, hits, np.stack([each.words for each in beam]), active)
        beam = _first(_joined_with_each(beam, concepts, scores, LOOKED_AT * width), width, seen)
        best += [each for each in beam[:1] if each.iou > best[-1].iou]
    return [each.formula for each in best]


def _single(concepts: Concepts, scores: np.ndarray, n: int) -> Iterator[_Candidate]:
    """The n concepts with the best scores (n_concepts,), best first."""
    for number in _best_first(scores, n).tolist():
        formula, words = Formula(concepts.names[number]), np.zeros(concepts.n_words, bool)
        words[concepts.words_of(number)] = True
        yield _Candidate(formula, words, float(scores[number]))


def _joined_with_each(
    beam: Sequence[_Candidate], concepts: Concepts, scores: np.ndarray, n: int
) -> Iterator[_Candidate]:
    """The n joined formulas with the best scores, see :func:`_scores`, best first."""
    places = _best_first(scores.ravel(), n)
    for which in zip(
        *(part.tolist() for part in np.unravel_index(places, scores.shape)), strict=True
    ):
        operator, one, number = OPERATORS[which[0]], beam[which[1]], which[2]
        rest = (*one.formula.rest, (operator, concepts.names[number]))
        words = _join(one.words, operator, concepts.words_of(number))
        yield _Candidate(Formula(one.formula.first, rest), words, float(scores[which]))


def _best_first(scores: np.ndarray, n: int) -> np.ndarray:
    """Places of the n highest scores above 0, and of those tied with the last; ties in order."""
    least = np.partition(scores, -n)[-n] if n < len(scores) else 0
    places = np.flatnonzero((scores >= least) & (scores > 0))
    return places[np.argsort(-scores[places], kind="stable")]


def _first(candidates: Iterable[_Candidate], n: int, seen: set[bytes]) -> list[_Candidate]:
    """The first n whose words are those of no other, here or among the ones ``seen``."""
    found: list[_Candidate] = []
    for candidate in candidates:
        words = np.packbits(candidate.words).tobytes()
        if words not in seen:
            seen.add(words)
            found.append(candidate)
        if len(found) == n:
            break
    return found


def _join(words: np.ndarray, operator: str, of_concept: np.ndarray) -> np.ndarray:
    """Words (n_words,) bool, joined with a concept by the numbers of its words."""
    if operator == AND:
        joined = np.zeros_like(words)
        joined[of_concept] = words[of_concept]
    else:
        joined = words.copy()
        joined[of_concept] = operator == OR
    return joined


def _scores(
    concepts: Concepts, hits: np.ndarray, words: np.ndarray, active: np.ndarray
) -> np.ndarray:
    """IoU of each formula joined with each concept; (n_operators, n_formulas, n_concepts).

    It is 0 where the words would be those of the formula or the concept alone.

    Parameters
    ----------
    concepts : Concepts
    hits : (n_concepts,) int array
        Active words of each concept.
    words : (n_formulas, n_words) bool array
    active : (n_words,) bool array
    """
    places = np.flatnonzero(words.any(axis=0))
    words, n_active = np.take(words, places, axis=1), active.sum()
    both = np.concatenate([words & active[places], words])
    own_hits, own = np.split(both.sum(axis=1, dtype=np.float64)[:, None], 2)
    of_both = concepts.as_numbers[places].T @ both.T.astype(np.float32)
    shared_hits, shared = np.split(np.ascontiguousarray(of_both.T, np.float64), 2)
    is_new = (shared < own) & (shared < concepts.counts)
    return np.stack(
        [
            _iou(shared_hits, shared, n_active) * is_new,
            _iou(own_hits + hits - shared_hits, own + concepts.counts - shared, n_active) * is_new,
            _iou(own_hits - shared_hits, own - shared, n_active) * (shared > 0),
        ]
    )


def _iou(hits: np.ndarray, counts: np.ndarray, n_active: int) -> np.ndarray:
    """From the words, and those of them that are active."""
    return hits / (n_active + counts - hits)
