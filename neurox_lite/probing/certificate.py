"""How far a solution is from the optimum, at most."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from neurox_lite.probing.objective import Problem


@dataclass(frozen=True)
class Certificate:
    """How far a solution can be from the optimum, at most.

    Attributes
    ----------
    kind : str
        ``"duality gap"``: F minus a lower bound on its minimum, relative to F at W = 0 (for
        classes, the entropy of the labels). Without any penalty there is no finite bound, so
        ``"gradient"``: the norm of the gradient relative to its norm at W = 0. ``"separable"`` is
        that, too, of a solution that tells all classes apart: larger weights are always better, and
        there is no optimum.
    value, tol : float
        Converged means ``value <= tol``, and not separable.
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
        return self.value <= self.tol and self.kind != "separable"


@dataclass
class Point:
    """Weights and intercepts, and once they are certified what is known about them."""

    problem: Problem
    W: torch.Tensor
    b: torch.Tensor
    scores: torch.Tensor  # without the intercept
    has_zeros: torch.Tensor  # per problem, whether weights without use are exactly zero
    objective: torch.Tensor = field(init=False)
    gradient: torch.Tensor = field(init=False)
    intercept_gradient: torch.Tensor = field(init=False)

    def certify(self, at_zero: AtZero) -> tuple[list[str], torch.Tensor]:
        """Take the best intercept, and bound the distance from the optimum: kinds, values.

        The dual point is theta = s * (gradient of f). For any s in [0, 1],

            D(theta) = -f*(theta) - sum max(|X' theta| - l1, 0)^2 / (4 l2)

        plus theta's gradient g of the intercept times the intercept of the optimum is a lower bound
        on the minimum of F. Here g is all but zero; the optimum's intercept is taken to be at most
        twice as large as this one's. Two scales are tried, s = 1 and the largest without second
        term. Should b not be optimal (a search through saturated scores can fail), the bound is 0:
        no loss is negative.
        """
        plain = (self.problem.l1 + self.problem.l2) == 0
        self.b = self.problem.loss.best_intercept(self.scores, self.b)
        gap = self._gap(at_zero)
        slope = self.gradient.square().sum((0, 2), dtype=torch.float64)
        slope += self.intercept_gradient.square().sum(1, dtype=torch.float64)
        slope = torch.where(slope > 0, slope.sqrt() / at_zero.slope, slope)
        kinds = ["gradient" if p else "duality gap" for p in plain.tolist()]
        if bool(plain.any()):
            separated = (plain & self.problem.loss.is_separated(self._scores)).tolist()
            kinds = ["separable" if s else kind for s, kind in zip(separated, kinds, strict=True)]
        return kinds, torch.where(plain, slope, gap).nan_to_num(math.inf)

    def _gap(self, at_zero: AtZero) -> torch.Tensor:
        """The duality gap relative to F at W = 0, (n_problems,)."""
        problem = self.problem
        self.gradient, self.intercept_gradient, value, conjugate = problem.slopes(self._scores)
        self.objective = value + problem.penalty(self.W)
        bound = conjugate - self._ridge(torch.ones_like(value))
        steepest = self.gradient.abs().amax((0, 2)).double()
        feasible = (problem.l1 / steepest).nan_to_num(1.0).clamp(max=1)
        # -f*(theta) is concave in s, with slope -f* - f at 1, so it is at most this.
        most = feasible * conjugate + (1 - feasible) * value
        if bool((most > bound).any()):
            other = problem.loss.minus_conjugate(self._scores, feasible) - self._ridge(feasible)
            bound = bound.maximum(other)
        not_centred = self.intercept_gradient.abs() * (2 * self.b.abs() + 1)
        bound -= not_centred.sum(1, dtype=torch.float64)
        # A bound above F is one of rounding, and tells how large that is.
        gap = (self.objective - bound.clamp(min=0)).abs()
        return torch.where(at_zero.objective > 0, gap / at_zero.objective, gap)

    def shrunk(self, problems: torch.Tensor, curvature: torch.Tensor) -> Point:
        """A step of soft thresholding on all rows for some of the problems (a mask)."""
        L = (curvature[:, None] * self.problem.loss.curvature_scale()).to(self.W)
        l1, l2 = (penalty.to(self.W)[:, None] for penalty in (self.problem.l1, self.problem.l2))
        moved = self.W - self.gradient / L
        W = moved.sign() * (moved.abs() - l1 / L).clamp(min=0) / (1 + 2 * l2 / L)
        W = torch.where(problems[:, None], W, self.W)
        has_zeros = self.has_zeros | problems
        return Point(self.problem, W, self.b, self.problem.scores(W), has_zeros)

    def slope_to(self, end: Point) -> torch.Tensor:
        """The derivative of F at the start of the way to another point, (n_problems,)."""
        dW, db = end.W - self.W, end.b - self.b
        smooth = self.gradient + 2 * self.problem.l2.to(self.W)[:, None] * self.W
        added = torch.where(self.W == 0, dW.abs(), dW * self.W.sign())
        slope = (smooth * dW).sum((0, 2), dtype=torch.float64)
        slope += (self.intercept_gradient * db).sum(1, dtype=torch.float64)
        return slope + self.problem.l1 * added.sum((0, 2), dtype=torch.float64)

    def take(self, problems: torch.Tensor) -> Point:
        """Some of the problems."""
        taken = Point(
            self.problem.take(problems),
            self.W[:, problems],
            self.b[problems],
            self.scores[problems],
            self.has_zeros[problems],
        )
        taken.objective = self.objective[problems]
        taken.gradient = self.gradient[:, problems]
        taken.intercept_gradient = self.intercept_gradient[problems]
        return taken

    def _scores(self, rows: slice) -> torch.Tensor:
        return self.scores[..., rows] + self.b[..., None]

    def _ridge(self, share: torch.Tensor) -> torch.Tensor:
        """The second term of D, (n_problems,)."""
        problem = self.problem
        excess = (share.to(self.W)[:, None] * self.gradient).abs().double()
        excess = (excess - problem.l1[:, None]).clamp(min=0).square().sum((0, 2))
        ridge = torch.where(excess > 0, excess / (4 * problem.l2), 0)
        # Without l2 the share is the largest feasible one, up to rounding.
        return torch.where((problem.l2 == 0) & (share < 1), 0, ridge)


@dataclass(frozen=True)
class AtZero:
    """The problems at W = 0 and the best intercept: the yardstick of the certificates."""

    objective: torch.Tensor
    slope: torch.Tensor

    def take(self, problems: torch.Tensor) -> AtZero:
        """Some of the problems."""
        return AtZero(self.objective[problems], self.slope[problems])

    @classmethod
    def of(cls, problem: Problem) -> AtZero:
        loss = problem.loss
        b = loss.first_intercept().to(problem.X.like)

        def scores(rows: slice) -> torch.Tensor:
            return b[..., None].expand(-1, -1, rows.stop - rows.start)

        slope = torch.ones_like(problem.l1)
        if bool((problem.l1 + problem.l2 == 0).any()):
            gradient = problem.slopes(scores).by_weights
            slope = gradient.square().sum((0, 2), dtype=torch.float64).sqrt()
        return cls(loss.value(scores), slope)
