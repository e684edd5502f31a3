"""Elastic nets to a proven distance from their optimum, several side by side.

Minimises, over weights W (n_neurons, n_outputs) and intercepts b (Dalvi et al. 2019),

    F(W, b) = f(X W + b) + l1 * sum |W| + l2 * sum W^2

where f is the mean loss of the rows. Two methods share the certificate. On few rows, FISTA. On
many, FISTA on a sample of the rows, its gradient tilted so that it is that of all rows where it
starts; a line search on all rows; and again. A pass over all rows then buys many steps: the sample
stands in for the curvature of f, as in Shamir et al. 2014 (DANE). Where bfloat16 is faster, these
passes are over rounded rows first, and over the exact ones at the end.
"""

from __future__ import annotations

import math

import torch

from neurox_lite.probing.certificate import AtZero, Certificate, Point
from neurox_lite.probing.descent import LEAST_PROGRESS, OnAll, OnSample
from neurox_lite.probing.objective import Problem
from neurox_lite.probing.rounded import ROUNDED_BYTES, RoundedMatrix, has_units
from neurox_lite.progress import tqdm

SAMPLED_SHARE, MIN_SAMPLE, PER_NEURON, SAMPLE_BYTES = 1 / 16, 4096, 2, 800_000_000
"""The sample is at least this share of the rows, this many, and this many for each neuron, but no
larger than these bytes; a problem of fewer than four times as many rows is not sampled."""

ROUNDED_TOL = 3e-4
"""Certificate up to which rounded rows stand in for exact ones; below it rounding shows."""


def solve(
    problem: Problem,
    *,
    tol: float,
    max_iter: int,
    start: tuple[torch.Tensor, torch.Tensor] | None = None,
    sampled: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor, list[Certificate]]:
    """Solve all problems.

    Memory beside the rows: the sample, and about eight arrays of (n_problems, n_outputs, n) and of
    (n_neurons, n_problems, n_outputs).

    Parameters
    ----------
    problem : Problem
    tol : float
        Stop when all certificates are at most this.
    max_iter : int
        Stop after this many passes over the data.
    start : (W, b), optional
        Where to start; zero weights by default.
    sampled : bool, optional
        Whether to sample rows; by default where there are many.

    Returns
    -------
    W : (n_neurons, n_problems, n_outputs) tensor
    b : (n_problems, n_outputs) tensor
    certificates : list of Certificate
        Of the returned solutions.
    """
    n_sampled = sample_size(len(problem.X), problem.X.n_neurons, sampled)
    passes, has_zeros = 0.0, problem.l1 == 0
    has_penalties = bool((problem.l1 + problem.l2 > 0).all())
    rounded = problem.rounded() if n_sampled and has_penalties else problem
    if rounded is not problem:
        near = max(0.9 * tol, ROUNDED_TOL)
        W, b, certificates = _descend(rounded, n_sampled, near, max_iter, start, has_zeros)
        start = W, b
        passes = max(certificate.n_iter for certificate in certificates)
        # These ended where weights without use are exactly zero.
        has_zeros = has_zeros | torch.tensor([one.converged for one in certificates]).to(has_zeros)
    return _descend(problem, n_sampled, tol, max_iter, start, has_zeros, passes)


def sample_size(n_rows: int, n_neurons: int, sampled: bool | None = None) -> int:
    """Rows of the sample, 0 if all are used."""
    wanted = int(max(MIN_SAMPLE, n_rows * SAMPLED_SHARE, n_neurons * PER_NEURON))
    if sampled is None:
        sampled = n_rows >= 4 * wanted
    most = SAMPLE_BYTES // (ROUNDED_BYTES if has_units() else 4) // n_neurons
    return min(wanted, max(1, most), n_rows) if sampled else 0


def _descend(
    problem: Problem,
    n_sampled: int,
    tol: float,
    max_iter: int,
    start: tuple[torch.Tensor, torch.Tensor] | None,
    has_zeros: torch.Tensor,
    passes: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor, list[Certificate]]:
    """From where it starts to a certificate of ``tol``; steps on a sample if one has rows."""
    at_zero = AtZero.of(problem)
    if start is None:
        W = torch.zeros(problem.X.n_neurons, *problem.loss.shape).to(problem.X.like)
        b = problem.loss.first_intercept().to(W)
        scores = W.new_zeros(*problem.loss.shape, len(problem.X))
        point = Point(problem, W, b, scores, torch.ones_like(problem.l1, dtype=torch.bool))
        point.objective = at_zero.objective
    else:
        W, b = start[0].clone(), start[1].clone()
        point, passes = Point(problem, W, b, problem.scores(W), has_zeros), passes + 0.5
    # A sample may not be needed, where the start is good.
    method = None if start and n_sampled else _method(point, n_sampled, is_cold=start is None)
    if start is None and method:
        point, passes = method.advance(point, max_iter - 1)
    certificates: dict[int, Certificate] = {}
    open_problems = torch.arange(len(problem.l1), device=W.device)
    last = torch.full_like(problem.l1, math.inf)
    with tqdm(desc="fit probe", unit="pass", disable=None, delay=2, leave=False) as progress:
        while True:
            kinds, values = point.certify(at_zero)
            passes += 0.5
            progress.n = math.ceil(passes)
            progress.set_postfix_str(f"{kinds[0]} {float(values.max()):.1e}, to reach {tol:.1e}")
            is_last = passes >= max_iter or not bool(values.isfinite().all())
            if isinstance(problem.X, RoundedMatrix):
                is_last |= bool((point.objective > (1 - LEAST_PROGRESS) * last).all())
                last = point.objective
            reached = values <= tol
            without_zeros = reached & ~point.has_zeros
            curvature = method.curvature if method else None
            if bool(without_zeros.any()) and not is_last and curvature is not None:
                point = point.shrunk(without_zeros, curvature)
                passes += 0.5
                continue
            done = torch.ones_like(reached) if is_last else reached & point.has_zeros
            W[:, open_problems[done]] = point.W[:, done]
            b[open_problems[done]] = point.b[done]
            for number in torch.nonzero(done)[:, 0].tolist():
                certificates[int(open_problems[number])] = Certificate(
                    kinds[number],
                    float(values[number]),
                    tol,
                    float(point.objective[number]),
                    math.ceil(passes),
                )
            if done.all():
                return W, b, [certificates[number] for number in sorted(certificates)]
            if done.any():
                going_on = torch.nonzero(~done)[:, 0]
                open_problems, last = open_problems[going_on], last[going_on]
                at_zero, point = at_zero.take(going_on), point.take(going_on)
                if method:
                    method.take(going_on)
            method = method or _method(point, n_sampled, is_cold=False)
            point, cost = method.advance(point, max_iter - passes)
            passes += cost


def _method(point: Point, n_sampled: int, *, is_cold: bool) -> OnSample | OnAll:
    """Steps on a sample of the rows, or on all if it has none."""
    return OnSample(point.problem, n_sampled, is_cold) if n_sampled else OnAll(point, is_cold)
