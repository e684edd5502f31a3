"""What a solver minimises: rows, a loss and penalties."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from neurox_lite.probing.losses import Loss, Scores
from neurox_lite.probing.rounded import RoundedMatrix, is_faster
from neurox_lite.probing.standardized import StandardizedMatrix
from neurox_lite.showing import short_repr


class Slopes(NamedTuple):
    """The gradient of a loss f, and what is known with it.

    Attributes
    ----------
    by_weights : (n_neurons, n_problems, n_outputs) tensor
    by_intercepts : (n_problems, n_outputs) tensor
    value, minus_conjugate : (n_problems,) float64 tensors
        f, and -f* at its gradient.
    """

    by_weights: torch.Tensor
    by_intercepts: torch.Tensor
    value: torch.Tensor
    minus_conjugate: torch.Tensor


@dataclass(frozen=True)
class Problem:
    """What is to be minimised; several penalties and several losses share the activations.

    Attributes
    ----------
    X : StandardizedMatrix or RoundedMatrix
    loss : Loss
    l1, l2 : (n_problems,) float64 tensors
    factors : (n_neurons, n_problems) tensor, optional
        What every problem multiplies its neurons with; 0 leaves a neuron out.
    """

    X: StandardizedMatrix | RoundedMatrix
    loss: Loss
    l1: torch.Tensor
    l2: torch.Tensor
    factors: torch.Tensor | None = None

    __repr__ = short_repr

    def sample(self, positions: np.ndarray) -> Problem:
        """The same problems of some rows, in memory: rounded, where products then take less time.

        Those of a store are rounded as they are read, and never all held as they are.
        """
        loss = self.loss.sample(torch.from_numpy(positions).to(self.l1.device))
        problem = replace(self, X=self.X.sample(positions), loss=loss).rounded()
        return replace(problem, X=problem.X.held())

    def rounded(self) -> Problem:
        """The same problems on rows in bfloat16, where their products take less time."""
        if isinstance(self.X, RoundedMatrix) or not is_faster(self.X):
            return self
        rounded = RoundedMatrix.of(self.X)
        if not rounded.agrees_with(self.X):
            return self
        return replace(self, X=rounded)

    def of_neurons(self, neurons: torch.Tensor) -> Problem:
        """The same problems of some neurons, whose activations are copied."""
        factors = None if self.factors is None else self.factors[neurons]
        return replace(self, X=self.X.of_neurons(neurons), factors=factors)

    def take(self, problems: torch.Tensor) -> Problem:
        """Some of the problems."""
        loss = self.loss.take(problems)
        factors = None if self.factors is None else self.factors[:, problems]
        return Problem(self.X, loss, self.l1[problems], self.l2[problems], factors)

    def penalty(self, W: torch.Tensor) -> torch.Tensor:
        """Shape (n_problems,), float64."""
        absolute = W.abs().sum((0, 2), dtype=torch.float64)
        return self.l1 * absolute + self.l2 * W.square().sum((0, 2), dtype=torch.float64)

    def scores(self, W: torch.Tensor) -> torch.Tensor:
        """X W, shape (n_problems, n_outputs, n)."""
        return self.X.times(W if self.factors is None else W * self.factors[..., None])

    def slopes(self, scores: Scores) -> Slopes:
        """Of f where the scores are these: one pass over the rows, one softmax."""
        sums = self.l1.new_zeros(2, len(self.l1))

        def residual(rows: slice) -> torch.Tensor:
            of_block, added = self.loss.residual(scores(rows), rows)
            sums.add_(added)
            return of_block

        by_weights, by_intercepts = self.X.transposed_times(residual, self.loss.shape)
        if self.factors is not None:
            by_weights *= self.factors[..., None]
        value, minus_conjugate = sums / len(self.X)
        return Slopes(by_weights, by_intercepts, value, minus_conjugate)
