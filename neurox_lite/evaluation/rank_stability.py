"""How stable is a ranking: where would its neurons stand, had the sentences been others?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.base import clone
from tqdm.auto import tqdm

from neurox_lite.activations.arrays import checked_activations, require_finite, take_rows
from neurox_lite.activations.store import ActivationMatrix
from neurox_lite.arguments import expect_function, real_number, whole_number
from neurox_lite.errors import InputError
from neurox_lite.evaluation.retraining import RETRAIN_TOL
from neurox_lite.intervals import sentence_numbers
from neurox_lite.labels import checked_labels
from neurox_lite.probing.bootstrap import check_resampling
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.linear import require_fitted
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results import NeuronRanking, RankIntervals
from neurox_lite.seeds import checked_seed


def rank_intervals(
    rank: Callable[..., NeuronRanking],
    X: Any,
    y: np.ndarray,
    groups: Any,
    *,
    probe: ElasticNetProbe | None = None,
    n_resamples: int = 20,
    level: float = 0.95,
    seed: int = 0,
) -> RankIntervals:
    """Between which ranks every neuron stands over resamples of the training sentences.

    An interval holds the share ``level`` of the resamples. It shows how far a ranking is decided by
    the sentences drawn, and makes no promise to hold the rank on all sentences there could be: a
    rank is no mean, and resamples repeat sentences. One that is a point means that the rank was the
    same in every resample.

    A row counts as often as its sentence was drawn; a class of which no sentence was drawn is left
    out of that resample. Neurons that the method ties keep the order of the columns: those without
    a score or weight in any resample have narrow intervals at the end, which says that the method
    never uses them, and not which of them is better.

    Memory: with a ``probe``, a copy of the rows drawn of an array (about 63 %), and nothing of a
    store's matrix. Without, the rows drawn, repeated: a copy of about the size of ``X``. A store's
    matrix is then loaded, too.

    Parameters
    ----------
    rank : function
        Of rows and labels, ``rank(X, y)``; it is given ``X`` itself first, then arrays (tensors
        where ``X`` is one). With a ``probe``, of a fitted probe, such as
        :func:`neurox_lite.linguistic_correlation`.
    X, y : (n, n_neurons) array-like and (n,) labels
        Training data.
    groups : (n,) array-like
        Number of each row's sentence, such as ``LabelledActivations.sentences``.
    probe : ElasticNetProbe, optional
        Fitted on ``X`` and ``y``, for a ranking of probes: clones of it are fitted on the
        resamples, with weights in place of repeated rows, which is faster.
    n_resamples : int
    level : float
        Of the resamples, rounded up: with 20, 0.95 goes from the best rank to the worst.
    seed : int

    Raises
    ------
    InputError
        When shapes differ, an option is out of range, there is one class only, or one sentence
        only, of which all resamples are the same.
    """
    expect_function(rank, "rank", "a function of activations and labels, as probeless")
    X = checked_activations(X)
    y, seed = checked_labels(y, X.shape[0]), checked_seed(seed)
    n_resamples, level = whole_number(n_resamples, "n_resamples"), real_number(level, "level")
    if probe is not None:
        require_fitted(probe, ElasticNetProbe)
    check_resampling(n_resamples, level)
    if len(np.unique(y)) < 2:
        raise InputError(f"only one class, '{y[0]}'; a ranking needs at least two")
    sentences = sentence_numbers(groups, len(y))
    if not sentences.any():
        raise InputError(
            "all words are of one sentence: where neurons would stand on others cannot be known"
        )
    require_finite(X)
    draws = _draws(sentences, y, n_resamples, seed)
    if probe is None:
        ranked = _rank_repeated(rank, X, y, draws)
    else:
        ranked = _rank_weighted(rank, probe, X, y, draws)
    ranking, converged = next(ranked)
    resampled = np.empty((n_resamples, ranking.space.n_neurons), dtype=np.int64)
    progress = tqdm(resampled, desc="resample", unit="ranking", disable=None, delay=2)
    n_ordered = []
    for ranks, (again, holds) in zip(progress, ranked, strict=True):
        ranks[:] = again.ranks
        n_ordered.append(again.n_ordered)
        converged = converged and holds
    low = np.quantile(resampled, (1 - level) / 2, axis=0, method="lower")
    high = np.quantile(resampled, (1 + level) / 2, axis=0, method="higher")
    return RankIntervals(
        method=ranking.method,
        space=ranking.space,
        level=level,
        ranks=tuple(ranking.ranks.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        resampled=tuple(tuple(row) for row in resampled.tolist()),
        n_ordered=ranking.n_ordered,
        resampled_ordered=tuple(n_ordered),
        converged=converged,
    )


def _draws(
    sentences: np.ndarray, y: np.ndarray, n_resamples: int, seed: int
) -> Iterator[np.ndarray]:
    """How often each row is drawn with its sentence; drawn again while there is one class only."""
    rng = np.random.default_rng(seed)
    n_sentences = sentences.max() + 1
    for _ in range(n_resamples):
        classes_drawn = 0
        while classes_drawn < 2:
            drawn = rng.integers(n_sentences, size=n_sentences)
            times = np.bincount(drawn, minlength=n_sentences)[sentences]
            classes_drawn = len(np.unique(y[times > 0]))
        yield times


def _rank_repeated(
    rank: Callable[..., NeuronRanking], X: Any, y: np.ndarray, draws: Iterable[np.ndarray]
) -> Iterator[tuple[NeuronRanking, bool]]:
    """The ranking of all rows, then one per draw, and whether what it is made from converged."""
    ranking = rank(X, y)
    yield ranking, _converged(ranking)
    held = X[:] if isinstance(X, ActivationMatrix) else X
    for times in draws:
        rows = np.repeat(np.arange(len(y)), times)
        again = rank(held[rows], y[rows])
        yield again, _converged(again)


def _converged(ranking: NeuronRanking) -> bool:
    """What a ranking says about the fit that it was made from; without a fit, True."""
    certificate = ranking.provenance.get("certificate")
    return certificate is None or Certificate(**certificate).converged


def _rank_weighted(
    rank: Callable[..., NeuronRanking],
    probe: ElasticNetProbe,
    X: Any,
    y: np.ndarray,
    draws: Iterable[np.ndarray],
) -> Iterator[tuple[NeuronRanking, bool]]:
    """The ranking of the probe, then of one fitted on each draw, and whether it converged."""
    yield rank(probe), probe.certificate_.converged
    template = clone(probe).set_params(tol=max(probe.tol, RETRAIN_TOL))
    for times in draws:
        kept = np.flatnonzero(times)
        start = probe if np.array_equal(np.unique(y[kept]), probe.classes_) else None
        fitted = clone(template).fit(take_rows(X, kept), y[kept], times[kept], start=start)
        yield rank(fitted), fitted.certificate_.converged
