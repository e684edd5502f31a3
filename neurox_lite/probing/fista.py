"""An accelerated proximal gradient method (FISTA) for several elastic nets side by side."""

from __future__ import annotations

import torch

from neurox_lite.probing.losses import Loss
from neurox_lite.probing.rows import Rows


class Fista:
    """Minimises ``f(X W + b) + <tilt, W> + <intercept_tilt, b> + l1 sum |W| + l2 sum W^2``.

    Beck & Teboulle 2009, with steps found by backtracking that may grow again, and restarts
    (O'Donoghue & Candes 2015). Soft thresholding gives exact zeros.

    Parameters
    ----------
    rows : Rows
    loss : Loss
        f.
    l1, l2 : (n_problems,) tensors
    W : (n_neurons, n_problems, n_outputs) tensor
        Where to start.
    b : (n_problems, n_outputs) tensor
    scores : (n, n_problems, n_outputs) tensor
        X W + b there.
    tilt, intercept_tilt : tensors like W and b, optional
    curvature : (n_problems,) tensor, optional
        Where the search for a step starts.
    """

    def __init__(
        self,
        rows: Rows,
        loss: Loss,
        l1: torch.Tensor,
        l2: torch.Tensor,
        W: torch.Tensor,
        b: torch.Tensor,
        scores: torch.Tensor,
        tilt: torch.Tensor | None = None,
        intercept_tilt: torch.Tensor | None = None,
        curvature: torch.Tensor | None = None,
    ):
        self.rows, self.loss = rows, loss
        self.l1, self.l2 = l1.to(W)[:, None], l2.to(W)[:, None]
        self.tilt, self.intercept_tilt = tilt, intercept_tilt
        self.W, self.b, self.scores = W, b, scores
        self._V, self._c, self._U = W, b, scores  # the extrapolated point and its scores
        self._momentum = torch.ones(len(b), device=b.device)
        self.n_products = 0
        self.curvature = self._first_curvature() if curvature is None else curvature
        # Below the rounding error of the loss no step would pass the test, however short.
        self._slack = 2 * torch.finfo(scores.dtype).eps * (1 + self._value(scores)) + 1e-9

    def take(self, problems: torch.Tensor) -> None:
        """Go on with some of the problems."""
        self.loss = self.loss.take(problems)
        for name in ("l1", "l2", "b", "_c", "_momentum", "curvature", "_slack"):
            setattr(self, name, getattr(self, name)[problems])
        for name in ("W", "_V", "scores", "_U"):
            setattr(self, name, getattr(self, name)[:, problems])

    def scores_of(self, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """X W + b, shape (n, n_problems, n_outputs)."""
        self.n_products += 1
        return self.rows.times(W.flatten(1)).unflatten(1, b.shape).add_(b)

    def gradient(self, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of f by W and by b."""
        self.n_products += 1
        product, means = self.rows.transposed_times(
            lambda rows: self.loss.residual(scores[rows], rows).flatten(1), self.b.numel()
        )
        return product.unflatten(1, self.b.shape), means.reshape(self.b.shape)

    def _value(self, scores: torch.Tensor) -> torch.Tensor:
        return self.loss.value(lambda rows: scores[rows])

    def _first_curvature(self) -> torch.Tensor:
        """Of the loss along its gradient: softmax has a Hessian of at most 1/2."""
        gradient, _ = self.gradient(self.scores)
        along = self.scores_of(gradient, torch.zeros_like(self.b))
        ratio = _dot(along, along) / (len(self.rows) * _dot(gradient, gradient)) / 2
        return torch.nan_to_num(ratio, nan=1.0).clamp(min=1e-3)

    def run(self, n_steps: int) -> None:
        """Take steps; ``W``, ``b`` and ``scores`` are where they end."""
        for _ in range(n_steps):
            gradient, intercept_gradient = self.gradient(self._U)
            value = self._value(self._U)
            self.curvature = self.curvature * 0.95
            while True:
                W, b = self._step(gradient, intercept_gradient)
                scores = self.scores_of(W, b)
                dW, db = W - self._V, b - self._c
                linear = _dot(gradient, dW) + _dot(intercept_gradient, db)
                bound = value + linear + self.curvature / 2 * (_dot(dW, dW) + _dot(db, db))
                above = self._value(scores) > bound + self._slack
                if not above.any():
                    break
                self.curvature = torch.where(above, self.curvature * 1.5, self.curvature)
            uphill = _dot(dW, W - self.W) + _dot(db, b - self.b) < 0
            following = (1 + (1 + 4 * self._momentum**2).sqrt()) / 2
            beta = torch.where(uphill, 0, (self._momentum - 1) / following).to(W)[:, None]
            self._momentum = torch.where(uphill, 1, following)
            self._V = torch.lerp(self.W, W, 1 + beta)
            self._c = torch.lerp(self.b, b, 1 + beta)
            self._U = torch.lerp(self.scores, scores, 1 + beta)
            self.W, self.b, self.scores = W, b, scores

    def _step(
        self, gradient: torch.Tensor, intercept_gradient: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A gradient step from the extrapolated point, soft thresholding, and scaling."""
        if self.tilt is not None and self.intercept_tilt is not None:
            gradient = gradient + self.tilt
            intercept_gradient = intercept_gradient + self.intercept_tilt
        curvature = self.curvature.to(gradient)[:, None]
        moved = self._V - gradient / curvature
        shrunk = moved.sign() * (moved.abs() - self.l1 / curvature).clamp(min=0)
        return shrunk / (1 + 2 * self.l2 / curvature), self._c - intercept_gradient / curvature


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Inner products per problem (all but the last but one dimension), in float64."""
    product = (a * b).sum(-1, dtype=torch.float64)
    return product.sum(0) if product.dim() == 2 else product
