"""Whatever stops an extraction, the same command goes on and ends with the same store."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from neurox_lite.activations.checks import verify
from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.extraction import job as job_module
from neurox_lite.extraction import job_folder as job_folder_module
from neurox_lite.extraction import shards as shards_module
from neurox_lite.extraction.extract import extract, extract_share
from neurox_lite.models.loading import load_model
from tests.processes import run_command, server, start_command

pytestmark = pytest.mark.heavy

CORPUS = TaggedCorpus([["the", "old", "cat", "sees", "dogs"][: 1 + i % 5] for i in range(60)])
KILLS = 20


def shards_of(n_bytes):
    """What tells a process how large its shards are."""
    job = "neurox_lite.extraction.job"
    return {f"{job}.SHARD_BYTES": n_bytes, f"{job}.MIN_SHARD_WORDS": 1}


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of ten words of the tiny model (3 layers of 8)."""
    monkeypatch.setattr(job_module, "SHARD_BYTES", 10 * 3 * 8 * 4)
    monkeypatch.setattr(job_module, "MIN_SHARD_WORDS", 1)


@pytest.fixture
def folder(make_model):
    return str(make_model("bert"))


def bits(store):
    """Everything a store holds, as comparable bytes."""
    return {
        **{layer: store.stored(layer, 0, store.n_rows).tobytes() for layer in store.space.layers},
        "words": store.words(),
        "offsets": store.sentence_offsets.tolist(),
        "missing": store.missing.tolist(),
        "content": store.content_hash,
    }


class Stop(Exception):
    """What a test stops an extraction with."""


def stop_after(monkeypatch, n_shards):
    """Let the extraction of the shard after so many raise."""
    write = job_module.ExtractionJob._write
    done = []

    def counted(self, shard, *args):
        if len(done) == n_shards:
            raise Stop
        done.append(shard)
        return write(self, shard, *args)

    monkeypatch.setattr(job_module.ExtractionJob, "_write", counted)
    return done


@pytest.mark.parametrize("name", ["s.h5", "s"])
@pytest.mark.parametrize("n_shards", [1, 7])
def test_a_stopped_job_goes_on_where_it_stopped(
    folder, tmp_path, small_shards, monkeypatch, name, n_shards
):
    whole = bits(extract(folder, CORPUS, tmp_path / "whole.h5"))
    with monkeypatch.context() as patched:
        stop_after(patched, n_shards)
        with pytest.raises(Stop):
            extract(folder, CORPUS, tmp_path / name)
    assert not (tmp_path / name).exists()
    with pytest.raises(InputError, match=r"is not finished; run the same 'extract' command again"):
        ActivationStore(tmp_path / name)

    done = stop_after(monkeypatch, None)
    store = extract(folder, CORPUS, tmp_path / name)

    assert done == list(range(n_shards, 24))
    assert bits(store) == whole
    assert verify(store) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "whole.h5"])


@pytest.mark.parametrize("name", ["s.h5", "s"])
def test_a_finished_job_does_nothing(folder, tmp_path, monkeypatch, name):
    extract(folder, CORPUS, tmp_path / name).close()
    file = tmp_path / name if name == "s.h5" else tmp_path / name / "store.h5"
    before = file.stat()

    monkeypatch.setattr(job_module, "load_model", None)
    store = extract(folder, CORPUS, tmp_path / name)

    assert store.n_rows == CORPUS.n_words
    assert file.stat() == before


@pytest.mark.parametrize("name", ["s.h5", "s"])
def test_a_finished_store_of_another_job_is_kept_unless_overwritten(folder, tmp_path, name):
    first = bits(extract(folder, CORPUS, tmp_path / name))
    with pytest.raises(InputError, match="exists already"):
        extract(folder, CORPUS, tmp_path / name, aggregation="first")
    assert bits(ActivationStore(tmp_path / name)) == first

    second = extract(folder, CORPUS, tmp_path / name, aggregation="first", overwrite=True)
    assert second.metadata["aggregation"] == "first"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_overwrite_repeats_a_finished_job(folder, tmp_path):
    """So that a damaged store can be made again."""
    whole = bits(extract(folder, CORPUS, tmp_path / "s.h5"))
    content = bytearray((tmp_path / "s.h5").read_bytes())
    content[-100] ^= 1
    (tmp_path / "s.h5").write_bytes(content)

    assert bits(extract(folder, CORPUS, tmp_path / "s.h5", overwrite=True)) == whole


def test_an_unfinished_job_with_other_options_is_not_mixed(
    folder, tmp_path, small_shards, monkeypatch
):
    with monkeypatch.context() as patched:
        stop_after(patched, 3)
        with pytest.raises(Stop):
            extract(folder, CORPUS, tmp_path / "s.h5")
    with pytest.raises(InputError, match=r"s\.h5\.unfinished: holds an unfinished extraction"):
        extract(folder, CORPUS, tmp_path / "s.h5", dtype="float16")

    done = stop_after(monkeypatch, None)
    store = extract(folder, CORPUS, tmp_path / "s.h5", dtype="float16", overwrite=True)
    assert len(done) == 24
    assert store.metadata["dtype"] == "float16"
    assert verify(store) == []


@pytest.mark.parametrize("damage", ["truncated", "empty", "other", "rubbish"])
def test_a_damaged_shard_is_made_again(folder, tmp_path, small_shards, monkeypatch, damage):
    whole = bits(extract(folder, CORPUS, tmp_path / "whole.h5"))
    with monkeypatch.context() as patched:
        stop_after(patched, 5)
        with pytest.raises(Stop):
            extract(folder, CORPUS, tmp_path / "s.h5")
    shards = tmp_path / "s.h5.unfinished" / "shards"
    file = shards / "00002.h5"
    if damage == "other":
        shutil.copy(shards / "00001.h5", file)
    else:
        content = {"truncated": file.read_bytes()[:-500], "empty": b"", "rubbish": b"x" * 5000}
        file.write_bytes(content[damage])

    done = stop_after(monkeypatch, None)
    store = extract(folder, CORPUS, tmp_path / "s.h5")
    assert 2 in done
    assert bits(store) == whole


def test_activations_damaged_before_they_are_joined(folder, tmp_path, small_shards, monkeypatch):
    whole = bits(extract(folder, CORPUS, tmp_path / "whole.h5"))
    with monkeypatch.context() as patched:
        stop_after(patched, 5)
        with pytest.raises(Stop):
            extract(folder, CORPUS, tmp_path / "s.h5")
    flip_a_byte(tmp_path / "s.h5.unfinished" / "shards" / "00002.h5")

    with pytest.raises(UnfinishedError, match=r"the shards 00002\.h5 were damaged .* removed"):
        extract(folder, CORPUS, tmp_path / "s.h5")
    assert not (tmp_path / "s.h5").exists()
    done = stop_after(monkeypatch, None)
    assert bits(extract(folder, CORPUS, tmp_path / "s.h5")) == whole
    assert done == [2]


def test_a_damaged_manifest_begins_again(folder, tmp_path, small_shards, monkeypatch):
    with monkeypatch.context() as patched:
        stop_after(patched, 5)
        with pytest.raises(Stop):
            extract(folder, CORPUS, tmp_path / "s.h5")
    (tmp_path / "s.h5.unfinished" / "manifest.json").write_text("{")

    assert verify(extract(folder, CORPUS, tmp_path / "s.h5")) == []


def test_a_missing_or_cut_shard_of_a_folder_is_not_read_as_zeros(folder, tmp_path, small_shards):
    extract(folder, CORPUS, tmp_path / "s").close()
    file = tmp_path / "s" / "shards" / "00004.h5"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(InputError, match=r"00004\.h5: this shard has \d+ bytes, not as written"):
        ActivationStore(tmp_path / "s")
    file.unlink()
    with pytest.raises(InputError, match=r"00004\.h5: this shard is missing"):
        ActivationStore(tmp_path / "s")


def test_more_shards_than_files_that_may_be_open(folder, tmp_path, small_shards):
    """Through its virtual datasets HDF5 reads the others as zeros, without a word."""
    loaded = load_model(folder)
    whole = bits(extract(loaded, CORPUS, tmp_path / "whole.h5"))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(file.name) for file in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 13, limits[1]))
    try:
        for name in ("s", "s.h5"):
            store = extract(loaded, CORPUS, tmp_path / name)
            assert bits(store) == whole
            assert verify(store) == []
            store.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(list((tmp_path / "s" / "shards").iterdir())) == 24


def flip_a_byte(file):
    """Of the activations of layer 1."""
    import h5py

    with h5py.File(file) as opened:
        place = opened["layers/1"].id.get_chunk_info(0).byte_offset
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


def test_a_flipped_byte_in_a_shard_is_found(folder, tmp_path, small_shards):
    extract(folder, CORPUS, tmp_path / "s").close()
    flip_a_byte(tmp_path / "s" / "shards" / "00004.h5")

    (problem,) = verify(ActivationStore(tmp_path / "s"))
    assert problem.startswith("layer 1: its bytes in rows")


def test_a_folder_may_be_moved(folder, tmp_path, small_shards, monkeypatch):
    whole = bits(extract(folder, CORPUS, tmp_path / "s"))
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "s", tmp_path / "elsewhere" / "t")
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert bits(ActivationStore("t")) == whole


def test_a_file_and_a_folder_have_the_same_content(folder, tmp_path, small_shards):
    assert bits(extract(folder, CORPUS, tmp_path / "a.h5")) == bits(
        extract(folder, CORPUS, tmp_path / "b")
    )


# Killed.


def command(folder, corpus, out):
    arguments = ["extract", "--model", folder, "--corpus", corpus, "--format", "text"]
    return [*arguments, "--out", str(out), "--device", "cpu"]


def extract_in_child(model, corpus, out):
    """What a killed process was doing; it starts from a server that has imported everything."""
    job_module.SHARD_BYTES, job_module.MIN_SHARD_WORDS = 1 << 19, 1
    extract(model, corpus, out, device="cpu").close()


def test_killed_at_twenty_random_moments(tmp_path):
    """SIGKILL, and the same again, until it ends: the store is as if undisturbed."""
    rng = random.Random(0)
    words = ["the", "old", "cat", "sees", "dogs", "that", "bark", "at", "her", "and", "cats"]
    corpus = TaggedCorpus([rng.choices(words, k=12) for _ in range(600)])
    processes = server()

    def start(out):
        arguments = (str(embedded_path("models/bert")), corpus, str(out))
        process = processes.Process(target=extract_in_child, args=arguments)
        process.start()
        return process

    undisturbed = start(tmp_path / "whole.h5")
    undisturbed.join()
    assert undisturbed.exitcode == 0
    whole = bits(ActivationStore(tmp_path / "whole.h5"))

    out = tmp_path / "s.h5"
    shards = tmp_path / "s.h5.unfinished" / "shards"

    def n_shards():
        try:
            return len(list(shards.glob("[0-9]*.h5")))
        except FileNotFoundError:  # not made yet, or joined in this moment
            return 0

    n_done, n_killed = [], 0
    while n_killed < KILLS:
        process = start(out)
        # Some moments after so many more shards: while loading, computing, writing or joining.
        until = n_shards() + rng.randint(0, 3)
        while process.is_alive() and n_shards() < until:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.1 if until else 1.0))
        process.kill()
        process.join()
        n_killed += process.exitcode == -signal.SIGKILL
        n_done.append(n_shards())
        if out.exists():  # it ended between two kills: begin again
            assert bits(ActivationStore(out)) == whole
            out.unlink()
            shutil.rmtree(tmp_path / "s.h5.unfinished", ignore_errors=True)
    assert len(set(n_done)) > 5, n_done  # the moments differed
    last = start(out)
    last.join()
    assert last.exitcode == 0

    store = ActivationStore(out)
    assert bits(store) == whole
    assert verify(store) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.h5", "whole.h5"]


# Disks and folders.


def limited(folder, corpus, out, limit):
    """Run the command in a process whose files may not grow beyond a limit: a full disk."""
    options = {"file_limit": limit, "settings": shards_of(100_000)}
    return run_command(command(folder, corpus, out), **options)


@pytest.mark.parametrize("limit", [30_000, 80_000, 200_000])
def test_a_full_disk_loses_nothing(folder, tmp_path, limit):
    """Full while writing the first shard's start or end, and while joining the shards."""
    (tmp_path / "text.txt").write_text("\n".join(" ".join(s) for s in CORPUS.sentences * 30))
    out = tmp_path / "s.h5"

    code, said = limited(folder, str(tmp_path / "text.txt"), out, limit)

    assert code == 1, said
    (line,) = [line for line in said.splitlines() if "error" in line]
    assert line.startswith(f"neurox-lite: error: {out}: cannot be written (")
    assert "run the same command again" in line
    assert not out.exists()
    assert not list(tmp_path.rglob(".*.partial"))
    assert ("the shards that are done are kept" in line) == (limit == 200_000)
    if limit == 200_000:
        shards = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("[0-9]*.h5")}
        assert len(shards) > 3

    code, said = limited(folder, str(tmp_path / "text.txt"), out, 1 << 30)
    assert code == 0, said
    assert verify(ActivationStore(out)) == []


def test_a_folder_that_cannot_be_written(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write there"):
        extract(folder, CORPUS, tmp_path / "file" / "s.h5")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(folder, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot write there"):
        extract(folder, CORPUS, tmp_path / "locked" / "s.h5")


def test_two_jobs_on_one_output(folder, tmp_path):
    lock = tmp_path / "s.h5.unfinished" / ".lock"
    lock.parent.mkdir()
    with (
        FileLock(lock),
        pytest.raises(InputError, match=r"s\.h5: another process extracts into it"),
    ):
        extract(folder, CORPUS, tmp_path / "s.h5")
    extract(folder, CORPUS, tmp_path / "s.h5").close()


# Shares.


def test_a_folder_moved_away_between_making_and_locking_it(tmp_path, monkeypatch):
    """As by the share that ends last, while another is about to see whether it is."""
    folder = job_folder_module.JobFolder(tmp_path / "s", "key")
    moved = []

    class Moving(FileLock):
        def acquire(self, *args, **kwargs):
            if not moved:
                moved.append(folder.folder.rename(tmp_path / "s"))
            return super().acquire(*args, **kwargs)

    monkeypatch.setattr(job_folder_module, "FileLock", Moving)
    with folder.lock("-finish", wait=True):
        assert moved
        assert folder.folder.is_dir()


@pytest.mark.parametrize("name", ["s.h5", "s"])
def test_shares_give_the_store_of_one_process(folder, tmp_path, small_shards, name):
    whole = bits(extract(folder, CORPUS, tmp_path / "whole.h5"))
    out = tmp_path / name
    assert extract_share(folder, CORPUS, out, (2, 3)) is None
    assert extract_share(folder, CORPUS, out, (3, 3)) is None
    assert not out.exists()
    store = extract_share(folder, CORPUS, out, (1, 3))

    assert bits(store) == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "whole.h5"])
    assert bits(extract_share(folder, CORPUS, out, (3, 3))) == whole


def test_more_shares_than_shards(folder, tmp_path, small_shards):
    small = TaggedCorpus(CORPUS.sentences[:5])
    results = [extract_share(folder, small, tmp_path / "s.h5", (i, 9)) for i in range(1, 10)]
    assert results[-1] is not None
    assert verify(results[-1]) == []


@pytest.mark.parametrize("share", [(0, 3), (4, 3)])
def test_a_share_that_does_not_exist(folder, tmp_path, share):
    with pytest.raises(InputError, match="give 1/3 to 3/3"):
        extract_share(folder, CORPUS, tmp_path / "s.h5", share)


def test_shares_at_the_same_time(folder, tmp_path):
    """Three processes as in a Slurm array; the last one to end joins the shards."""
    (tmp_path / "text.txt").write_text("\n".join(" ".join(s) for s in CORPUS.sentences))
    out = tmp_path / "s"
    arguments = command(folder, str(tmp_path / "text.txt"), out)
    started = [
        start_command([*arguments, "--shard", f"{i}/3"], settings=shards_of(960)) for i in (1, 2, 3)
    ]
    for process, stderr in started:
        said = stderr.read()
        process.join()
        assert process.exitcode == 0, said
    store = ActivationStore(out)
    assert verify(store) == []
    assert store.n_rows == CORPUS.n_words


# Memory.


class Limited:
    """A model that runs out of memory when a batch has more than so many subwords."""

    def __init__(self, monkeypatch, limit, error):
        self.sizes = []
        run_batch = shards_module.run_batch

        def limited(loaded, sites, layers, inputs, *rest):
            size = max(map(len, inputs)) * len(inputs)
            self.sizes.append(size)
            if size > limit:
                raise error
            run_batch(loaded, sites, layers, inputs, *rest)

        monkeypatch.setattr(shards_module, "run_batch", limited)


OUT_OF_MEMORY = [
    pytest.param(lambda: __import__("torch").OutOfMemoryError("CUDA out of memory"), id="cuda"),
    pytest.param(lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory"), id="cpu"),
    pytest.param(lambda: MemoryError(), id="python"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_out_of_memory_halves_the_batch(folder, tmp_path, small_shards, monkeypatch, error):
    whole = extract(folder, CORPUS, tmp_path / "whole.h5").matrix()[:]
    model = Limited(monkeypatch, 15, error())
    store = extract(folder, CORPUS, tmp_path / "s.h5")

    np.testing.assert_allclose(store.matrix()[:], whole, atol=1e-5)
    too_large = [size for size in model.sizes if size > 15]
    assert 1 <= len(too_large) <= 3
    first_good = next(i for i, size in enumerate(model.sizes) if size <= 15)
    assert max(model.sizes[first_good:]) <= 15  # what works is remembered


def test_the_batch_that_works_is_remembered_by_the_next_run(
    folder, tmp_path, small_shards, monkeypatch
):
    with monkeypatch.context() as patched:
        Limited(patched, 15, MemoryError())
        stop_after(patched, 4)
        with pytest.raises(Stop):
            extract(folder, CORPUS, tmp_path / "s.h5")
    remembered = json.loads((tmp_path / "s.h5.unfinished" / "batch_tokens.json").read_text())
    assert remembered["batch_tokens"] <= 15

    model = Limited(monkeypatch, 15, MemoryError())
    extract(folder, CORPUS, tmp_path / "s.h5").close()
    assert max(model.sizes) <= 15


def test_a_sentence_that_does_not_fit_is_named_and_the_rest_kept(
    folder, tmp_path, small_shards, monkeypatch
):
    """The long sentence, alone, does not fit; the three shards before it are kept."""
    sentences = [["cat"]] * 25 + [["cat"] * 8] + [["cat"]] * 5
    corpus = TaggedCorpus(sentences)
    with monkeypatch.context() as patched:
        Limited(patched, 9, MemoryError())
        with pytest.raises(UnfinishedError, match=r"sentence of 10 subwords does not fit"):
            extract(folder, corpus, tmp_path / "s.h5")
    assert len(list((tmp_path / "s.h5.unfinished" / "shards").iterdir())) == 3
    assert verify(extract(folder, corpus, tmp_path / "s.h5")) == []


def test_another_error_of_the_model_is_not_taken_for_memory(folder, tmp_path, monkeypatch):
    Limited(monkeypatch, 0, RuntimeError("shape mismatch"))
    with pytest.raises(RuntimeError, match="shape mismatch"):
        extract(folder, CORPUS, tmp_path / "s.h5")


# What makes two jobs the same.


def test_a_model_in_memory_is_told_by_its_weights(folder, tmp_path):
    import torch

    loaded = load_model(folder, device="cpu")
    nameless = type(loaded)(loaded.model, loaded.tokenizer, "mine", "")
    first = bits(extract(nameless, CORPUS, tmp_path / "s.h5"))
    assert bits(extract(nameless, CORPUS, tmp_path / "s.h5")) == first
    with torch.no_grad():
        loaded.model.embeddings.word_embeddings.weight[5] += 1
    with pytest.raises(InputError, match="exists already"):
        extract(nameless, CORPUS, tmp_path / "s.h5")


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({"batch_tokens": 7}, True),
        ({"device": "cpu"}, True),
        ({"allow_missing": True}, True),
        ({"layers": [1]}, False),
        ({"site": "mlp"}, False),
        ({"special_tokens": True}, False),
        ({"pooling": "mean"}, False),
        ({"window": 9}, False),
        ({"compute_dtype": "bfloat16"}, False),
    ],
)
def test_which_options_make_another_store(folder, tmp_path, options, same):
    extract(folder, CORPUS, tmp_path / "s.h5").close()
    if same:
        extract(folder, CORPUS, tmp_path / "s.h5", **options).close()
        return
    with pytest.raises(InputError, match="exists already"):
        extract(folder, CORPUS, tmp_path / "s.h5", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "slurm"}, "unknown engine 'slurm'; use local or ray"),
        ({"workers": 2}, "workers are for the engine 'ray'"),
        ({"side": "decoder"}, "is not an encoder-decoder"),
        ({"source": CORPUS}, "a source goes with side='decoder'"),
        ({"source": TaggedCorpus([["a"]]), "side": "decoder"}, "1 sentences, but corpus has 60"),
    ],
)
def test_options_that_do_not_go_together(folder, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        extract(folder, CORPUS, tmp_path / "s.h5", **options)
    assert not list(tmp_path.iterdir())
