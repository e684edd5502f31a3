"""Gaussians of the classes over the neurons selected so far, and what each candidate would add."""

from __future__ import annotations

import numpy as np
import torch

from neurox_lite.activations.access import as_tensor, small_blocks
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.moments import ClassMoments

SMALLEST_VARIANCE = 1e-3
"""Prior variance of a neuron in a class in which it hardly varies; over all words it is 1."""

FARTHEST = 1e4
"""In standard deviations."""

BLOCK_NUMBERS = 1 << 20
"""Logits computed at a time: as many as a cache holds."""


def log_prior(moments: ClassMoments) -> np.ndarray:
    """Log of the share of each class in training, (n_classes,)."""
    return np.log(moments.counts / moments.counts.sum())


class GaussianSelection:
    """Class-conditional Gaussians of the neurons selected so far, and of one candidate each.

    With unscaled covariances ``M_z = diag(cov_z) + n_z cov_z`` and their Cholesky factors, kept for
    the selected neurons only: ``left`` (n_classes, n_dev, n_columns) is what the selected neurons
    leave of each dev activation's distance from the class mean, ``variance`` (n_classes, n_columns)
    what they leave of the diagonal of ``M_z``.
    """

    def __init__(
        self, data: LabelledActivations, moments: ClassMoments, dev: np.ndarray, dev_ids: np.ndarray
    ):
        self.data, self.counts = data, torch.from_numpy(moments.counts).double()
        # As precise as the activations; class means are relative to what that makes of the mean.
        is_double = any("float64" in str(part.dtype) for part in (data.X, dev))
        overall = moments.overall
        mean = torch.from_numpy(overall.mean)
        self.mean = mean if is_double else mean.float()
        scale = torch.from_numpy(np.where(overall.is_constant, 1, overall.std))
        self.scale = scale.to(self.mean)
        self.class_means = (torch.from_numpy(moments.means) - self.mean.double()) / scale
        self.dev_ids = torch.from_numpy(dev_ids)
        # So far from the training data that squares overflow is as good as at this distance.
        standardised = self._standardised(as_tensor(dev)).clamp_(-FARTHEST, FARTHEST)
        self.left = standardised - self.class_means[:, None].float()
        scatter = self._scatter_diagonal()
        floor = SMALLEST_VARIANCE * torch.ones_like(scatter)
        self.prior = torch.maximum(scatter / self.counts[:, None], floor)
        self.variance = self.prior + scatter
        self.factors = torch.empty((len(self.counts), 0, scatter.shape[1]), dtype=torch.float64)
        self.roots = torch.empty((len(self.counts), 0), dtype=torch.float64)
        self.squares = torch.zeros((len(self.counts), len(dev_ids)), dtype=torch.float64)
        self.log_determinant = torch.zeros(len(self.counts), dtype=torch.float64)
        self.log_prior = torch.from_numpy(log_prior(moments))

    def _standardised(self, raw: torch.Tensor) -> torch.Tensor:
        return ((raw.to(self.mean) - self.mean) / self.scale).float()

    def _scatter_diagonal(self) -> torch.Tensor:
        """Sums of squared distances from the class mean, (n_classes, n_columns)."""
        return (self._sums(None) - self.counts[:, None] * self.class_means**2).clamp(min=0)

    def _sums(self, column: int | None) -> torch.Tensor:
        """Sums over the training words of each class of x_j^2, or of x_j x_column; standardised."""
        total = torch.zeros_like(self.class_means)
        for start, raw in small_blocks(self.data.X):
            block = self._standardised(raw.cpu())
            members = self.data.one_hot(start, start + len(block), block)
            if column is None:
                total += members @ block.square_()
            else:
                total += (members * block[:, column]) @ block
        return total

    def log_likelihoods(self) -> np.ndarray:
        """Mean log-probability of the dev classes with each candidate added; (n_columns,)."""
        n_selected = self.factors.shape[1]
        size = self.counts + 2 * (n_selected + 1) + 4
        # Logits: rest - half * left^2, both without what all classes share.
        rest = (
            self.log_prior[:, None]
            - 0.5 * (self.log_determinant[:, None] + torch.log(self.variance))
            + 0.5 * (n_selected + 1) * torch.log(size)[:, None]
        )
        half = (0.5 * size[:, None] / self.variance).float()
        selected = 0.5 * size[:, None] * self.squares
        n_dev, n_columns = self.left.shape[1:]
        total = torch.zeros(n_columns, dtype=torch.float64)
        step = max(1, BLOCK_NUMBERS // (len(self.counts) * n_columns))
        for start in range(0, n_dev, step):
            rows = slice(start, min(start + step, n_dev))
            # The same for all candidates is subtracted first, in float64: it may be large.
            offset = selected[:, rows] - selected[:, rows].min(0).values
            logits = self.left[:, rows].square().mul_(-half[:, None])
            logits += (rest[:, None] - offset[:, :, None]).float()
            of_class = logits[self.dev_ids[rows], torch.arange(rows.stop - start)]
            total += (of_class - logits.logsumexp(0)).sum(0, dtype=torch.float64)
        return (total / n_dev).numpy()

    def add(self, column: int) -> None:
        """Select a neuron: one more column of the Cholesky factors, and what it leaves."""
        scatter = self._sums(column) - (
            self.counts[:, None] * self.class_means * self.class_means[:, column, None]
        )
        scatter[:, column] += self.prior[:, column]
        explained = torch.einsum("zk,zkj->zj", self.factors[:, :, column], self.factors)
        root = self.variance[:, column].sqrt()
        factor = (scatter - explained) / root[:, None]
        whitened = self.left[:, :, column].double() / root[:, None]
        self.squares += whitened**2
        self.log_determinant += 2 * torch.log(root)
        self.roots = torch.cat((self.roots, root[:, None]), dim=1)
        for left, factor_z, whitened_z in zip(
            self.left, factor.float(), whitened.float(), strict=True
        ):
            left.addr_(whitened_z, factor_z, alpha=-1)
        self.factors = torch.cat((self.factors, factor[:, None]), dim=1)
        self.variance = (self.variance - factor**2).clamp(min=0.5 * self.prior)

    def of_other_words(
        self, activations: np.ndarray, ids: np.ndarray, selected: list[int]
    ) -> np.ndarray:
        """Mean log-probability of the classes of other words after each selected neuron.

        Of their activations (n, n_selected), by the factors that there are; (n_selected,).
        """
        if not selected:  # all neurons are constant
            return np.zeros(0)
        values = as_tensor(activations).to(self.mean) - self.mean[selected]
        values = (values / self.scale[selected]).float().clamp_(-FARTHEST, FARTHEST).double()
        left = values - self.class_means[:, None, selected]
        # On the diagonal the roots: of a neuron that hardly varies in a class, its prior's.
        lower = self.factors[:, :, selected].mT.tril(-1) + torch.diag_embed(self.roots)
        whitened = torch.linalg.solve_triangular(lower, left.mT, upper=False)
        squares = whitened.square().cumsum(1)
        log_determinants = 2 * self.roots.log().cumsum(1)
        found = []
        for step in range(len(selected)):
            k = step + 1
            size = self.counts + 2 * k + 4
            logits = (self.log_prior - 0.5 * log_determinants[:, step] + 0.5 * k * torch.log(size))[
                :, None
            ] - 0.5 * size[:, None] * squares[:, step]
            log_p = logits.log_softmax(0)[torch.from_numpy(ids), torch.arange(len(ids))]
            found.append(float(log_p.mean()))
        return np.array(found)
