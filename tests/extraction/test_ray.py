"""Extraction on a local Ray cluster of two workers."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from neurox_lite.activations.checks import verify
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.extraction import job as job_module
from neurox_lite.extraction import ray_engine
from neurox_lite.extraction.extract import extract
from neurox_lite.models.loading import load_model

pytestmark = pytest.mark.heavy

WORDS = ["the", "old", "cat", "sees", "dogs", "that", "bark", "at", "her", "and", "cats"]
CORPUS = TaggedCorpus([[WORDS[(i * j) % 11] for j in range(1, 13)] for i in range(1200)])


@pytest.fixture(scope="module")
def model():
    return str(embedded_path("models/bert"))


@pytest.fixture(scope="module")
def expected(model, tmp_path_factory):
    """The store that one process gives."""
    with extract(model, CORPUS, tmp_path_factory.mktemp("one") / "s.h5", device="cpu") as store:
        return store.matrix()[:], store.metadata


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of 512 words: 29 of them."""
    monkeypatch.setattr(job_module, "SHARD_BYTES", 1 << 20)
    monkeypatch.setattr(job_module, "MIN_SHARD_WORDS", 1)


def check(store, expected):
    values, metadata = expected
    np.testing.assert_allclose(store.matrix()[:], values, atol=1e-5)
    for name in ("corpus_hash", "n_words", "n_unknown_words", "n_split_words"):
        assert store.metadata[name] == metadata[name]
    assert store.words() == CORPUS.words()
    assert verify(store) == []


def worker_processes():
    return [
        p
        for p in psutil.process_iter(["cmdline"])
        if (p.info["cmdline"] or [""])[0].startswith("ray::ExtractionWorker")
    ]


def test_the_store_of_one_process_though_a_worker_is_killed(
    cluster, model, expected, small_shards, tmp_path
):
    killed = []

    def kill_one():
        shards = tmp_path / "s.unfinished" / "shards"
        while not list(shards.glob("[0-9]*.h5")):
            time.sleep(0.001)
        # Between two shards a worker is not running.
        victims: list[psutil.Process] = []
        while not victims and shards.exists():
            victims = [p for p in worker_processes() if "run" in p.info["cmdline"][0]]
        victims[0].kill()
        killed.append(victims[0].pid)

    killer = threading.Thread(target=kill_one)
    killer.start()
    store = extract(model, CORPUS, tmp_path / "s", engine="ray", workers=2)
    killer.join()

    assert len(killed) == 1
    check(store, expected)
    alone = extract(model, CORPUS, tmp_path / "alone.h5", device="cpu")
    assert store.metadata["job_key"] == alone.metadata["job_key"]
    np.testing.assert_allclose(store.matrix()[:], alone.matrix()[:], atol=1e-6)


def test_a_worker_killed_in_the_middle_of_a_shard(
    cluster, model, small_shards, tmp_path, monkeypatch
):
    """While it writes: its partial file and its lock are there, and the shard is done again."""
    corpus = TaggedCorpus(CORPUS.sentences[:200])  # five shards
    marker, shards = tmp_path / "marker", tmp_path / "s.unfinished" / "shards"

    class Stopping(ray_engine.ExtractionWorker):
        """Stops for good in the third shard, the first time."""

        def run(self, shard):
            from neurox_lite.extraction import job

            real = job.open_writer

            @contextlib.contextmanager
            def stopping(path, *arguments, **options):
                with real(path, *arguments, **options) as writer:
                    if shard == 2 and not marker.exists():
                        marker.write_text(str(os.getpid()))
                        time.sleep(600)
                    yield writer

            job.open_writer = stopping
            try:
                super().run(shard)
            finally:
                job.open_writer = real

    undisturbed = extract(model, corpus, tmp_path / "whole.h5", device="cpu")
    left = []

    def kill():
        while not (marker.exists() and marker.read_text()):
            time.sleep(0.01)
        left.extend(sorted(path.name for path in shards.glob(".00002.h5.*")))
        psutil.Process(int(marker.read_text())).kill()

    monkeypatch.setattr(ray_engine, "ExtractionWorker", Stopping)
    killer = threading.Thread(target=kill)
    killer.start()
    store = extract(model, corpus, tmp_path / "s", engine="ray", workers=1)
    killer.join()

    assert [name.rsplit(".", 1)[1] for name in left] == ["partial", "lock"]
    np.testing.assert_array_equal(store.matrix()[:], undisturbed.matrix()[:])
    assert store.content_hash == undisturbed.content_hash
    assert verify(store) == []
    assert not list((tmp_path / "s").rglob(".*"))


def test_a_job_goes_on_with_ray_where_it_stopped_without(
    cluster, model, expected, small_shards, tmp_path, monkeypatch
):
    write, done = job_module.ExtractionJob._write, []

    def stop_after_five(self, shard, *args):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(shard)
        return write(self, shard, *args)

    with monkeypatch.context() as patched:
        patched.setattr(job_module.ExtractionJob, "_write", stop_after_five)
        with pytest.raises(KeyboardInterrupt):
            extract(model, CORPUS, tmp_path / "s.h5", device="cpu")
    shards = tmp_path / "s.h5.unfinished" / "shards"
    first = (shards / "00000.h5").stat().st_mtime_ns

    seen = []
    finish = job_module.ExtractionJob.finish

    def look(self):
        seen.append((shards / "00000.h5").stat().st_mtime_ns)
        return finish(self)

    monkeypatch.setattr(job_module.ExtractionJob, "finish", look)
    check(extract(model, CORPUS, tmp_path / "s.h5", engine="ray", workers=1), expected)
    assert seen == [first]


def test_bad_input_found_by_a_worker_is_said_as_ever(cluster, make_model, tmp_path):
    """Activations that overflow float16, which only the shard's writer sees."""
    import shutil

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(make_model("bert"), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.output.LayerNorm.bias"][3] = 1e6
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    corpus = TaggedCorpus([["cats", "bark"]])
    with pytest.raises(InputError, match=r"layer 2, unit 3, sentence 1: .* overflow"):
        extract(str(folder), corpus, tmp_path / "s.h5", engine="ray", dtype="float16")
    assert not (tmp_path / "s.h5.unfinished").exists()


def test_a_shard_that_kills_every_worker_is_given_up(
    cluster, model, small_shards, tmp_path, monkeypatch
):
    monkeypatch.setattr(ray_engine, "ATTEMPTS", 2)
    stop = threading.Event()

    def kill_all():
        while not stop.is_set():
            for process in worker_processes():
                process.kill()
            time.sleep(0.01)

    killer = threading.Thread(target=kill_all)
    killer.start()
    try:
        with pytest.raises(UnfinishedError, match=r"2 workers died over shard \d+ .*run the same"):
            extract(model, CORPUS, tmp_path / "s.h5", engine="ray", workers=1)
    finally:
        stop.set()
        killer.join()


def test_a_model_in_memory_is_refused(cluster, model, tmp_path):
    with pytest.raises(InputError, match="is in this process's memory"):
        extract(load_model(model, device="cpu"), CORPUS, tmp_path / "s.h5", engine="ray")


def test_without_ray_it_says_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'neurox-lite\[ray\]'"):
        extract(model, CORPUS, tmp_path / "s.h5", engine="ray")
    assert not list(tmp_path.iterdir())
