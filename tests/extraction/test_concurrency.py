"""Batches that run at the same time, on cores and copies of the model of their own."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction import shards as shards_module
from neurox_lite.extraction.concurrency import n_at_once, replicas
from neurox_lite.extraction.extract import extract
from neurox_lite.extraction.forward import run_batch
from neurox_lite.extraction.job import ExtractionJob
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.extraction.shards import Extractor
from neurox_lite.models.loading import load_model
from neurox_lite.threads import thread_map

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
    loaded.model.register_buffer("state", torch.zeros(1))
    first, *others = replicas(loaded)
    assert first is loaded
    assert len(others) == 2
    for other in others:
        own = dict(loaded.model.named_parameters())
        assert all(p is own[name] for name, p in other.model.named_parameters())
        assert not set(loaded.model.modules()) & set(other.model.modules())
        assert not set(map(id, loaded.model.buffers())) & set(map(id, other.model.buffers()))


@pytest.mark.parametrize(
    ("n_threads", "expected"), [(1, 1), (3, 3), (16, 16), (24, 12), (31, 15), (100, 14)]
)
def test_the_number_of_batches_leaves_few_cores_idle(loaded, threads, n_threads, expected):
    threads(n_threads)
    assert n_at_once(loaded) == expected


def test_models_that_someone_changed_run_alone(loaded, threads):
    """A copy of a hook or of a module's method may go on to the original."""
    threads(2)
    layer = loaded.model.encoder.layer[0]
    handle = layer.register_forward_hook(lambda *_: None)
    assert n_at_once(loaded) == 1
    handle.remove()
    loaded.model(torch.zeros(1, 2, dtype=torch.long), output_hidden_states=True)
    assert n_at_once(loaded) == 2  # transformers' own hooks
    with torch.autocast("cpu", torch.bfloat16):
        assert n_at_once(loaded) == 1  # a setting of this thread
    layer.forward = lambda *args, run=layer.forward, **kwargs: run(*args, **kwargs)
    assert n_at_once(loaded) == 1


def test_the_cores_are_shared_out_and_given_back(threads):
    def seen_by_a_new_thread():
        seen = []
        thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        return seen

    threads(6)
    with thread_map(3) as map_calls:
        assert set(map_calls(lambda _: torch.get_num_threads(), range(20))) == {2}
    assert torch.get_num_threads() == 6
    assert seen_by_a_new_thread() == [6]


def test_an_interrupt_does_not_wait_for_what_is_queued():
    ran = []

    def items():
        yield from range(99)
        raise KeyboardInterrupt

    def call(item):
        ran.append(item)
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt), thread_map(2) as map_calls:
        map_calls(call, items())
    assert len(ran) < 20


def test_calls_overlap(threads):
    """Two calls wait for each other, which only two at once can."""
    threads(2)
    both = threading.Barrier(2, timeout=20)
    with thread_map(2) as map_calls:
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


@pytest.mark.parametrize("error", [TypeError, ValueError, AttributeError])
def test_a_model_that_cannot_be_copied_runs_alone(loaded, tmp_path, threads, error):
    class Stubborn:
        def __deepcopy__(self, memo):
            raise error("no")

    threads(2)
    whole = extract(loaded, CORPUS, tmp_path / "whole.h5").matrix()[:]
    loaded.model.extra = Stubborn()
    assert replicas(loaded) == [loaded]
    np.testing.assert_allclose(
        extract(loaded, CORPUS, tmp_path / "s.h5").matrix()[:], whole, atol=1e-5
    )


def test_memory_that_holds_one_batch_only(loaded, tmp_path, threads, monkeypatch):
    """Of the first two batches, at the same time, one does not fit; alone they all do."""
    threads(2)
    corpus = TaggedCorpus([["cat"] * 10] * 6)
    whole = extract(loaded, corpus, tmp_path / "whole.h5").matrix()[:]
    run_batch, take_less = shards_module.run_batch, Extractor._take_less
    both = threading.Barrier(2, timeout=20)
    calls, running, at_once, refused = [], [], [], []

    def limited(*arguments):
        calls.append(1)
        running.append(1)
        try:
            if len(calls) <= 2 and both.wait() == 0:
                refused.append(1)
                raise MemoryError
            at_once.append(len(running))
            run_batch(*arguments)
        finally:
            running.pop()

    def taken(*arguments):
        at_once.clear()
        take_less(*arguments)

    monkeypatch.setattr(shards_module, "run_batch", limited)
    monkeypatch.setattr(Extractor, "_take_less", taken)
    store = extract(loaded, corpus, tmp_path / "s.h5", batch_tokens=12)
    np.testing.assert_allclose(store.matrix()[:], whole, atol=1e-5)
    assert refused == [1]
    assert len(at_once) >= 1
    assert max(at_once) == 1


def test_layers_that_do_not_run_are_an_error(loaded, tmp_path):
    job = ExtractionJob(loaded, CORPUS, tmp_path / "s.h5", ExtractOptions())
    sites, inputs = job.sites, job.plan.inputs(range(3))
    run_batch(loaded, sites, [0, 1, 2], inputs, "last", lambda *_: None)

    def skip(states, *_, **__):
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=states)

    loaded.model.encoder.forward = skip
    with pytest.raises(InputError, match=r"layers .* did not run"):
        run_batch(loaded, sites, [0, 1, 2], inputs, "last", lambda *_: None)


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
