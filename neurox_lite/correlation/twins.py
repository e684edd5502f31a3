"""The neurons that say what a neuron says: those that correlate most with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.access import column_blocks, layers_of, space_of, take_rows
from neurox_lite.activations.align_stores import align_stores
from neurox_lite.activations.inputs import validate_activations
from neurox_lite.activations.moments import BLOCK_ROWS, CONSTANT, add_products
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import whole_number
from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.progress import tqdm
from neurox_lite.seeds import validate_seed

FEWEST_WORDS = 3

PANEL_NEURONS, PANEL_NUMBERS = 8192, 1 << 27
"""Neurons whose twins are sought at once, and their numbers, 512 MB."""

COLUMNS_AT_ONCE = 1024
"""They are compared with."""

DIGITS = 6
"""Correlations that are equal to so many stand in the order of their columns."""


def twins(
    activations: Any,
    other: Any = None,
    *,
    neurons: Any = None,
    n_twins: int = 5,
    n_words: int = 20_000,
    seed: int = 0,
) -> NeuronTwins:
    """Of each neuron those of the same, or of another, model that correlate most with it.

    By the absolute value of Pearson's correlation over a uniform sample of words. A neuron is no
    twin of itself; neurons that are constant on the sample are none and have none.

    Columns are standardised in float64 and multiplied in float32, 2,048 words at a time, of which
    the sums are float64: correlations are right to 1e-5. Memory: 512 MB of the neurons, and 500 MB
    of those they are compared with, whatever their number. Layers are read once for every 8,192
    neurons whose twins are sought (fewer of more than 16,384 words), and for every 33,500,000
    activations of the sample.

    Parameters
    ----------
    activations : ActivationStore, or (n_words, n_neurons) array, tensor or store's matrix
    other : the same, optional
        Of another model and the same words: stores are aligned, matrices are as
        :func:`neurox_lite.align_stores` gives them. Twins are of this model then.
    neurons : neuron, or several, optional
        As for :meth:`~neurox_lite.neurons.NeuronSpace.columns_of`, such as ``ranking.top(50)``; by
        default all.
    n_twins : int
        Of each neuron.
    n_words : int
        Of the sample.
    seed : int
        Of the sample.

    Raises
    ------
    InputError
        When there is no such neuron, there are fewer than three words, the two are not of the same
        words, an activation is NaN or infinite, or a number is too small.
    """
    n_twins = whole_number(n_twins, "n_twins", least=1)
    n_words = whole_number(n_words, "n_words", least=FEWEST_WORDS)
    seed = validate_seed(seed)
    X, Y = _of_same_words(activations, other)
    space, other_space = space_of(X), None if other is None else space_of(Y)
    given = range(space.n_neurons) if neurons is None else space.columns_of(neurons).tolist()
    columns = np.array(list(dict.fromkeys(given)), dtype=int)
    if not len(columns):
        raise InputError("no neurons to find twins of; give at least one, or None for all")
    if len(X) < FEWEST_WORDS:
        raise InputError(f"{len(X)} words say nothing of correlations; give thousands")
    drawn = np.random.default_rng(seed).choice(len(X), min(n_words, len(X)), replace=False)
    drawn.sort()
    X, Y = take_rows(X, drawn), take_rows(Y, drawn)
    at_once = min(PANEL_NEURONS, max(1, PANEL_NUMBERS // len(X)))
    panels = [columns[start : start + at_once] for start in range(0, len(columns), at_once)]
    found: list[tuple[np.ndarray, np.ndarray]] = []
    total = len(panels) * Y.shape[1]
    with tqdm(desc="twins", unit="neuron", total=total, disable=None, delay=2) as progress:
        for panel in panels:
            left = _taken(X, space, panel)
            own = panel if other is None else np.full(len(panel), -1)
            found.append(_strongest(left, own, Y, n_twins, progress))
    every, correlations = (np.concatenate(each) for each in zip(*found, strict=True))
    is_one = every >= 0
    return NeuronTwins(
        space,
        other_space,
        tuple(space.neurons(columns)),
        tuple(tuple(row[own].tolist()) for row, own in zip(every, is_one, strict=True)),
        tuple(tuple(row[own].tolist()) for row, own in zip(correlations, is_one, strict=True)),
        len(X),
        {"n_twins": n_twins, "seed": seed},
    )


def _of_same_words(activations: Any, other: Any) -> tuple[Any, Any]:
    """What correlates and what with; the same twice where there is no other."""
    given = [activations, *([] if other is None else [other])]
    if all(isinstance(each, ActivationStore) for each in given):
        given = list(align_stores(given))
    elif any(isinstance(each, ActivationStore) for each in given):
        raise InputError("a store and a matrix; give two stores, or two matrices of align_stores")
    checked = [
        validate_activations(each, name)
        for each, name in zip(given, ("activations", "other"), strict=False)
    ]
    if len(checked[0]) != len(checked[-1]):
        raise InputError(
            f"{len(checked[0])} rows against {len(checked[1])}; give matrices of the same words, "
            "as 'align_stores' does"
        )
    return checked[0], checked[-1]


def _standardised(block: np.ndarray) -> np.ndarray:
    """(n_words, n_columns) float32, each column with mean 0 and norm 1, a constant one 0."""
    values = block.astype(np.float64)
    mean = values.mean(0)
    values -= mean
    furthest = np.abs(values).max(0)
    varies = furthest > CONSTANT * np.abs(mean)
    # By the furthest first, so that no square is too large or too small.
    values *= np.divide(1, furthest, out=np.zeros_like(furthest), where=varies)
    norms = np.sqrt(np.einsum("ij,ij->j", values, values))
    values /= np.where(varies, norms, 1)
    return values.astype(np.float32)


def _taken(X: Any, space: NeuronSpace, columns: np.ndarray) -> np.ndarray:
    """Some columns, standardised, (n_words, n_columns) float32."""
    taken = np.empty((len(X), len(columns)), np.float32)
    order = np.argsort(columns)
    ascending = columns[order]
    for layer in space.layers:
        own = space.columns(layer)
        if not ((ascending >= own.start) & (ascending < own.stop)).any():
            continue
        for start, block in column_blocks(layers_of(X, space, [layer]), space.select([layer])):
            start += own.start
            first, last = np.searchsorted(ascending, (start, start + block.shape[1]))
            for begin in range(first, last, COLUMNS_AT_ONCE):
                some = slice(begin, min(begin + COLUMNS_AT_ONCE, last))
                taken[:, order[some]] = _standardised(block[:, ascending[some] - start])
    return taken


def _standardised_parts(Y: Any) -> Iterator[tuple[int, np.ndarray]]:
    """All columns, a few at a time: number of the first, and what they are standardised."""
    for first, block in column_blocks(Y, space_of(Y)):
        for start in range(0, block.shape[1], COLUMNS_AT_ONCE):
            yield first + start, _standardised(block[:, start : start + COLUMNS_AT_ONCE])


def _strongest(
    left: np.ndarray, own: np.ndarray, Y: Any, n_twins: int, progress: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Columns of Y and their correlations, (n, n_twins), the strongest first; -1 where none is.

    ``left`` are standardised columns, and ``own`` their numbers in Y, -1 for none.
    """
    is_constant = np.asarray(~left.any(axis=0))
    columns, correlations = np.full((len(own), 0), -1), np.zeros((len(own), 0))
    for start, right in _standardised_parts(Y):
        products = np.zeros((left.shape[1], right.shape[1]))
        for row in range(0, len(left), BLOCK_ROWS):
            rows = slice(row, row + BLOCK_ROWS)
            add_products(products, torch.from_numpy(left[rows]), torch.from_numpy(right[rows]))
        here = start + np.arange(right.shape[1])
        is_none = is_constant[:, None] | ~right.any(axis=0) | (here == own[:, None])
        columns = np.hstack([columns, np.where(is_none, -1, here)])
        correlations = np.hstack([correlations, products.clip(-1, 1)])
        kept = _first(columns, correlations, n_twins)
        columns = np.take_along_axis(columns, kept, 1)
        correlations = np.take_along_axis(correlations, kept, 1)
        progress.update(right.shape[1])
    return columns, correlations


def _first(columns: np.ndarray, correlations: np.ndarray, n: int) -> np.ndarray:
    """Places of the n strongest of each row, (n_rows, n), and of none last."""
    strength = np.rint(np.abs(correlations) * 10**DIGITS).astype(np.int64)
    # One number for both, so that those of equal strength do not depend on the blocks.
    key = np.where(columns < 0, np.iinfo(np.int64).max, (10**DIGITS - strength << 40) + columns)
    n = min(n, key.shape[1])
    kept = np.argpartition(key, n - 1, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(key, kept, 1), axis=1, kind="stable")
    return np.take_along_axis(kept, order, 1)
