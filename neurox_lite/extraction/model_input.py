"""What the model reads at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurox_lite.extraction.alignment import AlignedSentence
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


def input_fields(
    piece: AlignedSentence,
    first_row: int,
    n_before: int,
    n_after: int,
    number: int,
    n_pieces: int,
    source_ids: tuple[int, ...],
) -> dict[str, Sequence[int]]:
    """The fields of the input that is one piece of a sentence.

    Parameters
    ----------
    piece : AlignedSentence
    first_row : int
        Of the sentence.
    n_before, n_after : int
        Special tokens around it that have rows, which are taken from the outermost pieces.
    number, n_pieces : int
        Which piece it is, from 0, and of how many.
    source_ids : tuple of int
        What the encoder reads when the decoder is extracted.
    """
    units = [(n_before + i, word) for i, word in enumerate(piece.subwords) if word]
    length = len(piece.input_ids)
    if number == 0:
        units = [(i, (i,)) for i in range(n_before)] + units
    if number == n_pieces - 1:
        row = n_before + len(piece.subwords)
        units += [(row + i, (length - n_after + i,)) for i in range(n_after)]
    return {
        "ids": piece.input_ids,
        "token_types": piece.token_types,
        "rows": [first_row + row for row, _ in units],
        "positions": [position for _, positions in units for position in positions],
        "counts": [len(positions) for _, positions in units],
        "source": source_ids,
    }
