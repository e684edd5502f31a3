"""Outputs of commands: full disks leave all as it was, and nothing that is not ours is replaced.

Also of ``neurox_lite.cli.output_claims``.
"""

from __future__ import annotations

import errno
import gzip
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from neurox_lite.cli.main import main
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.files import atomic_write, write_text
from neurox_lite.outputs import atomic_write_folder

pytestmark = pytest.mark.heavy

MODEL = str(embedded_path("models/lstm-0"))


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Files may not grow beyond a size, which to a program is as a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, a store, a probe and rankings, under short names in the working directory."""
    folder = tmp_path_factory.mktemp("work")
    with gzip.open(embedded_path("corpora/english-dev.conllu.gz"), "rt") as file:
        sentences = file.read().split("\n\n")[:60]
    (folder / "my.conllu").write_text("\n\n".join(sentences) + "\n\n")
    before = Path.cwd()
    os.chdir(folder)
    try:
        extract = ["extract", "--model", MODEL, "--corpus", "my.conllu"]
        assert main([*extract, "--out", "s.h5"]) == 0
        assert main([*extract, "--layers", "1", "--out", "t.h5"]) == 0
        for seed in "12":
            rank = ["rank", "random", "--store", "s.h5", "--seed", seed]
            assert main([*rank, "--out", f"r{seed}.json"]) == 0
    finally:
        os.chdir(before)
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


DATA = "--store s.h5 --corpus my.conllu --tag upos --label NOUN"
COMMANDS = {
    "extract": f"extract --model {MODEL} --corpus my.conllu --layers 1 --out other.h5",
    "convert hdf5": "convert s.h5 out.hdf5",
    "convert json": "convert s.h5 out.json",
    "convert store": "convert s.h5 out.h5 --to store",
    "rank json": "rank variance --store s.h5 --out out.json",
    "rank csv": "rank variance --store s.h5 --out out.csv",
    "rank all": f"rank all {DATA} --methods variance --resamples 0 --out out",
    "probe": f"probe {DATA} --l1 0.1 --out out",
    "compare": "compare r1.json r2.json --out out",
    "correlate": "correlate --store s.h5 --store t.h5 --method svcca --similarity out --out o.csv",
    "ablate": f"ablate {DATA} --ranking r1.json --shares 0.1 --no-retrain --n-random 1 --out out",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command(
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.chdir(work)
    arguments = COMMANDS[command].split()
    inputs = snapshot(work)
    try:
        assert main(arguments) in (0, 3)
        before = snapshot(work)
        assert len(before) > len(inputs)
        capsys.readouterr()
        # The JSON is written, and figures, arrays and stores are not; or nothing is.
        for size in (3000, 10) if command in ("probe", "ablate") else (10,):
            with limited(size):
                code = main([*arguments, "--overwrite"])
            error = capsys.readouterr().err
            if code in (0, 3) and size == 3000:
                continue  # all of it is smaller
            (line,) = [line for line in error.splitlines() if "error" in line]
            assert code == 1, line
            assert "cannot be written (File too large)" in line
            assert line.endswith("run the same command again")
            kept = {k: v for k, v in snapshot(work).items() if ".unfinished/" not in k}
            assert kept.keys() == before.keys()
            changed = {name for name in kept if kept[name] != before[name]}
            # What a comparison has ranked in hours is kept as it is made.
            assert all(name.startswith("out/rankings/") for name in changed)
        assert main([*arguments, "--overwrite"]) in (0, 3)
        assert snapshot(work).keys() == before.keys()
    finally:
        for name in snapshot(work).keys() - inputs.keys():
            (work / name).unlink()
        shutil.rmtree(work / "out", ignore_errors=True)


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        (errno.ENOSPC, UnfinishedError, "make room or repair the disk and run the same"),
        (errno.EDQUOT, UnfinishedError, "make room or repair the disk and run the same"),
        (errno.EIO, UnfinishedError, "make room or repair the disk and run the same"),
        (errno.EMFILE, UnfinishedError, "allow more open files"),
        (errno.EACCES, InputError, "choose another output"),
        (errno.EROFS, InputError, "choose another output"),
    ],
)
def test_what_a_disk_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception], advice: str
) -> None:
    def fails(path: Path, *_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    write_text(tmp_path / "file", "old")
    for name in ("touch", "replace", "write_bytes"):
        with monkeypatch.context() as patched:
            patched.setattr(Path, name, fails)
            with pytest.raises(kind) as raised:
                write_text(tmp_path / "file", "new")
            message = str(raised.value)
            assert message.startswith(f"{tmp_path / 'file'}: ") and os.strerror(code) in message
            assert advice in message and "\n" not in message
            with (
                pytest.raises(kind, match=str(tmp_path)),
                atomic_write_folder(tmp_path / "in") as new,
            ):
                write_text(new / "file", "new")
        assert [p.name for p in tmp_path.iterdir()] == ["file"]
        assert (tmp_path / "file").read_text() == "old"


def test_a_name_that_is_too_long_and_places_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / ("x" * 250), tmp_path / "file" / "below" / "file"):
        with pytest.raises(InputError, match=r"cannot write there .*; choose another output"):
            write_text(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_error_of_what_is_read_meanwhile_is_not_taken_for_one_of_the_output(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "file"):
        (tmp_path / "no input").read_text()
    assert not list(tmp_path.iterdir())


# Before any work: what is not ours, what another process writes, what a killed one left.

PAIRS = str(embedded_path("corpora/number-pairs.tsv"))
STEER = f"steer --model {MODEL} --pairs {PAIRS} --ranking r1.json --condition a --target b"
FOLDERS = {
    "rank all": (COMMANDS["rank all"], "rankings/03-iou.json"),
    "rank all figure": (COMMANDS["rank all"], "methods.png"),
    "probe": (COMMANDS["probe"], "control.json"),
    "one vs rest": (COMMANDS["probe"].replace("--label NOUN", "--one-vs-rest"), "000/probe.json"),
    "compare": (COMMANDS["compare"], "agreement.png"),
    "correlate": (COMMANDS["correlate"], "cka-1-2.json"),
    "ablate": (COMMANDS["ablate"], "ablation.png"),
    "mask": (f"mask --model {MODEL} --pairs {PAIRS} --out out", "ranking.json"),
    "steer": (STEER + " --out out", "steering.csv"),
}


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_with_a_file_that_is_not_ours(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(work)
    arguments, name = FOLDERS[command]
    mine = work / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("my thesis")
    before = snapshot(work)
    try:
        for options in ([], ["--overwrite"]):
            assert main([*arguments.split(), *options]) == 2
            assert "was not written by neurox_lite" in capsys.readouterr().err
            assert snapshot(work) == before
    finally:
        shutil.rmtree(work / "out")


@pytest.mark.parametrize("command", ["probe", "compare", "ablate", "rank json", "correlate"])
def test_an_output_that_another_process_writes(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(work)
    before = snapshot(work)
    names = {"rank json": ".out.json.lock", "correlate": ".o.csv.lock"}
    lock = work / names.get(command, "out/.lock")
    lock.parent.mkdir(exist_ok=True)
    with FileLock(lock):
        assert main(COMMANDS[command].split()) == 2
        assert "another process writes there; wait for it" in capsys.readouterr().err
    lock.unlink()
    if lock.parent != work:
        lock.parent.rmdir()
    assert snapshot(work) == before
