"""Blocks of activations are the same however they are read."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from neurox_lite.activations.access import read_ahead, require_finite, tensor_blocks
from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.extraction import job
from neurox_lite.extraction.extract import extract
from neurox_lite.neurons import NeuronSpace


def test_reading_ahead_gives_all_in_order_and_passes_errors_on():
    assert list(read_ahead(iter(range(100)))) == list(range(100))
    assert list(read_ahead(iter(()))) == []

    def failing():
        yield 1
        raise InputError("shard is gone")

    read = read_ahead(failing())
    assert next(read) == 1
    with pytest.raises(InputError, match="shard is gone"):
        next(read)


def test_reading_ahead_may_be_given_up():
    made = []
    for item in read_ahead(made.append(i) or i for i in range(100)):
        if item == 3:
            break
    assert made[:4] == [0, 1, 2, 3]
    assert len(made) <= 6


def test_several_threads_read_a_store_of_many_shards(tmp_path, monkeypatch):
    """More shards than are open at once: no thread may close what another reads."""
    monkeypatch.setattr(job, "SHARD_BYTES", 1)
    monkeypatch.setattr(job, "MIN_SHARD_WORDS", 20)
    corpus = TaggedCorpus([["the", "dog", "barks"]] * 200)
    extract(str(embedded_path("models/lstm-0")), corpus, tmp_path / "s").close()
    with ActivationStore(tmp_path / "s") as store:
        assert len(store.metadata["checksums"]) > 8
        expected = store.matrix()[:]

        def read(layer):
            blocks = [block.numpy().copy() for _, block in tensor_blocks(store.layer(layer), 16)]
            return np.concatenate(blocks)

        with ThreadPoolExecutor(4) as pool:
            for layer, found in zip([0, 1, 2] * 8, pool.map(read, [0, 1, 2] * 8), strict=True):
                np.testing.assert_array_equal(found, expected[:, store.space.columns(layer)])


def test_bad_activations_are_named_by_the_callers_space():
    X = np.zeros((5000, 6), dtype="f4")
    X[4321, 4] = np.nan
    with pytest.raises(InputError, match="neuron 7:1 in row 4321 is NaN"):
        require_finite(X, NeuronSpace("m", "mlp", (2, 7), (3, 3)))
