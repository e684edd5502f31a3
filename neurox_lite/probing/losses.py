"""What a probe is fitted to: losses of several problems side by side, and their duals.

Scores have the shape (n_problems, n_outputs, n), so that sums over the outputs go along the rows,
many at once; an output is a class, or the one value of a regression. They are gone through in
blocks of rows, without temporary arrays of their size. Means over rows are weighted and accumulated
in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch

from neurox_lite.showing import short_repr

BLOCK_ROWS = 16_384

LEAST_CURVATURE = 0.01
"""Of a class, relative to the largest of a class, that steps are made for."""

INTERCEPT_TOL = 1e-7
"""Largest gradient of an intercept, relative to the share of its class, that is let be."""

Scores = Callable[[slice], torch.Tensor]
"""Gives the scores of a block of rows."""


class Loss(Protocol):
    """The mean f of a convex loss of each row."""

    @property
    def shape(self) -> tuple[int, int]:
        """Problems, and outputs of each."""

    def first_intercept(self) -> torch.Tensor:
        """The best scores without any neuron, (n_problems, n_outputs) in float64."""

    def curvature_scale(self) -> torch.Tensor:
        """About the curvature of each output, (n_problems, n_outputs) in float64."""

    def value(self, scores: Scores) -> torch.Tensor:
        """f, shape (n_problems,)."""

    def residual(self, scores: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """The gradient of f by the scores of a block, times n, of their shape.

        With it, sums over the block: of the losses, and of their -f*(gradient),
        (2, n_problems) in float64.
        """

    def best_intercept(self, scores: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """What to add to the scores, the same for all rows, so that f is least."""

    def minus_conjugate(self, scores: Scores, share: torch.Tensor) -> torch.Tensor:
        """-f*(share * gradient) for a share from 0 to 1 of each problem, (n_problems,)."""

    def is_separated(self, scores: Scores) -> torch.Tensor:
        """Whether larger scores of the same direction would always be better, (n_problems,)."""

    def sample(self, positions: torch.Tensor) -> Loss:
        """The mean over some rows."""

    def take(self, problems: torch.Tensor) -> Loss:
        """Some of the problems."""


def _blocks(n: int) -> Iterator[slice]:
    for start in range(0, n, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, n))


def with_mean_one(weights: np.ndarray | None, like: torch.Tensor) -> torch.Tensor | None:
    """Weights of the rows, (n,) or (n, n_problems), as the losses take them."""
    if weights is None:
        return None
    return torch.from_numpy(weights / weights.mean(0)).to(like).view(len(weights), -1)


def _of_problems(weights: torch.Tensor | None, problems: torch.Tensor) -> torch.Tensor | None:
    return weights if weights is None or weights.shape[1] == 1 else weights[:, problems]


@dataclass(frozen=True)
class CrossEntropy:
    """Of the softmax of the scores, in nats.

    Attributes
    ----------
    y : (n, n_problems) int64 tensor
        Classes.
    n_classes : int
    weights : (n, n_problems) tensor, optional
        Of the rows, with mean 1; or (n, 1), the same in all problems.
    """

    y: torch.Tensor
    n_classes: int
    weights: torch.Tensor | None = None

    __repr__ = short_repr

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.shape[1], self.n_classes

    def first_intercept(self) -> torch.Tensor:
        return self.shares.log()

    def curvature_scale(self) -> torch.Tensor:
        """At W = 0: p (1 - p) of the shares p."""
        curvature = self.shares * (1 - self.shares)
        return curvature.maximum(LEAST_CURVATURE * curvature.amax(1, keepdim=True))

    @cached_property
    def shares(self) -> torch.Tensor:
        """Share of each class, (n_problems, n_classes) in float64."""
        if self.weights is None:
            counts = torch.stack([torch.bincount(y, minlength=self.n_classes) for y in self.y.T])
        else:
            weights = self.weights.double().expand(self.y.shape)
            pairs = zip(self.y.T, weights.T, strict=True)
            counts = torch.stack([torch.bincount(y, w, self.n_classes) for y, w in pairs])
        return counts.double() / counts.sum(1, keepdim=True)

    def _weigh(self, values: torch.Tensor, rows: slice) -> torch.Tensor:
        """Values (n_problems, n_rows) or (n_problems, n_classes, n_rows), times the weights."""
        if self.weights is None:
            return values
        weights = self.weights[rows].T
        return values * (weights if values.dim() == 2 else weights[:, None])

    def value(self, scores: Scores) -> torch.Tensor:
        total = torch.zeros(self.y.shape[1], dtype=torch.float64, device=self.y.device)
        for rows in _blocks(len(self.y)):
            total += self._of_block(torch.log_softmax(scores(rows), 1), rows)
        return total / len(self.y)

    def _of_block(self, log_P: torch.Tensor, rows: slice) -> torch.Tensor:
        """Sum over the rows of a block, (n_problems,)."""
        right = log_P.gather(1, self._right(rows))[:, 0]
        return -self._weigh(right, rows).sum(1, dtype=torch.float64)

    def _right(self, rows: slice) -> torch.Tensor:
        """The place of the right class, (n_problems, 1, n_rows)."""
        return self.y[rows].T[:, None]

    def residual(self, scores: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        right = self._right(rows)
        shifted = scores - scores.amax(1, keepdim=True)
        P = shifted.exp()
        total = P.sum(1, keepdim=True)
        P /= total
        log_total = total.log_()
        loss = (log_total - shifted.gather(1, right))[:, 0]
        entropy = log_total[:, 0] - shifted.mul_(P).sum(1)
        both = [self._weigh(each, rows).sum(1, dtype=torch.float64) for each in (loss, entropy)]
        P.scatter_add_(1, right, -torch.ones_like(log_total))
        return self._weigh(P, rows), torch.stack(both)

    def best_intercept(self, scores: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """By damped Newton steps; a short last one is taken without looking where it leads."""
        b, (value, gradient, hessian) = start, self._by_intercept(scores, start)
        length = torch.ones_like(value)
        rounding = torch.finfo(start.dtype).eps * (1 + value)
        for _ in range(50):
            # By shares: the bound of a certificate errs by the gradient times about their log.
            slope = float((gradient.abs() / self.shares).max())
            if slope < INTERCEPT_TOL or float(length.min()) < 1e-6:
                break
            step = torch.linalg.solve(hessian, gradient[..., None])[..., 0]
            proposed = (b - length[:, None] * step).to(b)
            if slope < 1e-3 and bool((length == 1).all()):
                return proposed
            terms = self._by_intercept(scores, proposed)
            better = terms[0] <= value + rounding  # NaN is no progress
            b = torch.where(better[:, None], proposed, b)
            value = torch.where(better, terms[0], value)
            gradient = torch.where(better[:, None], terms[1], gradient)
            hessian = torch.where(better[:, None, None], terms[2], hessian)
            length = torch.where(better, 1.0, length / 2)
        return b

    def _by_intercept(
        self, scores: torch.Tensor, b: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """f, its gradient and its Hessian by the intercept."""
        n, (n_problems, n_classes) = len(self.y), self.shape
        value = torch.zeros(n_problems, dtype=torch.float64, device=b.device)
        mean = value.new_zeros(n_problems, n_classes)
        products = value.new_zeros(n_problems, n_classes, n_classes)
        for rows in _blocks(n):
            log_P = torch.log_softmax(scores[..., rows] + b[..., None], 1)
            value += self._of_block(log_P, rows) / n
            P = log_P.exp_()
            weighted = self._weigh(P, rows)
            mean += weighted.sum(2, dtype=torch.float64) / n
            products += weighted @ P.mT / n
        # The loss is flat along equal shifts of all classes; 1/C fills that direction.
        hessian = torch.diag_embed(mean) - products + 1 / n_classes
        hessian.diagonal(dim1=1, dim2=2).add_(1e-7)
        return value, mean - self.shares, hessian

    def minus_conjugate(self, scores: Scores, share: torch.Tensor) -> torch.Tensor:
        """The entropy of q = y + share * (p - y)."""
        total = torch.zeros_like(share)
        for rows in _blocks(len(self.y)):
            q = torch.softmax(scores(rows), 1)
            q *= share.to(q)[:, None, None]
            rest = (1 - share.to(q))[:, None, None]
            q.scatter_add_(1, self._right(rows), rest.expand(-1, -1, q.shape[2]))
            entropy = torch.special.entr(q).sum(1)
            total += self._weigh(entropy, rows).sum(1, dtype=torch.float64)
        return total / len(self.y)

    def is_separated(self, scores: Scores) -> torch.Tensor:
        """Whether every row has the highest score for its class."""
        wrong = torch.zeros_like(self.y[0])
        for rows in _blocks(len(self.y)):
            wrong += (scores(rows).argmax(1) != self.y[rows].T).sum(1)
        return wrong == 0

    def sample(self, positions: torch.Tensor) -> CrossEntropy:
        weights = None if self.weights is None else self.weights[positions]
        return CrossEntropy(self.y[positions], self.n_classes, weights)

    def take(self, problems: torch.Tensor) -> CrossEntropy:
        return CrossEntropy(
            self.y[:, problems], self.n_classes, _of_problems(self.weights, problems)
        )


@dataclass(frozen=True)
class SquaredError:
    """Half the squared difference between score and target.

    Attributes
    ----------
    y : (n, n_problems) tensor
        Targets.
    weights : (n, n_problems) tensor, optional
        Of the rows, with mean 1; or (n, 1), the same in all problems.
    """

    y: torch.Tensor
    weights: torch.Tensor | None = None

    __repr__ = short_repr

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.shape[1], 1

    def first_intercept(self) -> torch.Tensor:
        return self._mean(lambda rows: self.y[rows].T)[:, None]

    def curvature_scale(self) -> torch.Tensor:
        return torch.ones_like(self.y[:1].T, dtype=torch.float64)

    def _mean(self, values: Scores) -> torch.Tensor:
        total = torch.zeros(self.y.shape[1], dtype=torch.float64, device=self.y.device)
        for rows in _blocks(len(self.y)):
            block = values(rows)
            block = block if self.weights is None else block * self.weights[rows].T
            total += block.sum(1, dtype=torch.float64)
        return total / len(self.y)

    def value(self, scores: Scores) -> torch.Tensor:
        return self._mean(lambda rows: (scores(rows)[:, 0] - self.y[rows].T).square() / 2)

    def residual(self, scores: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.y[rows].T
        error = scores[:, 0] - y
        weighted = error if self.weights is None else error * self.weights[rows].T
        value = (weighted * error).sum(1, dtype=torch.float64) / 2
        conjugate = -value - (weighted * y).sum(1, dtype=torch.float64)
        return weighted[:, None], torch.stack([value, conjugate])

    def best_intercept(self, scores: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        return self._mean(lambda rows: self.y[rows].T - scores[:, 0, rows])[:, None].to(start)

    def minus_conjugate(self, scores: Scores, share: torch.Tensor) -> torch.Tensor:
        def values(rows: slice) -> torch.Tensor:
            y = self.y[rows].T
            theta = (scores(rows)[:, 0] - y) * share.to(y)[:, None]
            return -theta.square() / 2 - theta * y

        return self._mean(values)

    def is_separated(self, scores: Scores) -> torch.Tensor:
        """Never."""
        return torch.zeros_like(self.y[0], dtype=torch.bool)

    def sample(self, positions: torch.Tensor) -> SquaredError:
        weights = None if self.weights is None else self.weights[positions]
        return SquaredError(self.y[positions], weights)

    def take(self, problems: torch.Tensor) -> SquaredError:
        return SquaredError(self.y[:, problems], _of_problems(self.weights, problems))
