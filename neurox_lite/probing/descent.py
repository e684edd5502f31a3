"""Two ways to go down: FISTA on all rows, or on a sample of them with a line search on all."""

from __future__ import annotations

import math

import numpy as np
import torch

from neurox_lite.probing.certificate import Point
from neurox_lite.probing.fista import Fista
from neurox_lite.probing.objective import Problem

CHECK_EVERY = 20
"""Steps of FISTA between two computations of the certificate, each of which costs one."""

STEPS_ON_SAMPLE = 12
"""Steps of FISTA on a sample between two passes over all rows; twice as many at the start."""

LEAST_PROGRESS = 1e-5
"""Share of the objective; with less of it between two certificates steps on rounded rows end."""

NEAR = 0.8
"""A neuron without weight moves when its gradient exceeds this share of l1."""


class OnAll:
    """FISTA on all rows, from one certificate to the next.

    Where bfloat16 is faster the rows are rounded; the gradient is then tilted to the exact one at
    every certificate. Where that brings the objective down no more, steps go on with exact rows.
    """

    def __init__(self, start: Point, is_cold: bool):
        problem = start.problem.rounded()
        self.is_rounded = problem is not start.problem
        self.is_cold = is_cold
        self.fista = Fista(problem, start.W, start.b, start.scores + start.b[..., None])
        self.n_counted = 0.0
        self.objective = torch.full_like(problem.l1, math.inf)

    @property
    def curvature(self) -> torch.Tensor:
        """Of the loss, as far as the steps have met it, (n_problems,)."""
        return self.fista.curvature

    def take(self, problems: torch.Tensor) -> None:
        """Go on with some of the problems."""
        self.fista.take(problems)
        self.objective = self.objective[problems]

    def advance(self, point: Point, max_passes: float) -> tuple[Point, float]:
        """The next point, and the passes it took."""
        fista = self.fista
        if not self.is_cold:
            fista.move_to(point.W, point.b, point.scores + point.b[..., None])
            progress = point.objective < (1 - LEAST_PROGRESS) * self.objective
            self.objective = point.objective
            if self.is_rounded and not bool(progress.all()):
                self.is_rounded = False
                fista.change_rows(point.problem)
            if self.is_rounded:
                fista.tilt_to(point.gradient, point.intercept_gradient)
        self.is_cold = False
        fista.run(max(1, min(CHECK_EVERY, int(max_passes) - 1)))
        passes = (fista.n_products - self.n_counted + 1) / 2
        self.n_counted = fista.n_products
        scores, has_zeros = point.problem.scores(fista.W), torch.ones_like(point.has_zeros)
        return Point(point.problem, fista.W, fista.b, scores, has_zeros), passes


class OnSample:
    """FISTA on a sample, tilted to the gradient of all rows, and a line search on all rows.

    It moves the neurons that have a weight or may get one; the certificate sees all. Its momentum
    outlasts the line search where that goes to the end of the way.
    """

    def __init__(self, problem: Problem, n_sampled: int, is_cold: bool):
        n = len(problem.X)
        positions = np.sort(np.random.default_rng(0).choice(n, n_sampled, replace=False))
        self.sample = problem.sample(positions).rounded()
        self.share = n_sampled / n
        self.is_cold = is_cold
        self.n_steps = 2 * STEPS_ON_SAMPLE
        self.curvature: torch.Tensor | None = None
        self.fista: Fista | None = None
        self.moving = torch.zeros(problem.X.n_neurons, dtype=torch.bool, device=problem.l1.device)

    def take(self, problems: torch.Tensor) -> None:
        """Go on with some of the problems."""
        self.sample = self.sample.take(problems)
        if self.curvature is not None:
            self.curvature = self.curvature[problems]
        if self.fista is not None:
            self.fista.take(problems)

    def advance(self, point: Point, max_passes: float) -> tuple[Point, float]:
        """The next point, and the passes it took."""
        gradient = self._gradient(point) if self.is_cold else point.gradient
        fista = self._at(point, _moving(point, gradient))
        products_before = fista.n_products
        # From zero weights it is too far for this correction: the sample alone is better.
        if not self.is_cold:
            fista.tilt_to(gradient[self.moving], point.intercept_gradient)
        fista.run(max(1, min(self.n_steps, int(max_passes / self.share))))
        self.curvature = fista.curvature
        W = point.W.clone()
        W[self.moving] = fista.W
        scores, has_zeros = point.problem.scores(W), torch.ones_like(point.has_zeros)
        target = Point(point.problem, W, fista.b, scores, has_zeros)
        length = _line_search(point, target, None if self.is_cold else point.slope_to(target))
        self.fista = fista if bool((length == 1).all()) else None
        self.is_cold = False
        self.n_steps = STEPS_ON_SAMPLE if bool((length > 0).all()) else 2 * self.n_steps
        passes = (fista.n_products - products_before) / 2 * self.share * len(fista.W) / len(W)
        return _between(point, target, length), passes + self.share + 0.5

    def _at(self, point: Point, moving: torch.Tensor) -> Fista:
        """FISTA that moves these neurons; that of the last steps, if it is here and moves them."""
        fista = self.fista
        is_here = fista is not None and torch.equal(fista.W, point.W[self.moving])
        if fista is not None and is_here and not bool((moving & ~self.moving).any()):
            fista.move_to(fista.W, point.b, fista.scores + (point.b - fista.b)[..., None])
            return fista
        few = torch.nonzero(moving)[:, 0]
        if len(few) >= 0.9 * len(moving):
            moving = torch.ones_like(moving)
        self.moving = moving
        sample = self.sample if bool(moving.all()) else self.sample.of_neurons(few)
        W, b = point.W[moving], point.b
        return Fista(sample, W, b, sample.scores(W) + b[..., None], self.curvature)

    def _gradient(self, point: Point) -> torch.Tensor:
        """Of the sample."""
        scores = self.sample.scores(point.W) + point.b[..., None]
        return self.sample.slopes(lambda rows: scores[..., rows]).by_weights


def _moving(point: Point, gradient: torch.Tensor) -> torch.Tensor:
    """Whether a neuron has a weight, or a gradient near the one which gives it one; bool."""
    reach = NEAR * point.problem.l1.to(gradient)[:, None]
    return ((point.W != 0) | (gradient.abs() > reach)).any(2).any(1)


def _between(start: Point, end: Point, length: torch.Tensor) -> Point:
    share = length.to(start.W)[:, None]
    return Point(
        start.problem,
        torch.lerp(start.W, end.W, share),
        torch.lerp(start.b, end.b, share),
        torch.lerp(start.scores, end.scores, share[..., None]),
        ((length == 0) & start.has_zeros) | (length == 1) | (start.problem.l1 == 0),
    )


def _line_search(start: Point, end: Point, slope: torch.Tensor | None) -> torch.Tensor:
    """How far to go from start towards end, per problem.

    1, or where the parabola through the objective at both and the slope at the start is least if
    that is much better; where neither is progress, the first of ever shorter ways that is, or 0.
    """
    problem = start.problem

    def objective(length: torch.Tensor) -> torch.Tensor:
        share = length.to(start.W)[:, None]
        b, W = torch.lerp(start.b, end.b, share), torch.lerp(start.W, end.W, share)
        value = problem.loss.value(
            lambda rows: (
                torch.lerp(start.scores[..., rows], end.scores[..., rows], share[..., None])
                + b[..., None]
            )
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
