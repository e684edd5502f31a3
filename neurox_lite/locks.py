"""Keeping other processes from a file or folder while this one works on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from neurox_lite.errors import InputError

LOCK = ".lock"
"""Keeps other processes out of a folder."""

_claimed: set[Path] = set()
"""Files and folders that this process keeps others from for longer than it writes them."""


def is_claimed(path: Path) -> bool:
    """Whether this process keeps others from a file or folder already."""
    return real_path(path) in _claimed


@contextmanager
def claim(path: Path) -> Iterator[None]:
    """Let this process write a file or folder that it has locked."""
    _claimed.add(path)
    try:
        yield
    finally:
        _claimed.discard(path)


@contextmanager
def hold_lock(
    path: Path, lock_file: Path, refusal: str = "another process writes there"
) -> Iterator[None]:
    """Hold a lock, which goes with the process; the folders made for it go again if empty."""
    from filelock import FileLock, Timeout

    made = [place for place in lock_file.parents if not place.exists()]
    lock = FileLock(lock_file, thread_local=False)  # a thread may end what another began
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise InputError(f"{path}: {refusal}; wait for it or give another output") from None
        try:
            yield
        finally:
            # While it is held, and only what a lock is: an empty file.
            with suppress(OSError):
                if not lock_file.stat().st_size:
                    lock_file.unlink()
            lock.release()
    finally:
        for place in made:
            with suppress(OSError):  # something else is there
                place.rmdir()


def lock_of(file: Path) -> Path:
    """The lock of a single file."""
    return file.with_name(f".{file.name}.lock")


def real_path(path: Path) -> Path:
    """A path without symbolic links."""
    return Path(os.path.realpath(path))
