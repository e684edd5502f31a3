"""Many probes of the same rows, in the same passes over them: of some neurons each, or resamples.

Each is the probe that would be fitted alone, to its own certificate. Problems that are solved side
by side share every product with the activations, which is most of the time of a fit.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import compress, islice

import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.activations.inputs import LabelledActivations, hash_labelled_words
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.fit_inputs import FitInputs, held
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.probing.objective import Problem
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.solver import solve
from neurox_lite.progress import tqdm
from neurox_lite.tasks import task_map
from neurox_lite.threads import thread_map

logger = logging.getLogger(__name__)

REFIT_TOL = 1e-3
"""Certificate asked of a refitted probe: accuracy does not change below it, time does."""

SMALL = 0.25
"""Share of the neurons below which sets are solved one by one."""

SCORE_BYTES, MOST_PROBLEMS = 512 << 20, 8
"""Memory for the scores of problems side by side, and how many there are at most."""

SCORE_COPIES = 8
"""Arrays of scores that a solver holds."""

COLUMN_BYTES = 1 << 30
"""Memory for copies of the columns of some neurons."""

Solution = tuple[torch.Tensor, torch.Tensor, Certificate]
"""Weights (n_neurons, n_outputs), intercept (n_outputs,) and how good they are."""


def refit_on_neurons(
    probe: LinearProbe,
    train: LabelledActivations,
    sets: Sequence[np.ndarray],
    sample_weight: np.ndarray | None = None,
) -> list[LinearProbe]:
    """Clones of a fitted probe, each fitted on some of the neurons alone.

    They start from its weights, which changes their time and not the result, and stop at a
    certificate of ``REFIT_TOL``. Equal sets are fitted once.

    Memory: a copy of the columns of a few sets, up to 1 GB, beside what a fit takes, and a probe of
    all neurons for every set.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted on all columns of ``train``.
    train : LabelledActivations
    sets : sequence of int arrays
        Columns, at least one each.
    sample_weight : (n,) array, optional

    Returns
    -------
    list of probes
        Over all neurons; those left out have no weight.
    """
    fitted: dict[int, LinearProbe] = {}
    for places, one in refits_on_neurons(probe, train, sets, sample_weight):
        fitted |= dict.fromkeys(places, one)
    return [fitted[place] for place in range(len(sets))]


def refits_on_neurons(
    probe: LinearProbe,
    train: LabelledActivations,
    sets: Sequence[np.ndarray],
    sample_weight: np.ndarray | None = None,
) -> Iterator[tuple[list[int], LinearProbe]]:
    """The probes of :func:`refit_on_neurons` as they are fitted, each with its places."""
    template = clone(probe).set_params(tol=max(probe.tol, REFIT_TOL))
    inputs = _inputs(template, train, sample_weight)
    task = template.fit_task(
        inputs, train.y, None if sample_weight is None else sample_weight[:, None]
    )
    W, b = task.start_at(probe)
    identity = hash_labelled_words(train.X, train.y)
    distinct: dict[bytes, np.ndarray] = {}
    places: dict[bytes, list[int]] = {}
    for place, columns in enumerate(map(np.sort, sets)):
        distinct[columns.tobytes()] = columns
        places.setdefault(columns.tobytes(), []).append(place)

    with tqdm(desc="refit", total=len(distinct), unit="probe", disable=None, delay=2) as progress:
        for n_calls, read, batches in _schedule(distinct, inputs, task.problem.loss.shape[1]):
            among = np.arange(len(W)) if read is None else read
            rows = task.problem if read is None else _read(task.problem, read)

            def solve_for(
                some: Sequence[bytes], among: np.ndarray = among, rows: Problem = rows
            ) -> list[Solution]:
                kept = W.new_zeros(len(among), len(some))
                for number, key in enumerate(some):
                    kept[np.searchsorted(among, distinct[key]), number] = 1
                problem = rows.take(torch.zeros(len(some), dtype=torch.int64))
                start = W[among] * kept[..., None], b.expand(len(some), -1)
                return _solve(problem, kept, template, start)

            with thread_map(n_calls) as run:
                for some, solutions in zip(batches, run(solve_for, batches), strict=True):
                    for key, (few, *solved) in zip(some, solutions, strict=True):
                        whole = torch.zeros_like(W[:, 0])
                        whole[among] = few
                        one = clone(template)
                        one.trained_on_ = identity
                        with _logged_warnings(f"refitted on {len(distinct[key])} neurons"):
                            solution = task.solution(whole, *solved)
                            one.set_solution(inputs, *solution, task.learned[0])
                        yield places[key], one
                    progress.update(len(some))
            del rows, solve_for  # these columns go before others are read


def _read(problem: Problem, columns: np.ndarray) -> Problem:
    """The problem of some neurons, whose activations are in memory."""
    return problem.of_neurons(torch.from_numpy(columns).to(problem.l1.device))


def _schedule(
    sets: Mapping[bytes, np.ndarray], inputs: FitInputs, n_outputs: int
) -> list[tuple[int, np.ndarray | None, list[list[bytes]]]]:
    """How many calls are made at once, the columns read before, and the sets of each call.

    Small sets are solved one by one, a core for each, with a copy of their columns; of a store, the
    columns of as many as half a gigabyte holds are read at once. Large ones are solved side by
    side, those of a size together, since they take about as many steps.
    """
    n_rows, n_neurons = len(inputs.X), len(inputs.mean)
    most = min(SMALL * n_neurons, COLUMN_BYTES / (4 * n_rows))
    by_size = sorted(sets, key=lambda key: len(sets[key]))
    small = [key for key in by_size if len(sets[key]) <= most]
    large = by_size[len(small) :]
    n = problems_at_once(n_rows, n_outputs)
    together = [large[first : first + n] for first in range(0, len(large), n)]
    calls: list[tuple[int, np.ndarray | None, list[list[bytes]]]] = []
    is_stored = isinstance(inputs.X.raw, ActivationMatrix)
    for keys, columns in _read_together(small, sets, n_rows) if is_stored else [(small, None)]:
        n_calls = 1
        if keys and inputs.like.device.type == "cpu":
            n_copies = COLUMN_BYTES // (4 * n_rows * len(sets[keys[-1]]))
            n_calls = max(1, min(torch.get_num_threads(), n_copies, len(keys)))
        calls.append((n_calls, columns, [[key] for key in keys]))
    return [*calls, (1, None, together)]


def _read_together(
    keys: Sequence[bytes], sets: Mapping[bytes, np.ndarray], n_rows: int
) -> Iterator[tuple[list[bytes], np.ndarray]]:
    """Neighbouring sets, as many as have few columns together, and these columns, ascending."""
    some: list[bytes] = []
    columns = np.empty(0, np.int64)
    for key in keys:
        joined = np.union1d(columns, sets[key])
        if some and len(joined) * n_rows * 4 > COLUMN_BYTES / 2:
            yield some, columns
            some, joined = [], sets[key]
        some, columns = [*some, key], joined
    if some:
        yield some, columns


def fit_weighted(
    probe: ElasticNetProbe,
    train: LabelledActivations,
    weights: Iterable[np.ndarray],
    engine: str = "local",
) -> Iterator[ElasticNetProbe]:
    """Clones of a fitted probe, each fitted with weights of its own for the rows.

    They start from its weights, and stop at a certificate of ``REFIT_TOL``.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted on ``train``.
    train : LabelledActivations
    weights : iterable of (n,) arrays
        Where all of a class are zero, the probe does not have this class.
    engine : {"local", "ray"}
        ``ray`` fits every probe in a task of a Ray cluster, on one core.
    """
    if engine == "ray":

        def fit(of_rows: np.ndarray) -> ElasticNetProbe:
            return next(fit_weighted(probe, train, [of_rows]))

        with task_map(engine) as run:
            yield from run(fit, weights)
        return
    template = clone(probe).set_params(tol=max(probe.tol, REFIT_TOL))
    inputs, identity = _inputs(template, train), hash_labelled_words(train.X, train.y)
    n_classes = len(probe.classes_)
    given = iter(weights)
    while some := list(islice(given, problems_at_once(len(train), n_classes))):
        has_all = [len(np.unique(train.ids[one > 0])) == n_classes for one in some]
        solved = _fit_resamples(probe, template, inputs, train.y, list(compress(some, has_all)))
        for one, all_classes in zip(some, has_all, strict=True):
            if all_classes:
                fitted = next(solved)
                fitted.trained_on_ = identity
            else:
                kept = np.flatnonzero(one)
                fitted = fit_drawn(probe, train.take(kept), one[kept])
            yield fitted


def _fit_resamples(
    probe: ElasticNetProbe,
    template: ElasticNetProbe,
    inputs: FitInputs,
    y: np.ndarray,
    weights: Sequence[np.ndarray],
) -> Iterator[ElasticNetProbe]:
    """A probe for each weights (n,) of rows that have all classes, solved side by side."""
    if not weights:
        return
    of_rows = np.stack(weights, axis=1)
    each = inputs.of_weights(of_rows, standardize=template.standardize)
    scale = torch.from_numpy(inputs.scale).to(inputs.like)
    scales = torch.from_numpy(np.stack([one.scale for one in each], axis=1)).to(scale)
    constant = torch.from_numpy(np.stack([one.constant for one in each], axis=1))
    factors = (scale[:, None] / scales).masked_fill(constant.to(scale.device), 0)
    task = template.fit_task(inputs, y, of_rows)
    W, b = task.start_at(probe)
    W = torch.where(factors[..., None] > 0, W / factors[..., None], 0)
    solved = _solve(task.problem, factors, template, (W, b.expand(len(weights), -1)))
    for own, learned, (W, b, certificate) in zip(each, task.learned, solved, strict=True):
        fitted = clone(template)
        # Scores are of activations minus the mean of all rows.
        moved = torch.from_numpy((own.mean - inputs.mean) / own.scale).to(W) @ W
        with _logged_warnings("fitted on a resample"):
            fitted.set_solution(own, W, b + moved, certificate, learned)
        yield fitted


def fit_drawn(
    probe: ElasticNetProbe, drawn: LabelledActivations, times: np.ndarray
) -> ElasticNetProbe:
    """A clone of a probe fitted on rows that were drawn so many times, from its weights on."""
    start = probe if np.array_equal(np.unique(drawn.y), probe.classes_) else None
    template = clone(probe).set_params(tol=max(probe.tol, REFIT_TOL))
    if isinstance(probe.class_weight, dict):  # the others are not among these rows
        present = set(np.unique(drawn.y).tolist())
        kept = {label: w for label, w in probe.class_weight.items() if label in present}
        template.set_params(class_weight=kept)
    return template.fit(drawn, sample_weight=times, start=start)


def problems_at_once(n_rows: int, n_outputs: int) -> int:
    """How many are solved side by side."""
    fits = SCORE_BYTES // (SCORE_COPIES * 4 * n_rows * n_outputs)
    return int(min(max(1, fits), MOST_PROBLEMS))


def _inputs(
    template: LinearProbe, train: LabelledActivations, sample_weight: np.ndarray | None = None
) -> FitInputs:
    return FitInputs.of(
        train.X,
        held(train.X),
        sample_weight,
        standardize=template.standardize,
        device=template.device,
    )


def _solve(
    problem: Problem,
    factors: torch.Tensor,
    template: LinearProbe,
    start: tuple[torch.Tensor, torch.Tensor],
) -> list[Solution]:
    """The solution of every problem."""
    problem = replace(problem, factors=factors)
    whole, b = start
    own = torch.nonzero(factors.any(1))[:, 0]
    few = 0 < len(own) < 0.9 * len(whole) and len(own) * len(problem.X) * 4 <= COLUMN_BYTES
    if few:
        problem, start = problem.of_neurons(own), (whole[own], b)
    W, b, certificates = solve(problem, tol=template.tol, max_iter=template.max_iter, start=start)
    if few:
        W = torch.zeros_like(whole).index_copy_(0, own, W)
    return [(W[:, k], b[k], certificate) for k, certificate in enumerate(certificates)]


@contextmanager
def _logged_warnings(what: str) -> Iterator[None]:
    """Log that a probe did not converge, in place of a warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        yield
    for warning in caught:
        logger.warning("%s: %s", what, warning.message)
