"""An effect that is the sum of what neurons add, so that every set of them can be tried."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.objective import Objective


class AdditiveEffect:
    """Each open gate adds its gain to an example, whatever the replacement.

    ``intact`` is (n_examples,), ``gains`` (n_examples, n_neurons), ``templates`` (n_examples,).
    """

    objective = Objective.FLIP
    rows_at_once = 1000

    def __init__(self, intact: np.ndarray, gains: np.ndarray, templates: np.ndarray | None = None):
        self.intact, self.gains = torch.from_numpy(intact), torch.from_numpy(gains)
        n, n_neurons = gains.shape
        self.space = NeuronSpace.of_array(n_neurons)
        self.start, self.std = torch.zeros(n_neurons), torch.ones(n_neurons)
        self.low, self.high, self.reach = -self.std, self.std, self.std
        self.groups = np.arange(n)
        self.templates = np.full(n, "") if templates is None else templates
        self.n_runs = 0

    def __len__(self) -> int:
        return len(self.intact)

    def __call__(
        self, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        self.n_runs += len(rows)
        added = (gates * self.gains[rows]).sum(1)
        return (self.intact[rows] + added + 0 * values.sum(-1)).float()

    def fewest(self, rows: torch.Tensor, least: float, *, share: bool = False) -> int | None:
        """The size of the smallest set with that mean effect or share above 0: all are tried."""
        intact, gains = self.intact[rows].numpy(), self.gains[rows].numpy()
        for size in range(gains.shape[1] + 1):
            for columns in combinations(range(gains.shape[1]), size):
                effects = intact + gains[:, list(columns)].sum(1)
                if (effects > 0).mean() >= least if share else effects.mean() >= least:
                    return size
        return None
