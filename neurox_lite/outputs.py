"""Outputs of a command: only what is ours is replaced, and nobody else writes it meanwhile."""

from __future__ import annotations

import glob
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from neurox_lite.errors import InputError
from neurox_lite.files import (
    refuse_file,
    refuse_folder,
    refuse_foreign_link,
    remove_leftovers,
    require_absent,
    write_errors,
)
from neurox_lite.locks import LOCK, claim, hold_lock, is_claimed, lock_of, real_path
from neurox_lite.own_files import is_ours

SUFFIXES = ("json", "csv", "tex", "png", "pdf", "svg")
"""Of results, their tables and their figures."""


@contextmanager
def reserve_file(path: str | Path, overwrite: bool) -> Iterator[None]:
    """Keep other processes from writing a file while the block works for it.

    Raises what :func:`atomic_write` raises.
    """
    path = Path(path)
    require_absent(path, overwrite)
    refuse_folder(path)
    refuse_foreign_link(path)
    target = real_path(path)
    with ExitStack() as stack:
        with write_errors(path):
            stack.enter_context(hold_lock(path, lock_of(target)))
            require_absent(path, overwrite)
            remove_leftovers(target.parent, [glob.escape(target.name)])
        stack.enter_context(claim(target))
        yield


@contextmanager
def reserve_folder(
    folder: str | Path, names: Sequence[str] = (), overwrite: bool = True
) -> Iterator[None]:
    """Keep other processes out of a folder of results while the block works for it.

    Parameters
    ----------
    folder : path
    names : sequence of str
        Patterns of the files that are going to be written.
    overwrite : bool
        Whether such files may be replaced, if neurox_lite wrote them.

    Raises
    ------
    InputError
        When the folder is a file, cannot be written, holds a file of these names that may not be
        replaced, or another process works in it.
    UnfinishedError
    """
    folder = Path(folder)
    refuse_file(folder)
    refuse_foreign(folder, names)
    with ExitStack() as stack:
        with write_errors(folder):
            stack.enter_context(hold_lock(folder, folder / LOCK))
            for path in find_files(folder, names):
                require_absent(path, overwrite)
            refuse_foreign(folder, names)
            remove_leftovers(folder, names)
        stack.enter_context(claim(real_path(folder)))
        yield


@contextmanager
def atomic_write_folder(folder: str | Path, names: Sequence[str] = ()) -> Iterator[Path]:
    """Give a temporary folder; move its files into ``folder`` if the block succeeds.

    So that files that belong together are replaced together or not at all.

    Parameters
    ----------
    folder : path
    names : sequence of str
        Patterns of files that the new ones take the place of, also where there is no new one.

    Raises
    ------
    InputError
        When a file to be replaced was not written by neurox_lite, the folder cannot be written, or
        another process works in it.
    UnfinishedError
        When the disk is full or fails.
    """
    folder = Path(folder)
    refuse_file(folder)
    with write_errors(folder), ExitStack() as stack:
        if not is_claimed(folder):
            stack.enter_context(hold_lock(folder, folder / LOCK))
            remove_leftovers(folder, names)
        refuse_foreign(folder, names)
        new = folder / f".{uuid.uuid4().hex[:12]}.partial"
        stack.callback(shutil.rmtree, new, ignore_errors=True)
        new.mkdir()
        yield new
        written = {str(file.relative_to(new)) for file in new.rglob("*") if file.is_file()}
        refuse_foreign(folder, [glob.escape(name) for name in written])
        for name in sorted(written):
            (folder / name).parent.mkdir(exist_ok=True)
            (new / name).replace(folder / name)
        for path in find_files(folder, names):
            if str(path.relative_to(folder)) not in written:
                path.unlink()
                if path.parent != folder:
                    with suppress(OSError):  # something else is there
                        path.parent.rmdir()


def result_names(*stems: str) -> list[str]:
    """The names that a result of a folder, its tables and its figures may have."""
    return [f"{stem}.{suffix}" for stem in stems for suffix in SUFFIXES]


def refuse_foreign(folder: str | Path, names: Sequence[str]) -> None:
    """Raise InputError when a folder has files of these names that neurox_lite did not write."""
    for path in find_files(Path(folder), names):
        if not is_ours(path):
            raise InputError(
                f"{path}: was not written by neurox_lite, which would replace it; move it away or "
                "give another output"
            )


def refuse_input(out: str | Path, *inputs: str | Path | None) -> None:
    """Raise InputError when an output is one of the inputs, or in a folder that is a model."""
    place = real_path(Path(out))
    for given in inputs:
        if given is None or not Path(given).exists():
            continue
        source = real_path(Path(given))
        if place == source:
            raise InputError(f"{out}: is an input, too; give another output")
        if source in place.parents and (source / "config.json").is_file():
            raise InputError(
                f"{out}: is in the folder of the model {given}; give an output outside of it"
            )


def find_files(folder: Path, names: Sequence[str]) -> list[Path]:
    """What is in a folder under these names, broken links too."""
    found = {path for name in names for path in folder.glob(name)}
    plain = {folder / name for name in names if os.path.lexists(folder / name)}
    return sorted(found | plain)
