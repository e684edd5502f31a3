"""Activations made up so that the neurons that carry the label are known.

Every condition is a short function of a random generator and a size, listed in ``CONDITIONS``. The
neurons that carry nothing are not independent: they share some directions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.results.ranking import NeuronRanking

WORDS_PER_SENTENCE = 10
N_SHARED = 20
"""Directions that the background has in common; half of its variance is in them."""
SIGNAL = 0.15
"""Distance of a class mean from the middle, in standard deviations of the background."""


@dataclass(frozen=True)
class Size:
    """How much to make; ``n_held_out`` words of dev, and as many of test."""

    n_neurons: int = 200
    n_planted: int = 10
    n_train: int = 3000
    n_held_out: int = 1000

    @property
    def n_words(self) -> int:
        return self.n_train + 2 * self.n_held_out


@dataclass(frozen=True)
class Planted:
    """Labelled activations, and the columns that carry the label."""

    splits: LabelledSplits
    columns: np.ndarray

    def precision(self, ranking: NeuronRanking) -> float:
        """Share of the planted neurons in a top of as many."""
        return float(np.isin(ranking.order[: len(self.columns)], self.columns).mean())


Condition = Callable[[np.random.Generator, Size], Planted]
Noise = Callable[[tuple[int, int]], np.ndarray]


def linear(
    rng: np.random.Generator,
    size: Size,
    *,
    signal: float = SIGNAL,
    shares: tuple[float, ...] = (0.25,) * 4,
    decades: float = 0.15,
) -> Planted:
    """The mean of every planted neuron is up for half of the classes, down for the others."""
    X, columns = background(rng, size), chosen(rng, size)
    y = rng.choice(len(shares), size.n_words, p=shares)
    X[:, columns] += signal * codes(rng, len(shares), len(columns))[y]
    return planted(rng, size, X, y, columns, decades)


def redundant(rng: np.random.Generator, size: Size, *, n_copies: int = 5) -> Planted:
    """As linear, but planted neurons are noisy copies of a few."""
    X, columns = background(rng, size), chosen(rng, size)
    y = rng.integers(4, size=size.n_words)
    source = np.arange(len(columns)) // n_copies
    X[:, columns] = X[:, columns[source]] + 0.3 * rng.normal(size=(size.n_words, len(columns)))
    X[:, columns] += SIGNAL * codes(rng, 4, len(columns))[:, source][y]
    return planted(rng, size, X, y, columns)


def variance_only(rng: np.random.Generator, size: Size) -> Planted:
    """The class changes the spread of the planted neurons and no mean."""
    X, columns = background(rng, size), chosen(rng, size)
    y = rng.integers(4, size=size.n_words)
    X[:, columns] *= 1.5 ** codes(rng, 4, len(columns))[y]
    return planted(rng, size, X, y, columns)


def xor(rng: np.random.Generator, size: Size) -> Planted:
    """The two neurons of a pair have the same sign in one class, different signs in the other."""
    X, columns = background(rng, size), chosen(rng, size)
    y = rng.integers(2, size=size.n_words)
    first, second = X[:, columns[0::2]], X[:, columns[1::2]]
    X[:, columns[1::2]] = np.abs(second) * np.sign(first) * (2 * y - 1)[:, None]
    return planted(rng, size, X, y, columns)


def polysemantic(rng: np.random.Generator, size: Size, *, strength: float = 2) -> Planted:
    """Planted neurons and as many others carry something else too, and more of it."""
    X, columns = background(rng, size), chosen(rng, size)
    y = rng.integers(4, size=size.n_words)
    X[:, columns] += SIGNAL * codes(rng, 4, len(columns))[y]
    others = rng.permutation(np.setdiff1d(np.arange(size.n_neurons), columns))[: len(columns)]
    unrelated = rng.integers(4, size=size.n_words)
    both = np.concatenate((columns, others))
    X[:, both] += strength * codes(rng, 4, len(both))[unrelated]
    return planted(rng, size, X, y, columns)


def word_identity(rng: np.random.Generator, size: Size, *, n_types: int = 300) -> Planted:
    """Other neurons fire for single words, which have one label each; test has new words.

    Words follow Zipf's law. Those of dev are the words of train.
    """
    X, columns = background(rng, size), chosen(rng, size)
    frequency = 1 / np.arange(1, n_types + 1)
    types = rng.choice(n_types, size.n_words, p=frequency / frequency.sum())
    types[-size.n_held_out :] += n_types
    y = rng.integers(4, size=2 * n_types)[types]
    X[:, columns] += SIGNAL * codes(rng, 4, len(columns))[y]
    others = rng.permutation(np.setdiff1d(np.arange(size.n_neurons), columns))
    for column in others[: size.n_neurons // 4]:
        X[:, column] += 3 * np.isin(types, rng.choice(2 * n_types, n_types // 30, replace=False))
    return planted(rng, size, X, y, columns)


def few_words(rng: np.random.Generator, size: Size) -> Planted:
    """As linear, with a tenth of the words to learn from."""
    few = replace(size, n_train=size.n_train // 10)
    return linear(rng, few)


def heavy_tails(rng: np.random.Generator, size: Size) -> Planted:
    """As linear, but the noise has Student's t distribution with 3 degrees of freedom."""
    X = background(rng, size, lambda shape: rng.standard_t(3, size=shape) / np.sqrt(3))
    columns = chosen(rng, size)
    y = rng.integers(4, size=size.n_words)
    X[:, columns] += SIGNAL * codes(rng, 4, len(columns))[y]
    return planted(rng, size, X, y, columns)


def suppressors(rng: np.random.Generator, size: Size, *, strength: float = 2) -> Planted:
    """One neuron of a pair is as in linear, by 0.3; the other has only the noise of the first."""
    X, columns = background(rng, size), chosen(rng, size)
    y = rng.integers(4, size=size.n_words)
    carriers, their_suppressors = columns[0::2], columns[1::2]
    noise = strength * rng.normal(size=(size.n_words, len(carriers)))
    X[:, carriers] += noise + 2 * SIGNAL * codes(rng, 4, len(carriers))[y]
    X[:, their_suppressors] += noise
    return planted(rng, size, X, y, columns)


def spread(rng: np.random.Generator, size: Size) -> Planted:
    """As high noise, but five times as many neurons carry the label."""
    return linear(rng, replace(size, n_planted=5 * size.n_planted), signal=SIGNAL / 2)


def unknown_classes(rng: np.random.Generator, size: Size) -> Planted:
    """Twice as many classes as planted neurons: half have one of these each, half have none."""
    X, columns = background(rng, size), chosen(rng, size)
    y = rng.integers(2 * len(columns), size=size.n_words)
    X[:, columns] += 4 * SIGNAL * np.eye(2 * len(columns), len(columns))[y]
    return planted(rng, size, X, y, columns)


def one_in_a_hundred(rng: np.random.Generator, size: Size) -> Planted:
    """As linear, among more neurons."""
    return linear(rng, replace(size, n_neurons=100 * size.n_planted))


CONDITIONS: dict[str, Condition] = {
    "low noise": partial(linear, signal=2 * SIGNAL),
    "medium noise": linear,
    "high noise": partial(linear, signal=SIGNAL / 2),
    "redundant": redundant,
    "scales": partial(linear, decades=2),
    "imbalance": partial(linear, signal=2 * SIGNAL, shares=(0.7, 0.2, 0.07, 0.03)),
    "variance only": variance_only,
    "xor": xor,
    "polysemantic": polysemantic,
    "word identity": word_identity,
    "45 classes": partial(linear, signal=2 * SIGNAL, shares=(1 / 45,) * 45),
    "few words": few_words,
    "heavy tails": heavy_tails,
    "suppressors": suppressors,
    "spread": spread,
    "unknown classes": unknown_classes,
    "1 in 100": one_in_a_hundred,
}


def background(rng: np.random.Generator, size: Size, noise: Noise | None = None) -> np.ndarray:
    """Correlated noise of about variance 1, (n_words, n_neurons); normal unless it is given."""
    noise = noise or (lambda shape: rng.normal(size=shape))
    shared = noise((size.n_words, N_SHARED)) / np.sqrt(N_SHARED)
    mixed = shared @ rng.normal(size=(N_SHARED, size.n_neurons))
    return (mixed + noise(mixed.shape)) / np.sqrt(2)


def chosen(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Columns to plant in, in random order."""
    return rng.permutation(size.n_neurons)[: size.n_planted]


def codes(rng: np.random.Generator, n_classes: int, n_columns: int) -> np.ndarray:
    """For every column, half of the classes +1 and the others -1; (n_classes, n_columns)."""
    signs = np.where(np.arange(n_classes) < n_classes / 2, 1.0, -1.0)
    return np.stack([rng.permutation(signs) for _ in range(n_columns)], axis=1)


def planted(
    rng: np.random.Generator,
    size: Size,
    X: np.ndarray,
    y: np.ndarray,
    columns: np.ndarray,
    decades: float = 0.15,
) -> Planted:
    """Train, dev and test, with neurons whose scale says nothing: 10^U(-decades, decades)."""
    scale = 10 ** rng.uniform(-decades, decades, size.n_neurons)
    X = (X / X.std(0) * scale).astype(np.float32)
    labels = np.array([f"{label:02d}" for label in y])
    numbers = np.arange(size.n_words)
    ends = np.cumsum([size.n_train, size.n_held_out, size.n_held_out])
    parts = [
        LabelledActivations(X[rows], labels[rows], rows, rows // WORDS_PER_SENTENCE)
        for rows in np.split(numbers, ends[:-1])
    ]
    return Planted(LabelledSplits(*parts, left_out={}), np.sort(columns))
