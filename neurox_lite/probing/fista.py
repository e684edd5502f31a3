"""An accelerated proximal gradient method (FISTA) for several elastic nets side by side."""

from __future__ import annotations

import torch

from neurox_lite.probing.objective import Problem, Slopes


class Fista:
    """Minimises F of each problem plus a linear term that :meth:`tilt_to` sets.

    Beck & Teboulle 2009, with steps found by backtracking that may grow again, and restarts
    (O'Donoghue & Candes 2015). Outputs of less curvature, such as rare classes, have longer steps.
    Soft thresholding gives exact zeros.

    Parameters
    ----------
    problem : Problem
    W : (n_neurons, n_problems, n_outputs) tensor
        Where to start.
    b : (n_problems, n_outputs) tensor
    scores : (n_problems, n_outputs, n) tensor
        X W + b there.
    curvature : (n_problems,) tensor, optional
        Where the search for a step starts; of an output it is this times its scale.
    """

    def __init__(
        self,
        problem: Problem,
        W: torch.Tensor,
        b: torch.Tensor,
        scores: torch.Tensor,
        curvature: torch.Tensor | None = None,
    ):
        self.problem = problem
        self.W, self.b, self.scores = W, b, scores
        self._tilt, self._intercept_tilt = torch.zeros_like(W), torch.zeros_like(b)
        self._V, self._c, self._U = W, b, scores  # the extrapolated point and its scores
        self._momentum = torch.ones(len(b), device=b.device)
        self.n_products = 0.0
        self._scale = problem.loss.curvature_scale().to(W)
        self.curvature = self._first_curvature() if curvature is None else curvature.clone()
        # Below the rounding error of the loss no step would pass the test, however short.
        self._slack = 2 * torch.finfo(scores.dtype).eps * (1 + self._value(scores)) + 1e-9

    def tilt_to(self, gradient: torch.Tensor, intercept_gradient: torch.Tensor) -> None:
        """Add a linear term with which the gradients at the current point are these."""
        own = self._slopes(self.scores)
        self._tilt = gradient - own.by_weights
        self._intercept_tilt = intercept_gradient - own.by_intercepts

    def change_rows(self, problem: Problem) -> None:
        """Go on with the same problems on other rows, without a linear term."""
        self.problem = problem
        self._tilt, self._intercept_tilt = torch.zeros_like(self.W), torch.zeros_like(self.b)

    def move_to(self, W: torch.Tensor, b: torch.Tensor, scores: torch.Tensor) -> None:
        """Go on from another point, with the same momentum."""
        self._V, self._c = self._V + (W - self.W), self._c + (b - self.b)
        self._U = self._U + (scores - self.scores)
        self.W, self.b, self.scores = W, b, scores

    def take(self, problems: torch.Tensor) -> None:
        """Go on with some of the problems."""
        self.problem = self.problem.take(problems)
        of_problems = ("b", "_c", "_intercept_tilt", "_momentum", "_scale", "curvature", "_slack")
        for name in (*of_problems, "scores", "_U"):
            setattr(self, name, getattr(self, name)[problems])
        for name in ("W", "_V", "_tilt"):
            setattr(self, name, getattr(self, name)[:, problems])

    def _attempt(
        self, scores: torch.Tensor, dW: torch.Tensor, db: torch.Tensor, problems: torch.Tensor
    ) -> torch.Tensor:
        """Write what the scores of some problems become, and give their losses.

        The scores are changed, not made anew: where rows are rounded, a small change has a small
        error.
        """
        self.n_products += len(problems) / len(db)
        if len(problems) == len(db):
            torch.add(self.problem.scores(dW).add_(db[..., None]), self._U, out=scores)
            return self._value(scores)
        some = self.problem.take(problems)
        changed = some.scores(dW[:, problems]).add_(db[problems, :, None]).add_(self._U[problems])
        scores[problems] = changed
        return some.loss.value(lambda rows: changed[..., rows])

    def _slopes(self, scores: torch.Tensor) -> Slopes:
        self.n_products += 1
        return self.problem.slopes(lambda rows: scores[..., rows])

    def _value(self, scores: torch.Tensor) -> torch.Tensor:
        return self.problem.loss.value(lambda rows: scores[..., rows])

    def _first_curvature(self) -> torch.Tensor:
        """Of the loss along its gradient, as far as its outputs are independent."""
        gradient = self._slopes(self.scores).by_weights
        direction = gradient / self._scale
        self.n_products += 1
        along = self.problem.scores(direction)
        square = (along.square() * self._scale[..., None]).sum((1, 2), dtype=torch.float64)
        ratio = square / _dot(gradient, direction) / along.shape[2]
        return torch.nan_to_num(ratio, nan=1.0).clamp(min=1e-3)

    def run(self, n_passes: int) -> None:
        """Take steps, of about a pass each; ``W``, ``b`` and ``scores`` are where they end."""
        most_products = self.n_products + 2 * n_passes
        while self.n_products < most_products:
            gradient, intercept_gradient, value, _ = self._slopes(self._U)
            self.curvature = self.curvature * 0.95
            scores = torch.empty_like(self._U)
            attempted = torch.arange(len(self.b), device=self.b.device)
            while len(attempted):
                W, b = self._step(gradient, intercept_gradient)
                dW, db = W - self._V, b - self._c
                values = self._attempt(scores, dW, db, attempted)
                linear = _dot(gradient, dW) + _dot(intercept_gradient, db)
                scaled_W, scaled_b = dW * self._scale, db * self._scale
                square = _dot(dW, scaled_W) + _dot(db, scaled_b)
                bound = value + linear + self.curvature / 2 * square + self._slack
                attempted = attempted[values > bound[attempted]]
                self.curvature[attempted] *= 1.5
            uphill = _dot(scaled_W, W - self.W) + _dot(scaled_b, b - self.b) < 0
            following = (1 + (1 + 4 * self._momentum**2).sqrt()) / 2
            beta = torch.where(uphill, 0, (self._momentum - 1) / following).to(W)[:, None]
            self._momentum = torch.where(uphill, 1, following)
            self._V = torch.lerp(self.W, W, 1 + beta)
            self._c = torch.lerp(self.b, b, 1 + beta)
            self._U = torch.lerp(self.scores, scores, 1 + beta[..., None])
            self.W, self.b, self.scores = W, b, scores

    def _step(
        self, gradient: torch.Tensor, intercept_gradient: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A gradient step from the extrapolated point, soft thresholding, and scaling."""
        curvature = self.curvature.to(gradient)[:, None] * self._scale
        l1, l2 = (penalty.to(gradient)[:, None] for penalty in (self.problem.l1, self.problem.l2))
        moved = self._V - (gradient + self._tilt) / curvature
        shrunk = moved.sign() * (moved.abs() - l1 / curvature).clamp(min=0)
        b = self._c - (intercept_gradient + self._intercept_tilt) / curvature
        return shrunk / (1 + 2 * l2 / curvature), b


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Inner products per problem (all but the last but one dimension), in float64."""
    product = (a * b).sum(-1, dtype=torch.float64)
    return product.sum(0) if product.dim() == 2 else product
