"""Rows are taken from what holds them, and stay what they are."""

import numpy as np
import pytest
import torch

from neurox_lite.activations.arrays import take_rows
from neurox_lite.activations.store import ActivationMatrix, ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus

VALUES = np.arange(21, dtype=np.float32).reshape(7, 3)
METADATA = {"model": "tiny", "revision": "", "site": "hidden_states"}


@pytest.fixture
def matrix(tmp_path):
    """Rows 1, 2, 4 and 6 of a store of seven."""
    corpus = TaggedCorpus([["word"] * 7], {})
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=METADATA) as writer:
        writer.append({0: VALUES[:, :2], 1: VALUES[:, 2:]})
        writer.finish({})
    with ActivationStore(tmp_path / "s.h5") as store:
        yield store.matrix(rows=np.array([1, 2, 4, 6]))


@pytest.mark.parametrize("positions", [[], [2], [0, 3], [0, 1, 2, 3]])
def test_rows_are_those_asked_for(matrix, positions):
    positions = np.array(positions, dtype=np.int64)
    expected = VALUES[[1, 2, 4, 6]][positions]
    array = VALUES[[1, 2, 4, 6]]
    np.testing.assert_array_equal(take_rows(array, positions), expected)
    tensor = take_rows(torch.from_numpy(array).half(), positions)
    assert tensor.dtype == torch.float16
    np.testing.assert_array_equal(tensor.numpy(), expected)
    stored = take_rows(matrix, positions)
    assert isinstance(stored, ActivationMatrix)
    assert stored.space == matrix.space
    np.testing.assert_array_equal(stored[:], expected)


def test_all_rows_are_not_copied():
    assert take_rows(VALUES, np.arange(7)) is VALUES
