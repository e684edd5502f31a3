"""What the model reads at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class ModelInput:
    """What the model reads at once, and which rows it fills.

    Attributes
    ----------
    ids : (n_subwords,) int array
        What the side of the model that is extracted reads.
    token_types : (n_subwords,) int array
        Segment ids; empty where there are none.
    rows : (n_rows,) int array
        Rows of the corpus.
    positions : (n_positions,) int array
        The subwords of these rows, one row after another.
    counts : (n_rows,) int array
        Number of subwords per row, at least 1.
    source : (n_source_subwords,) int array
        What the encoder reads when the decoder is extracted; empty otherwise.
    """

    ids: np.ndarray
    token_types: np.ndarray
    rows: np.ndarray
    positions: np.ndarray
    counts: np.ndarray
    source: np.ndarray

    __repr__ = short_repr

    def __len__(self) -> int:
        return max(len(self.ids), len(self.source))
