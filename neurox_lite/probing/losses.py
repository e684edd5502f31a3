"""What a probe is fitted to: losses of several problems side by side, and their duals.

Scores have the shape (n, n_problems, n_outputs); an output is a class, or the one value of a
regression. Means over rows are weighted and accumulated in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch


class Loss(Protocol):
    """A convex loss f of scores z, the mean of one per row."""

    @property
    def shape(self) -> tuple[int, int]:
        """Problems, and outputs of each."""

    def first_intercept(self) -> torch.Tensor:
        """The best scores without any neuron, (n_problems, n_outputs) in float64."""

    def value(self, scores: torch.Tensor) -> torch.Tensor:
        """f, shape (n_problems,)."""

    def residual(self, scores: torch.Tensor) -> torch.Tensor:
        """The gradient of f by the scores, times n; of their shape."""

    def best_intercept(self, scores: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """What to add to the scores, the same for all rows, so that f is least."""

    def minus_conjugate(self, scores: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """-f*(share * gradient) for a share from 0 to 1 of each problem, (n_problems,)."""

    def sample(self, positions: torch.Tensor) -> Loss:
        """The mean over some rows."""


def _mean(values: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Mean over rows of (n, n_problems) values, whose weights have the mean 1."""
    if weights is not None:
        values = values * weights[:, None]
    return values.mean(0, dtype=torch.float64)


@dataclass(frozen=True)
class CrossEntropy:
    """Of the softmax of the scores, in nats.

    Attributes
    ----------
    y : (n, n_problems) int64 tensor
        Classes.
    n_classes : int
    weights : (n,) tensor, optional
        Of the rows, with mean 1.
    """

    y: torch.Tensor
    n_classes: int
    weights: torch.Tensor | None = None

    @classmethod
    def weighted(
        cls, y: torch.Tensor, n_classes: int, weights: np.ndarray | None, like: torch.Tensor
    ) -> CrossEntropy:
        """With the weights of the rows scaled to mean 1, as a tensor like another."""
        if weights is None:
            return cls(y, n_classes)
        return cls(y, n_classes, torch.from_numpy(weights / weights.mean()).to(like))

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.shape[1], self.n_classes

    def shares(self) -> torch.Tensor:
        """Share of each class, (n_problems, n_classes) in float64."""
        weights = torch.ones_like(self.y[:, 0]) if self.weights is None else self.weights
        counts = [torch.bincount(y, weights.double(), self.n_classes) for y in self.y.T]
        return torch.stack(counts) / weights.double().sum()

    def first_intercept(self) -> torch.Tensor:
        return self.shares().log()

    def value(self, scores: torch.Tensor) -> torch.Tensor:
        right = scores.gather(2, self.y[:, :, None])[..., 0]
        return _mean(torch.logsumexp(scores, 2) - right, self.weights)

    def residual(self, scores: torch.Tensor) -> torch.Tensor:
        residual = torch.softmax(scores, 2)
        residual.scatter_add_(2, self.y[:, :, None], -torch.ones_like(residual[:, :, :1]))
        return residual if self.weights is None else residual.mul_(self.weights[:, None, None])

    def best_intercept(self, scores: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """By damped Newton steps."""
        b, current = start, self.value(scores + start)
        weights = 1 if self.weights is None else self.weights[:, None, None]
        shares = self.shares()
        for _ in range(50):
            P = torch.softmax(scores + b, 2)
            mean = (P * weights).mean(0, dtype=torch.float64)
            gradient = mean - shares
            if float(gradient.abs().max()) < INTERCEPT_TOL / 10:
                break
            products = torch.einsum("nkc,nkd->kcd", P * weights, P).double() / len(P)
            # The loss is flat along equal shifts of all classes; 1/C fills that direction.
            hessian = torch.diag_embed(mean) - products + 1 / self.n_classes
            hessian.diagonal(dim1=1, dim2=2).add_(1e-7)
            step = torch.linalg.solve(hessian, gradient[..., None])[..., 0].to(b)
            length = torch.ones_like(b[:, :1])
            for _ in range(20):
                value = self.value(scores + (b - length * step))
                worse = ~(value <= current + 1e-12)  # NaN is no progress
                if not worse.any():
                    break
                length = torch.where(worse[:, None], length / 2, length)
            else:
                break
            b, current = b - length * step, value
        return b

    def minus_conjugate(self, scores: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """The entropy of q = y + share * (p - y)."""
        q = torch.softmax(scores, 2) * share.to(scores)[:, None]
        rest = (1 - share.to(scores)).expand(self.y.shape)
        q.scatter_add_(2, self.y[:, :, None], rest[:, :, None])
        return _mean(torch.special.entr(q).sum(2), self.weights)

    def sample(self, positions: torch.Tensor) -> CrossEntropy:
        weights = None if self.weights is None else self.weights[positions]
        return CrossEntropy(self.y[positions], self.n_classes, weights)


INTERCEPT_TOL = 1e-5
"""Largest intercept gradient with which a dual point counts as feasible; rounding leaves 1e-7."""


@dataclass(frozen=True)
class SquaredError:
    """Half the squared difference between score and target.

    Attributes
    ----------
    y : (n, n_problems) tensor
        Targets.
    weights : (n,) tensor, optional
        Of the rows, with mean 1.
    """

    y: torch.Tensor
    weights: torch.Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.shape[1], 1

    def first_intercept(self) -> torch.Tensor:
        return _mean(self.y, self.weights)[:, None]

    def value(self, scores: torch.Tensor) -> torch.Tensor:
        return _mean((scores[:, :, 0] - self.y).square() / 2, self.weights)

    def residual(self, scores: torch.Tensor) -> torch.Tensor:
        residual = scores - self.y[:, :, None]
        return residual if self.weights is None else residual * self.weights[:, None, None]

    def best_intercept(self, scores: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        return _mean(self.y - scores[:, :, 0], self.weights)[:, None].to(start)

    def minus_conjugate(self, scores: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        theta = (scores[:, :, 0] - self.y) * share.to(scores)
        return _mean(-theta.square() / 2 - theta * self.y, self.weights)

    def sample(self, positions: torch.Tensor) -> SquaredError:
        weights = None if self.weights is None else self.weights[positions]
        return SquaredError(self.y[positions], weights)
