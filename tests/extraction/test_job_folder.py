"""Whose a job's folder is: nothing foreign is joined or removed, and no two jobs share it.

Also of ``neurox_lite.extraction.finished_store``, ``neurox_lite.extraction.folder_files``,
``neurox_lite.extraction.store_header``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from neurox_lite.activations.checks import verify
from neurox_lite.activations.store import ActivationStore
from neurox_lite.cli.main import main
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.extraction import job as job_module
from neurox_lite.extraction import job_folder as job_folder_module
from neurox_lite.extraction.extract import extract, extract_share
from tests.processes import server

pytestmark = pytest.mark.heavy

MODEL = str(embedded_path("models/lstm-0"))
CORPUS = TaggedCorpus([["the", "old", "cat", "sees", "dogs"][: 1 + i % 5] for i in range(30)])
OTHER = TaggedCorpus([["dogs", "see", "cats"]] * 30)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(job_module, "SHARD_BYTES", 1)
    monkeypatch.setattr(job_module, "MIN_SHARD_WORDS", 10)


def names(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stop_after(monkeypatch, n_shards):
    write, done = job_module.ExtractionJob._write, []

    def counted(self, shard, *args):
        if len(done) == n_shards:
            raise RuntimeError("stopped")
        done.append(shard)
        return write(self, shard, *args)

    monkeypatch.setattr(job_module.ExtractionJob, "_write", counted)


@pytest.fixture
def unfinished(tmp_path, monkeypatch):
    """An extraction of CORPUS into ``s``, stopped after two shards."""
    with monkeypatch.context() as patched:
        stop_after(patched, 2)
        with pytest.raises(RuntimeError):
            extract(MODEL, CORPUS, tmp_path / "s")
    return tmp_path / "s.unfinished"


# Nothing foreign.


def a_thesis(out):
    out.mkdir()
    (out / "thesis.tex").write_text("all of it")


def a_thesis_in_a_store(out):
    extract(MODEL, CORPUS, out).close()
    (out / "thesis.tex").write_text("all of it")


def a_thesis_among_the_shards(out):
    extract(MODEL, CORPUS, out).close()
    (out / "shards" / "thesis.h5").write_text("all of it")


def files_of_the_same_names(out):
    (out / "shards").mkdir(parents=True)
    (out / "manifest.json").write_text('{"name": "a web page"}')
    (out / "shards" / "00000.h5").write_text("mine")


def a_store_whose_shards_lie_elsewhere(out):
    extract(MODEL, CORPUS, out).close()
    shutil.move(out / "shards", out.parent / "elsewhere")
    (out / "shards").symlink_to(out.parent / "elsewhere")


def a_link_to_a_thesis(out):
    a_thesis(out.parent / "elsewhere")
    out.symlink_to(out.parent / "elsewhere")


@pytest.mark.parametrize(
    "make",
    [
        a_thesis,
        a_thesis_in_a_store,
        a_thesis_among_the_shards,
        files_of_the_same_names,
        a_store_whose_shards_lie_elsewhere,
        a_link_to_a_thesis,
    ],
)
def test_overwriting_leaves_alone_what_is_not_ours(tmp_path, make):
    make(tmp_path / "out")
    before = names(tmp_path)
    for attempt in (
        lambda: extract(MODEL, OTHER, tmp_path / "out", overwrite=True),
        lambda: extract_share(MODEL, OTHER, tmp_path / "out", (1, 1), overwrite=True),
    ):
        with pytest.raises(InputError, match=r"was not written by neurox_lite.*move it away"):
            attempt()
        assert names(tmp_path) == before


@pytest.mark.parametrize("make", [a_thesis, files_of_the_same_names, a_link_to_a_thesis])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_folder_called_unfinished_is_neither_joined_nor_removed(
    tmp_path, make, overwrite
):
    make(tmp_path / "out.unfinished")
    before = names(tmp_path)
    with pytest.raises(InputError, match=r"was not written by neurox_lite|is a symbolic link"):
        extract(MODEL, CORPUS, tmp_path / "out", overwrite=overwrite)
    with pytest.raises(InputError, match=r"was not written by neurox_lite|is a symbolic link"):
        extract_share(MODEL, CORPUS, tmp_path / "out", (1, 2), overwrite=overwrite)
    assert names(tmp_path) == before


@pytest.mark.parametrize("name", ["s", "s.h5"])
def test_a_note_in_the_unfinished_folder_survives(tmp_path, monkeypatch, name):
    with monkeypatch.context() as patched:
        stop_after(patched, 2)
        with pytest.raises(RuntimeError):
            extract(MODEL, CORPUS, tmp_path / name)
    (tmp_path / f"{name}.unfinished" / "notes.txt").write_text("mine")
    assert verify(extract(MODEL, CORPUS, tmp_path / name)) == []
    (note,) = tmp_path.rglob("notes.txt")
    assert note.read_text() == "mine"


@pytest.mark.parametrize("name", ["s", "s.h5"])
def test_what_was_left_of_a_finished_store_is_removed(tmp_path, name):
    extract(MODEL, CORPUS, tmp_path / name).close()
    left = [tmp_path / f".{name}.0123456789ab.partial"]
    if name == "s":
        left.append(tmp_path / "s" / "shards" / ".00001.h5.0123456789ab.partial")
        left.append(tmp_path / "s" / ".store.h5.0123456789ab.partial")
    foreign = tmp_path / ".other.h5.0123456789ab.partial"
    for path in (*left, foreign):
        path.write_text("half")
    extract(MODEL, CORPUS, tmp_path / name).close()
    assert not any(path.exists() for path in left) and foreign.exists()


def test_a_store_behind_a_link_is_replaced_there(tmp_path):
    (tmp_path / "scratch").mkdir()
    for name in ("s", "s.h5"):
        (tmp_path / name).symlink_to(tmp_path / "scratch" / name)
        extract(MODEL, OTHER, tmp_path / name).close()
        extract(MODEL, CORPUS, tmp_path / name, overwrite=True).close()
        assert (tmp_path / name).is_symlink()
    stores = [tmp_path / "scratch" / "s", tmp_path / "scratch" / "s.h5"]
    assert sorted((tmp_path / "scratch").iterdir()) == stores
    assert all(ActivationStore(store).n_rows == CORPUS.n_words for store in stores)


@pytest.mark.parametrize("out", [".", "..", "/", "model/s", "model", "file", "folder.h5"])
def test_places_that_are_no_output(tmp_path, monkeypatch, out, capsys):
    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.h5").mkdir()
    (tmp_path / "text.txt").write_text("the old cat\n")
    monkeypatch.chdir(tmp_path)
    before = names(tmp_path)
    command = ["extract", "--model", "model", "--corpus", "text.txt", "--out", out]
    assert main([*command, "--overwrite"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("neurox-lite: error: ") and error.count("\n") == 1
    assert names(tmp_path) == before


def test_the_corpus_is_no_output(tmp_path, capsys):
    (tmp_path / "text.h5").write_text("the old cat\n")
    file = str(tmp_path / "text.h5")
    command = ["extract", "--model", MODEL, "--format", "text", "--corpus", file, "--out", file]
    assert main([*command, "--overwrite"]) == 2
    assert "is an input, too" in capsys.readouterr().err
    assert (tmp_path / "text.h5").read_text() == "the old cat\n"


# No two jobs.


@pytest.mark.parametrize("damage", ["cut", "empty", "missing", "flipped"])
def test_a_damaged_manifest_does_not_let_another_job_in(tmp_path, unfinished, damage):
    manifest = unfinished / "manifest.json"
    text = manifest.read_text()
    flipped = text.replace(json.loads(text)["key"][:4], "0000")
    if damage == "missing":
        manifest.unlink()
    else:
        manifest.write_text({"cut": text[:90], "empty": "", "flipped": flipped}[damage])
    shards = {name: data for name, data in names(unfinished).items() if name.endswith(".h5")}
    assert len(shards) == 2

    with pytest.raises(InputError, match="holds an unfinished extraction with another model"):
        extract(MODEL, OTHER, tmp_path / "s")
    with pytest.raises(InputError, match="holds an unfinished extraction with another model"):
        extract_share(MODEL, OTHER, tmp_path / "s", (1, 2))
    assert shards.items() <= names(unfinished).items()

    store = extract(MODEL, CORPUS, tmp_path / "s")
    assert store.words() == CORPUS.words()
    assert verify(store) == []


def share_in_child(corpus, out, share, barrier, results):
    """One of several processes that take up the folder together."""
    job_module.SHARD_BYTES, job_module.MIN_SHARD_WORDS = 1, 10
    begin = job_module.ExtractionJob.prepare

    def prepare(self):
        begin(self)
        barrier.wait(60)  # all are about to take up the folder

    job_module.ExtractionJob.prepare = prepare
    try:
        extract_share(MODEL, corpus, out, share)
        results.put((share, corpus.words()[:2], ""))
    except Exception as error:
        barrier.abort()
        results.put((share, corpus.words()[:2], f"{type(error).__name__}: {error}"))


def together(out, *jobs):
    context = server()
    barrier, results = context.Barrier(len(jobs)), context.Queue()
    processes = [
        context.Process(target=share_in_child, args=(*job[:1], out, job[1], barrier, results))
        for job in jobs
    ]
    for process in processes:
        process.start()
    found = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    return found


def test_shares_of_different_corpora_that_begin_together(tmp_path):
    for attempt in range(2):
        out = tmp_path / str(attempt)
        found = together(out, (CORPUS, (1, 2)), (OTHER, (2, 2)))
        errors = [error for _, _, error in found if error]
        assert len(errors) == 1, found
        assert errors[0].startswith("InputError: ")
        assert "holds an unfinished extraction with another" in errors[0]
        (corpus,) = [CORPUS if first == ["the", "the"] else OTHER for _, first, e in found if not e]
        keys = set()
        for shard in (tmp_path / f"{attempt}.unfinished" / "shards").iterdir():
            keys.add(ActivationStore(shard).metadata["job_key"])
        assert len(keys) == 1
        assert extract(MODEL, corpus, out).words() == corpus.words()


def test_shares_of_one_corpus_that_begin_together(tmp_path):
    for out in (tmp_path / "s", tmp_path / "s.h5"):
        found = together(out, (CORPUS, (1, 2)), (CORPUS, (2, 2)))
        assert [error for _, _, error in found if error] == []
        assert verify(ActivationStore(out)) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s", "s.h5"]
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [
        "manifest.json",
        "shards",
        "store.h5",
    ]


def test_beside_a_share_only_other_shares_of_as_many(tmp_path, monkeypatch):
    """No whole run, not the same share again, none of another number; nor with --overwrite."""
    monkeypatch.setattr(job_folder_module, "PATIENCE", 0.1)
    out, folder = tmp_path / "s", tmp_path / "s.unfinished"
    assert extract_share(MODEL, CORPUS, out, (2, 3)) is None
    busy = pytest.raises(InputError, match="another process extracts into it")
    with FileLock(folder / ".lock-1-of-3"):
        for attempt in (
            lambda: extract(MODEL, CORPUS, out),
            lambda: extract(MODEL, OTHER, out, overwrite=True),
            lambda: extract_share(MODEL, OTHER, out, (2, 3), overwrite=True),
            lambda: extract_share(MODEL, CORPUS, out, (1, 3)),
            lambda: extract_share(MODEL, CORPUS, out, (1, 2)),
        ):
            with busy:
                attempt()
        assert extract_share(MODEL, CORPUS, out, (3, 3)) is None
    with FileLock(folder / ".lock"), busy:
        extract_share(MODEL, CORPUS, out, (1, 3))
    assert extract_share(MODEL, CORPUS, out, (1, 3)).words() == CORPUS.words()
    assert verify(ActivationStore(out)) == []
    assert sorted(p.name for p in out.iterdir()) == ["manifest.json", "shards", "store.h5"]


def test_a_store_made_meanwhile_is_not_replaced(tmp_path, monkeypatch):
    finish = job_module.ExtractionJob.finish

    def meanwhile(self):
        self.out.write_bytes(b"converted by another process")
        return finish(self)

    with monkeypatch.context() as patched:
        patched.setattr(job_module.ExtractionJob, "finish", meanwhile)
        with pytest.raises(InputError, match="exists already"):
            extract(MODEL, CORPUS, tmp_path / "s.h5")
    assert (tmp_path / "s.h5").read_bytes() == b"converted by another process"
    assert extract(MODEL, CORPUS, tmp_path / "s.h5", overwrite=True).words() == CORPUS.words()
