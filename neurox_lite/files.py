"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from neurox_lite.arguments import as_path
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.input_files import open_input
from neurox_lite.locks import hold_lock, is_claimed, lock_of, real_path
from neurox_lite.own_files import is_ours

PARTIAL = re.compile(r"\.(?:(?P<name>.+)\.)?[0-9a-f]{12}\.partial", re.DOTALL)
"""Names of what is being written; without a name in it, of several files of a folder."""

OUTSIDE_CAUSES = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOMEM, errno.ESTALE),
    *(errno.EMFILE, errno.ENFILE),
}
"""Errors after which the same command may work without another output."""


@contextmanager
def atomic_write(path: str | Path, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    A block that raises leaves neither the temporary file nor a changed ``path``. No other process
    writes ``path`` meanwhile; what a killed one left of it is removed. Of a symbolic link the file
    it points to is replaced.

    Raises
    ------
    InputError
        When ``path`` is a folder, exists and ``overwrite`` is False, cannot be written, or another
        process writes it.
    UnfinishedError
        When the disk is full or fails.
    """
    path = Path(path)
    require_absent(path, overwrite)
    refuse_folder(path)
    refuse_foreign_link(path)
    target = real_path(path)
    with write_errors(path), ExitStack() as stack:
        if not is_claimed(target):
            stack.enter_context(hold_lock(path, lock_of(target)))
            remove_leftovers(target.parent, [glob.escape(target.name)])
        # Unique also among machines that share a file system.
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}.partial")
        stack.callback(partial.unlink, missing_ok=True)
        partial.touch()
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        require_absent(path, overwrite)
        partial.replace(target)


def remove_leftovers(folder: Path, names: Sequence[str]) -> None:
    """Remove what killed processes were writing under these names; nobody may be writing them."""
    for path in leftovers(folder, names):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def leftovers(folder: str | Path, names: Sequence[str]) -> list[Path]:
    """Partial files of these names, or patterns, in a folder, and partial folders of it."""
    found = []
    for below in {str(Path(name).parent) for name in names} | {"."}:
        of_place = [Path(name).name for name in names if str(Path(name).parent) == below]
        for place in [Path(folder)] if below == "." else Path(folder).glob(below):
            for path in place.glob(".*.partial"):
                match = PARTIAL.fullmatch(path.name)
                name = match and match["name"]
                if match and (
                    any(fnmatchcase(name, one) for one in of_place) if name else path.is_dir()
                ):
                    found.append(path)
    return found


def refuse_file(folder: str | Path) -> None:
    """Raise InputError when a folder to write into is a file, or cannot be written to."""
    folder = as_path(folder, "folder")
    if folder.is_file():
        raise InputError(f"{folder}: is a file; give a folder for the output")
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: cannot write there; choose another output")


def refuse_folder(path: str | Path) -> None:
    """Raise InputError when a file to write is a folder."""
    if as_path(path).is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")


def refuse_foreign_link(path: str | Path) -> None:
    """Raise InputError for a link to a file that is not ours, which writing would replace."""
    if Path(path).is_symlink() and Path(path).exists() and not is_ours(path):
        raise InputError(
            f"{path}: is a symbolic link to {real_path(Path(path))}, which was not written by "
            "neurox_lite; give another output"
        )


def require_absent(path: str | Path, overwrite: bool) -> None:
    """Raise InputError when ``path`` exists and may not be overwritten."""
    path = as_path(path)
    if not overwrite and path.exists():
        raise InputError(f"{path}: exists already; give another output or --overwrite")


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what a full or failing disk raises into one line that says what to do."""
    try:
        yield
    except UnfinishedError as error:
        # Of a file that is moved under this name afterwards.
        if isinstance(error.__cause__, OSError):
            raise cannot_be_written(path, error.__cause__) from error.__cause__
        raise
    except OSError as error:
        if error.errno in OUTSIDE_CAUSES:
            raise cannot_be_written(path, error) from error
        name = Path(os.fsdecode(error.filename or ""))
        if name.name.endswith((".partial", ".lock")) or name.absolute() in (
            path.absolute(),
            *path.absolute().parents,
            *real_path(path).parents,
        ):
            raise InputError(
                f"{path}: cannot write there ({error.strerror}); choose another output"
            ) from None
        raise


def cannot_be_written(
    path: str | Path, error: OSError, kept: str = "what was there is unchanged"
) -> UnfinishedError:
    """The one line about a file that could not be written for a reason outside of it."""
    reason = " ".join(str(error.strerror or error).split())
    what_to_do = "make room or repair the disk"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        what_to_do = "allow more open files (ulimit -n)"
    return UnfinishedError(
        f"{path}: cannot be written ({reason}); {kept}: {what_to_do} and run the same command again"
    )


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_write(path) as partial:
        partial.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically, as UTF-8."""
    write_bytes(path, text.encode())


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    with open_input(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
