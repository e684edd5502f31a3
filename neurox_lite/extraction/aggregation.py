"""From subword vectors to one vector per word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from neurox_lite.extraction.model_input import ModelInput

AGGREGATIONS = ("last", "first", "average")


class WordPositions:
    """Where the subwords of each row of a batch are, on the device where the states will be."""

    def __init__(self, inputs: Sequence[ModelInput], device: torch.device):
        counts = np.concatenate([item.counts for item in inputs])
        subwords = np.concatenate([item.positions for item in inputs])
        n_subwords = [len(item.positions) for item in inputs]
        sentences = np.repeat(np.arange(len(inputs)), n_subwords)
        ends = np.cumsum(counts)

        def to_device(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(array).to(device)

        self._sentences, self._subwords = to_device(sentences), to_device(subwords)
        self._counts = to_device(counts)
        self._row = to_device(np.repeat(np.arange(len(counts)), counts))
        self._pick = {"first": to_device(ends - counts), "last": to_device(ends - 1)}

    def aggregate(self, states: torch.Tensor, aggregation: str) -> torch.Tensor:
        """One vector per row: of its first or last subword, or their mean in float32.

        Parameters
        ----------
        states : (n_sentences, n_subwords, width) tensor
        aggregation : {"last", "first", "average"}

        Returns
        -------
        (n_rows, width) tensor
        """
        subwords = self._sentences * states.shape[1] + self._subwords
        if aggregation in self._pick:
            subwords = subwords[self._pick[aggregation]]
        vectors = states.flatten(0, 1).index_select(0, subwords)
        if aggregation in self._pick:
            return vectors
        vectors = vectors.float()
        total = torch.zeros(len(self._counts), states.shape[-1], device=states.device)
        return total.index_add_(0, self._row, vectors) / self._counts[:, None]
