"""Batches that run at the same time, on cores and copies of the model of their own."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.extraction import shards as shards_module
from neurox_lite.extraction.extract import extract
from neurox_lite.extraction.parallel import MAX_AT_ONCE, mapping, n_at_once, replicas
from neurox_lite.models.loading import load_model

CORPUS = TaggedCorpus([["the", "old", "cat", "sees", "dogs"][: 1 + i % 5] for i in range(60)])


@pytest.fixture
def threads():
    """Sets the number of threads for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def loaded(make_model):
    return load_model(make_model("bert"), device="cpu")


def test_copies_share_weights_and_nothing_else(loaded, threads):
    threads(3)
    first, *others = replicas(loaded)
    assert first is loaded
    assert len(others) == 2
    for other in others:
        own = dict(loaded.model.named_parameters())
        assert all(p is own[name] for name, p in other.model.named_parameters())
        assert not set(loaded.model.modules()) & set(other.model.modules())


def test_no_more_batches_than_cores_or_than_python_can_serve(threads):
    threads(3)
    assert n_at_once(torch.device("cpu")) == 3
    assert n_at_once(torch.device("cuda")) == 1
    threads(100)
    assert n_at_once(torch.device("cpu")) == MAX_AT_ONCE


def test_the_cores_are_shared_out_and_given_back(threads):
    threads(6)
    with mapping(3) as map_calls:
        assert set(map_calls(lambda _: torch.get_num_threads(), range(20))) == {2}
    assert torch.get_num_threads() == 6


def test_calls_overlap(threads):
    """Two calls wait for each other, which only two at once can."""
    threads(2)
    both = threading.Barrier(2, timeout=20)
    with mapping(2) as map_calls:
        assert sorted(map_calls(lambda _: both.wait(), range(2))) == [0, 1]


@pytest.mark.parametrize("n_threads", [2, 4])
def test_activations_do_not_depend_on_the_number_of_cores(loaded, tmp_path, threads, n_threads):
    def activations(name):
        store = extract(loaded, CORPUS, tmp_path / name, batch_tokens=20)
        return store.matrix()[:]

    threads(1)
    alone = activations("alone.h5")
    threads(n_threads)
    np.testing.assert_array_equal(activations("shared.h5"), alone)


def test_a_model_that_cannot_be_copied_runs_alone(loaded, tmp_path, threads):
    threads(2)
    whole = extract(loaded, CORPUS, tmp_path / "whole.h5").matrix()[:]
    loaded.model.lock = threading.Lock()
    assert replicas(loaded) == [loaded]
    np.testing.assert_array_equal(extract(loaded, CORPUS, tmp_path / "s.h5").matrix()[:], whole)


def test_a_sentence_that_fits_only_alone_gets_all_the_memory(
    loaded, tmp_path, threads, monkeypatch
):
    """Memory holds one long sentence at a time: of the first two, at once, one does not fit."""
    threads(2)
    corpus = TaggedCorpus([["cat"] * 10] * 6)
    whole = extract(loaded, corpus, tmp_path / "whole.h5").matrix()[:]
    run_batch = shards_module.run_batch
    both = threading.Barrier(2, timeout=20)
    running = []
    most = []

    def limited(*arguments):
        running.append(1)
        most.append(len(running))
        try:
            if len(most) <= 2 and both.wait() == 0:
                raise MemoryError
            run_batch(*arguments)
        finally:
            running.pop()

    monkeypatch.setattr(shards_module, "run_batch", limited)
    store = extract(loaded, corpus, tmp_path / "s.h5", batch_tokens=12)
    np.testing.assert_array_equal(store.matrix()[:], whole)
    assert max(most[:2]) == 2
    assert len(most) == 7
    assert max(most[3:]) == 1


def test_an_error_in_one_batch_ends_the_run(loaded, tmp_path, threads, monkeypatch):
    threads(2)
    n_calls = []

    def broken(*_):
        n_calls.append(1)
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(shards_module, "run_batch", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        extract(loaded, CORPUS, tmp_path / "s.h5", batch_tokens=7)
    assert len(n_calls) < 30
    assert torch.get_num_threads() == 2
