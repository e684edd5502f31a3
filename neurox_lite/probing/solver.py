"""Elastic nets to a proven distance from their optimum, several side by side.

Minimises, over weights W (n_neurons, n_outputs) and intercepts b (Dalvi et al. 2019),

    F(W, b) = f(X W + b) + l1 * sum |W| + l2 * sum W^2

where f is the mean loss of the rows. Two methods share the certificate. On few rows, FISTA. On
many, FISTA on a sample of the rows, its gradient tilted so that it is that of all rows where it
starts; a line search on all rows; and again. A pass over all rows then buys many steps: the sample
stands in for the curvature of f, as in Shamir et al. 2014 (DANE).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from tqdm.auto import tqdm

from neurox_lite.probing.fista import Fista
from neurox_lite.probing.losses import INTERCEPT_TOL
from neurox_lite.probing.problem import Problem

CHECK_EVERY = 20
"""Steps of FISTA between two computations of the certificate, each of which costs one."""

STEPS_ON_SAMPLE = 30
"""Steps of FISTA on a sample between two passes over all rows; twice as many at the start."""

SAMPLED_SHARE, MIN_SAMPLE = 1 / 16, 8192
"""Rows of the sample; a problem of fewer than four times as many is not sampled."""

NEAR = 0.8
"""A neuron without weight moves when its gradient exceeds this share of l1."""


@dataclass(frozen=True)
class Certificate:
    """How far a solution can be from the optimum, at most.

    Attributes
    ----------
    kind : str
        ``"duality gap"``: F minus a lower bound on its minimum, relative to F at W = 0 (for
        classes, the entropy of the labels). Without any penalty there is no finite bound, so
        ``"gradient"``: the norm of the gradient relative to its norm at W = 0.
    value, tol : float
        Converged means ``value <= tol``.
    objective : float
        F of the solution, in nats for classes.
    n_iter : int
        Passes over the data; a pass over a sample of the rows counts by its share.
    """

    kind: str
    value: float
    tol: float
    objective: float
    n_iter: int

    @property
    def converged(self) -> bool:
        return self.value <= self.tol


def solve(
    problem: Problem,
    *,
    tol: float,
    max_iter: int,
    start: tuple[torch.Tensor, torch.Tensor] | None = None,
    sampled: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor, list[Certificate]]:
    """Solve all problems.

    Memory beside the rows: the sample, and about eight arrays of (n, n_problems, n_outputs) and of
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
    n_sampled = max(MIN_SAMPLE, int(len(problem.rows) * SAMPLED_SHARE))
    if sampled is None:
        sampled = len(problem.rows) >= 4 * n_sampled
    at_zero = _AtZero.of(problem)
    if start is None:
        W = torch.zeros(problem.rows.n_neurons, *problem.loss.shape).to(problem.rows.mean)
        b = problem.loss.first_intercept().to(W)
        point = _Point(problem, W, b, W.new_zeros(len(problem.rows), *problem.loss.shape))
        point.objective, passes = at_zero.objective, 0.0
    else:
        W, b = start[0].clone(), start[1].clone()
        point, passes = _Point(problem, W, b, problem.scores(W)), 0.5
    method = _OnSample(problem, n_sampled, start is None) if sampled else _OnAll(point)
    if start is None:
        point, passes = method.advance(point, max_iter - 1)
    certificates: dict[int, Certificate] = {}
    open_problems = torch.arange(len(problem.l1), device=W.device)
    with tqdm(desc="fit probe", unit="pass", disable=None, delay=2, leave=False) as progress:
        while True:
            kinds, values = point.certify(at_zero)
            passes += 0.5
            progress.n = math.ceil(passes)
            progress.set_postfix_str(f"{kinds[0]} {max(values):.1e}, to reach {tol:.1e}")
            done = torch.tensor(values, device=W.device) <= tol
            if passes >= max_iter:
                done[:] = True
            W[:, open_problems[done]] = point.W[:, done]
            b[open_problems[done]] = point.b[done]
            for number in torch.nonzero(done)[:, 0].tolist():
                certificates[int(open_problems[number])] = Certificate(
                    kinds[number],
                    values[number],
                    tol,
                    float(point.objective[number]),
                    math.ceil(passes),
                )
            if done.all():
                return W, b, [certificates[number] for number in sorted(certificates)]
            if done.any():
                going_on = torch.nonzero(~done)[:, 0]
                open_problems = open_problems[going_on]
                at_zero, point = at_zero.take(going_on), point.take(going_on)
                method.take(going_on)
            point, cost = method.advance(point, max_iter - passes)
            passes += cost


@dataclass
class _Point:
    """Weights and intercepts, and once they are certified what is known about them."""

    problem: Problem
    W: torch.Tensor
    b: torch.Tensor
    scores: torch.Tensor  # without the intercept
    objective: torch.Tensor = field(init=False)
    gradient: torch.Tensor = field(init=False)
    intercept_gradient: torch.Tensor = field(init=False)

    def certify(self, at_zero: _AtZero) -> tuple[list[str], list[float]]:
        """Take the best intercept, and bound the distance from the optimum: kinds, values.

        The dual point is theta = s * (gradient of f), feasible for the intercept once b is
        optimal. For any s in [0, 1] the dual objective is a lower bound on the minimum of F:

            D(theta) = -f*(theta) - sum max(|X' theta| - l1, 0)^2 / (4 l2)

        Two scales are tried, s = 1 and the largest without second term. Should b not be optimal (a
        search through saturated scores can fail), the bound is 0: no loss is negative.
        """
        problem, loss = self.problem, self.problem.loss
        self.b = loss.best_intercept(self.scores, self.b)
        self.gradient, self.intercept_gradient = problem.gradient(self._scores)
        self.objective = loss.value(self._scores) + problem.penalty(self.W)

        steepest = self.gradient.abs().amax((0, 2)).double()
        feasible = (problem.l1 / steepest).nan_to_num(1.0).clamp(max=1)
        bounds = [self._dual(feasible), torch.zeros_like(feasible)]
        if bool((problem.l2 > 0).any()):
            bounds.append(self._dual(torch.ones_like(feasible)))
        bound = torch.stack(bounds).amax(0)
        is_centred = self.intercept_gradient.abs().amax(1) <= INTERCEPT_TOL
        gap = (self.objective - torch.where(is_centred, bound, 0)).clamp(min=0)
        gap = torch.where(at_zero.objective > 0, gap / at_zero.objective, gap)
        slope = self.gradient.square().sum((0, 2), dtype=torch.float64)
        slope += self.intercept_gradient.square().sum(1, dtype=torch.float64)
        slope = (slope.sqrt() / at_zero.slope).nan_to_num(0.0)
        plain = (problem.l1 + problem.l2) == 0
        kinds = ["gradient" if p else "duality gap" for p in plain.tolist()]
        return kinds, torch.where(plain, slope, gap).tolist()

    def slope_to(self, end: _Point) -> torch.Tensor:
        """The derivative of F at the start of the way to another point, (n_problems,)."""
        dW, db = end.W - self.W, end.b - self.b
        smooth = self.gradient + 2 * self.problem.l2.to(self.W)[:, None] * self.W
        added = torch.where(self.W == 0, dW.abs(), dW * self.W.sign())
        slope = (smooth * dW).sum((0, 2), dtype=torch.float64)
        slope += (self.intercept_gradient * db).sum(1, dtype=torch.float64)
        return slope + self.problem.l1 * added.sum((0, 2), dtype=torch.float64)

    def take(self, problems: torch.Tensor) -> _Point:
        """Some of the problems."""
        taken = _Point(
            self.problem.take(problems),
            self.W[:, problems],
            self.b[problems],
            self.scores[:, problems],
        )
        taken.objective = self.objective[problems]
        taken.gradient = self.gradient[:, problems]
        taken.intercept_gradient = self.intercept_gradient[problems]
        return taken

    def _scores(self, rows: slice) -> torch.Tensor:
        return self.scores[rows] + self.b

    def _dual(self, share: torch.Tensor) -> torch.Tensor:
        problem = self.problem
        excess = (share.to(self.W)[:, None] * self.gradient).abs().double()
        excess = (excess - problem.l1[:, None]).clamp(min=0).square().sum((0, 2))
        ridge = torch.where(excess > 0, excess / (4 * problem.l2), 0)
        # Without l2 the share is the largest feasible one, up to rounding.
        ridge = torch.where((problem.l2 == 0) & (share < 1), 0, ridge)
        return problem.loss.minus_conjugate(self._scores, share) - ridge


@dataclass(frozen=True)
class _AtZero:
    """The problems at W = 0 and the best intercept: the yardstick of the certificates."""

    objective: torch.Tensor
    slope: torch.Tensor

    def take(self, problems: torch.Tensor) -> _AtZero:
        """Some of the problems."""
        return _AtZero(self.objective[problems], self.slope[problems])

    @classmethod
    def of(cls, problem: Problem) -> _AtZero:
        loss = problem.loss
        b = loss.first_intercept().to(problem.rows.mean)

        def scores(rows: slice) -> torch.Tensor:
            return b.expand(rows.stop - rows.start, *loss.shape)

        slope = torch.ones_like(problem.l1)
        if bool((problem.l1 + problem.l2 == 0).any()):
            gradient, _ = problem.gradient(scores)
            slope = gradient.square().sum((0, 2), dtype=torch.float64).sqrt()
        return cls(loss.value(scores), slope)


class _OnAll:
    """FISTA on all rows, from one certificate to the next."""

    def __init__(self, start: _Point):
        self.fista = Fista(start.problem, start.W, start.b, start.scores + start.b)
        self.n_counted = 0

    def take(self, problems: torch.Tensor) -> None:
        """Go on with some of the problems."""
        self.fista.take(problems)

    def advance(self, point: _Point, max_passes: float) -> tuple[_Point, float]:
        """The next point, and the passes it took."""
        fista = self.fista
        fista.run(max(1, min(CHECK_EVERY, int(max_passes))))
        passes = (fista.n_products - self.n_counted) / 2
        self.n_counted = fista.n_products
        return _Point(point.problem, fista.W, fista.b, fista.scores - fista.b), passes


class _OnSample:
    """FISTA on a sample, tilted to the gradient of all rows, and a line search on all rows.

    It moves the neurons that have a weight or may get one; the certificate sees all.
    """

    def __init__(self, problem: Problem, n_sampled: int, is_cold: bool):
        n = len(problem.rows)
        positions = np.sort(np.random.default_rng(0).choice(n, n_sampled, replace=False))
        self.sample = problem.sample(positions)
        self.share = n_sampled / n
        self.is_cold = is_cold
        self.n_steps = 2 * STEPS_ON_SAMPLE
        self.curvature: torch.Tensor | None = None

    def take(self, problems: torch.Tensor) -> None:
        """Go on with some of the problems."""
        self.sample = self.sample.take(problems)
        if self.curvature is not None:
            self.curvature = self.curvature[problems]

    def advance(self, point: _Point, max_passes: float) -> tuple[_Point, float]:
        """The next point, and the passes it took."""
        gradient = self._gradient(point) if self.is_cold else point.gradient
        moving = _moving(point, gradient)
        sample = self.sample.of_neurons(moving)
        W, b = point.W[moving], point.b
        fista = Fista(sample, W, b, sample.scores(W) + b, self.curvature)
        # From zero weights it is too far for this correction: the sample alone is better.
        if not self.is_cold:
            fista.tilt_to(gradient[moving], point.intercept_gradient)
        fista.run(max(1, min(self.n_steps, int(max_passes / self.share))))
        self.curvature = fista.curvature
        W = point.W.clone()
        W[moving] = fista.W
        target = _Point(point.problem, W, fista.b, point.problem.scores(W))
        length = _line_search(point, target, None if self.is_cold else point.slope_to(target))
        self.is_cold = False
        self.n_steps = STEPS_ON_SAMPLE if bool((length > 0).all()) else 2 * self.n_steps
        passes = fista.n_products / 2 * self.share * len(fista.W) / len(W)
        return _between(point, target, length), passes + self.share + 0.5

    def _gradient(self, point: _Point) -> torch.Tensor:
        """Of the sample."""
        scores = self.sample.scores(point.W) + point.b
        return self.sample.gradient(lambda rows: scores[rows])[0]


def _moving(point: _Point, gradient: torch.Tensor) -> slice | torch.Tensor:
    """Neurons with a weight, or with a gradient that is near the one which gives them a weight."""
    reach = NEAR * point.problem.l1.to(gradient)[:, None]
    moving = ((point.W != 0) | (gradient.abs() > reach)).any(2).any(1)
    few = torch.nonzero(moving)[:, 0]
    return few if len(few) < 0.9 * len(moving) else slice(None)


def _between(start: _Point, end: _Point, length: torch.Tensor) -> _Point:
    share = length.to(start.W)[:, None]
    return _Point(
        start.problem,
        torch.lerp(start.W, end.W, share),
        torch.lerp(start.b, end.b, share),
        torch.lerp(start.scores, end.scores, share),
    )


def _line_search(start: _Point, end: _Point, slope: torch.Tensor | None) -> torch.Tensor:
    """How far to go from start towards end, per problem.

    1, or where the parabola through the objective at both and the slope at the start is least if
    that is much better; where neither is progress, the first of ever shorter ways that is, or 0.
    """
    problem = start.problem

    def objective(length: torch.Tensor) -> torch.Tensor:
        share = length.to(start.W)[:, None]
        b, W = torch.lerp(start.b, end.b, share), torch.lerp(start.W, end.W, share)
        value = problem.loss.value(
            lambda rows: torch.lerp(start.scores[rows], end.scores[rows], share) + b
        )
        return (value + problem.penalty(W)).nan_to_num(math.inf)

    length = torch.ones_like(start.objective)
    best = objective(length)
    if slope is not None:
        least = -slope / (2 * (best - start.objective - slope))
        least = least.nan_to_num(1.0).clamp(0.1, 4)
        if bool(((least < 0.7) | (least > 1.4)).any()):
            value = objective(least)
            # The end has exact zeros, and what lies between or beyond has not.
            much_better = value < best - 0.05 * (start.objective - best).clamp(min=0)
            length = torch.where(much_better, least, length)
            best = torch.where(much_better, value, best)
    # Near the optimum the gradient still tells what the objective, rounded, does not.
    rounding = torch.finfo(start.W.dtype).eps * (1 + start.objective)
    is_progress = best < start.objective + rounding
    shorter = length
    for _ in range(8):
        if bool(is_progress.all()):
            break
        shorter = shorter / 2
        helps = ~is_progress & (objective(shorter) < start.objective)
        length = torch.where(helps, shorter, length)
        is_progress |= helps
    return torch.where(is_progress, length, 0)
