"""Rankings of resamples of the sentences."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np

from neurox_lite.activations.access import take_rows
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.fit_inputs import loaded_if_small
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.side_by_side import fit_weighted
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.tasks import task_map


def draw_sentences(train: LabelledActivations, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each row is drawn with its sentence; drawn again while there is one class only."""
    rng = np.random.default_rng(seed)
    n_sentences = train.sentences.max() + 1
    for _ in range(n_resamples):
        classes_drawn = 0
        while classes_drawn < 2:
            drawn = rng.integers(n_sentences, size=n_sentences)
            times = np.bincount(drawn, minlength=n_sentences)[train.sentences]
            classes_drawn = len(np.unique(train.y[times > 0]))
        yield times


def rank_repeated_rows(
    rank: Callable[..., NeuronRanking],
    train: LabelledActivations,
    draws: Iterable[np.ndarray],
    engine: str = "local",
) -> Iterator[tuple[NeuronRanking, bool]]:
    """The ranking of all rows, then one per draw, and whether what it is made from converged."""
    held = train.X[:] if isinstance(train.X, ActivationMatrix) else train.X

    def rank_again(times: np.ndarray | None) -> tuple[NeuronRanking, bool]:
        if times is None:
            ranking = rank(train.X, train.y)
        else:
            rows = np.repeat(np.arange(len(train)), times)
            with warned_before():
                ranking = rank(held[rows], train.y[rows])
        return ranking, _converged(ranking)

    with task_map(engine) as run:
        yield from run(rank_again, chain([None], draws))


@contextmanager
def warned_before() -> Iterator[None]:
    """Leave out warnings of ranking methods, which they gave when they ranked all rows."""
    logger = logging.getLogger("neurox_lite.ranking")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def rank_weighted_rows(
    rank: Callable[..., NeuronRanking],
    probe: ElasticNetProbe,
    train: LabelledActivations,
    draws: Iterable[np.ndarray],
    engine: str = "local",
) -> Iterator[tuple[NeuronRanking, bool]]:
    """The ranking of the probe, then of one fitted on each draw, and whether it converged."""
    yield rank(probe), probe.certificate_.converged
    for fitted in fit_weighted(probe, loaded_if_small(train), draws, engine):
        yield rank(fitted), fitted.certificate_.converged


def some_sentences(part: LabelledActivations, n_rows: int, seed: int) -> LabelledActivations:
    """Whole sentences, in random order, until there are enough words; rows in their own order."""
    numbers, sizes = np.unique(part.sentences, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(numbers))
    n_sentences = int(np.searchsorted(np.cumsum(sizes[order]), n_rows)) + 1
    rows = np.flatnonzero(np.isin(part.sentences, numbers[order[:n_sentences]]))
    return LabelledActivations(
        take_rows(part.X, rows), part.y[rows], part.rows[rows], part.sentences[rows]
    )


def _converged(ranking: NeuronRanking) -> bool:
    """What a ranking says about the fit that it was made from; without a fit, True."""
    certificate = ranking.provenance.get("certificate")
    return certificate is None or Certificate(**certificate).converged
