"""A job's folder: which shards there are, which are done, and who is working on them."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from neurox_lite.activations.store import IN_FOLDER, ActivationStore
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.files import (
    cannot_be_written,
    leftovers,
    remove_leftovers,
    require_absent,
    write_errors,
)
from neurox_lite.json_files import read_json, write_json
from neurox_lite.locks import hold_lock, lock_of

FORMAT = "neurox_lite extraction"
VERSION = 1
MANIFEST, SHARDS, BATCH = "manifest.json", "shards", "batch_tokens.json"
OUR_NAMES = re.compile(
    rf"{re.escape(MANIFEST)}|{re.escape(BATCH)}|{re.escape(IN_FOLDER)}|{SHARDS}/\d{{5,}}\.h5|"
    rf"\.lock[^/]*|({SHARDS}/)?\.[^/]+\.(lock|[0-9a-f]{{12}}\.partial)"
)
"""The files of an extraction's folder."""

PATIENCE = 10.0
"""Seconds to wait for what another process does in a moment."""


@dataclass(frozen=True)
class JobFolder:
    """The folder ``OUT.unfinished`` in which a store is built, shard by shard.

    A shard is there, whole, or it is not: it is written beside its name, flushed and renamed.

    A process that does the whole job holds ``.lock``. Processes that do shares hold a lock each,
    ``.lock-1-of-4`` and so on, and ``.lock`` only while they take up the folder.

    Attributes
    ----------
    out : Path
        The store to be.
    key : str
        Hash of everything that decides what the store will hold.
    """

    out: Path
    key: str

    @property
    def folder(self) -> Path:
        return self.out.with_name(self.out.name + ".unfinished")

    def shard(self, number: int) -> Path:
        return self.folder / SHARDS / f"{number:05d}.h5"

    @contextlib.contextmanager
    def lock(self, share: str = "", *, wait: bool = False) -> Iterator[None]:
        """Keep other processes from doing the same; the lock goes with the process.

        Parameters
        ----------
        share : str
            What part of the job this process does, as ``-1-of-4``; processes with other parts of
            as many may run.
        wait : bool
            Wait for the other process.

        Raises
        ------
        InputError
            When another process does this part, the folder cannot be written, or it is not one
            that an extraction has made.
        """
        self.refuse_foreign()
        if share and not wait:
            with self.take_up():
                of_as_many = share[share.rindex("-of-") :]
                if not all(name.endswith(of_as_many) for name in self._working()):
                    raise self._is_worked_on()
                lock = self._acquire(share, 0)
        else:
            lock = self._acquire(share, -1 if wait else 0)
        try:
            if not share and self._working():
                raise self._is_worked_on()
            yield
        except BaseException:
            # Bad input that is found before anything is done leaves nothing behind.
            if (
                not self._shards()
                and self.manifest().get("key", self.key) == self.key
                and set(self._working()) <= {f".lock{share}"}
            ):
                self.remove()
            raise
        finally:
            _release(lock)
            for place in (self.folder / SHARDS, self.folder):
                with contextlib.suppress(OSError):  # something is there, or it has gone
                    place.rmdir()

    @contextlib.contextmanager
    def take_up(self) -> Iterator[None]:
        """Keep all others out for a moment."""
        lock = self._acquire("", PATIENCE)
        try:
            yield
        finally:
            _release(lock)

    def _is_worked_on(self) -> InputError:
        return InputError(
            f"{self.out}: another process extracts into it; wait for it or give another output"
        )

    def _working(self) -> list[str]:
        """The locks of the shares that are being done; what killed processes left is removed."""
        working = []
        for path in self.folder.glob(".lock-*-of-*"):
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                working.append(path.name)
            else:
                _release(lock)
        return working

    def _acquire(self, share: str, timeout: float, attempts: int = 5) -> FileLock:
        with write_errors(self.folder):
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = FileLock(self.folder / f".lock{share}")
                lock.acquire(timeout=timeout)
            except Timeout:
                raise self._is_worked_on() from None
            except FileNotFoundError:
                # Another share was the last to end, and has moved the folder away just now.
                if attempts == 1:
                    raise
                return self._acquire(share, timeout, attempts - 1)
        return lock

    def refuse_foreign(self) -> None:
        """Raise InputError when the folder is there and no extraction has made it."""
        if self.manifest():
            return
        foreign = foreign_file(self.folder)
        if not (foreign or is_damaged(self.folder) or any(map(self._key_of, self._shards()))):
            # Only locks, and what a process was writing when it was killed.
            named = (path for path in self.folder.rglob("[!.]*") if path.is_file())
            foreign = next(named, None)
        if foreign:
            raise InputError(
                f"{foreign}: was not written by neurox_lite, which builds the store in "
                f"{self.folder.name}; move it away or give another output"
            )

    def begin(self, description: dict[str, Any], shards: Sequence[range], overwrite: bool) -> None:
        """Write the manifest, or check that the one there is of the same job.

        Raises
        ------
        InputError
            When the folder holds another unfinished job and ``overwrite`` is False, or another
            process works on it.
        """
        manifest = self.manifest()
        sections = [[s.start, s.stop] for s in shards]
        if manifest:
            same = manifest.get("key") == self.key and manifest.get("shards") == sections
        else:  # new, or damaged: then its shards say whose it is
            same = {self._key_of(shard) for shard in self._shards()} <= {self.key, None}
        if not same:
            if not overwrite:
                raise InputError(
                    f"{self.folder}: holds an unfinished extraction with another model, corpus or "
                    "options; finish that one, give another output, or --overwrite"
                )
            if len(self._working()) > 1:  # not only this process
                raise self._is_worked_on()
            for path in (*self._shards(), self.folder / BATCH):
                path.unlink(missing_ok=True)
            manifest = {}
        (self.folder / SHARDS).mkdir(exist_ok=True)
        if not manifest:
            write_json(
                self.folder / MANIFEST,
                {
                    "format": FORMAT,
                    "version": VERSION,
                    "key": self.key,
                    **description,
                    "shards": sections,
                },
            )

    def _shards(self) -> list[Path]:
        return sorted((self.folder / SHARDS).glob("[0-9]*.h5"))

    def remove_leftovers(self) -> None:
        """Remove what a killed process was writing; not while another process works here."""
        remove_leftovers(self.folder, [MANIFEST, BATCH, IN_FOLDER, f"{SHARDS}/*.h5"])
        remove_leftovers(self.out.parent, [glob.escape(self.out.name)])
        for lock in (self.folder / SHARDS).glob(".*.h5.lock"):
            lock.unlink(missing_ok=True)

    def manifest(self) -> dict[str, Any]:
        """What an earlier run wrote; empty when there is none or it is damaged."""
        return read_manifest(self.folder)

    def done(self, n_shards: int) -> list[int]:
        """Numbers of the shards that are there."""
        return [number for number in range(n_shards) if self._is_done(number)]

    def _is_done(self, number: int) -> bool:
        return self._key_of(self.shard(number), number) == self.key

    def _key_of(self, shard: Path, number: int | None = None) -> str | None:
        """The job a shard is of; None of one that is damaged, missing or has another number."""
        try:
            with ActivationStore(shard) as store:
                whole = all(file.has_checksums for file in store.files)
                if whole and number in (None, store.metadata.get("shard")):
                    return store.metadata.get("job_key")
        except InputError:
            pass
        return None

    def batch_tokens(self, wanted: int) -> int:
        """The batch that has worked so far, where memory ran out before."""
        with contextlib.suppress(InputError, TypeError, KeyError):
            return min(wanted, int(read_json(self.folder / BATCH)["batch_tokens"]))
        return wanted

    def remember_batch_tokens(self, batch_tokens: int) -> None:
        write_json(self.folder / BATCH, {"batch_tokens": batch_tokens})

    def become_the_store(self, overwrite: bool) -> None:
        """Take the name of the store, in place of an earlier one.

        Raises
        ------
        InputError
            When there is anything else under this name, or ``overwrite`` is False.
        """
        self.remove_leftovers()
        (self.folder / BATCH).unlink(missing_ok=True)
        if self.out.is_dir() and any(self.out.iterdir()):
            require_absent(self.out, overwrite)
            refuse_other_than_store(self.out)
            remove_ours(self.out)
        self.folder.rename(self.out)
        for lock in self.out.glob(".lock*"):
            lock.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder, but for files in it that are not ours."""
        remove_ours(self.folder)


def _release(lock: FileLock) -> None:
    """Remove the file of a lock while it is held: nobody waits for one that is no longer there."""
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder that an extraction has made; empty if there is none."""
    try:
        manifest = read_json(folder / MANIFEST)
    except InputError:
        return {}
    is_ours = isinstance(manifest, dict) and manifest.get("format") == FORMAT
    return manifest if is_ours else {}


def is_damaged(folder: Path) -> bool:
    """Whether a folder has a manifest of an extraction that cannot be read."""
    file = folder / MANIFEST
    return file.is_file() and FORMAT.encode() in file.read_bytes() and not read_manifest(folder)


def refuse_other_than_store(folder: Path) -> None:
    """Raise InputError when a folder is no store, or has more in it than one."""
    foreign = foreign_file(folder)
    if not (foreign or read_manifest(folder) or is_damaged(folder)):
        foreign = folder
    if foreign:
        raise InputError(
            f"{foreign}: was not written by neurox_lite as part of the store {folder}, which would "
            "be replaced; move it away or give another output"
        )


def foreign_file(folder: Path) -> Path | None:
    """A file in a folder whose name is none that an extraction gives, or a symbolic link."""
    for place, folders, files in os.walk(folder):
        for path in [Path(place, name) for name in (*files, *folders)]:
            name = path.relative_to(folder).as_posix()
            is_folder = path.is_dir() and name == SHARDS
            if path.is_symlink() or not (is_folder or OUR_NAMES.fullmatch(name)):
                return path
    return None


def remove_leftovers_of(store: Path) -> None:
    """Remove what killed processes were writing of a finished store, unless one is writing it."""
    places = {store.parent: [glob.escape(store.name)], store: [IN_FOLDER, f"{SHARDS}/*.h5"]}
    if any(leftovers(folder, names) for folder, names in places.items()):
        with contextlib.suppress(InputError, OSError), hold_lock(store, lock_of(store)):
            for folder, names in places.items():
                remove_leftovers(folder, names)


def remove_ours(folder: Path) -> None:
    """Remove the files that an extraction has written, and the folder if nothing else is there."""
    for path in (*folder.glob("*"), *folder.glob(f"{SHARDS}/*")):
        if OUR_NAMES.fullmatch(path.relative_to(folder).as_posix()):
            with contextlib.suppress(OSError):
                path.unlink()
    for place in (folder / SHARDS, folder):
        with contextlib.suppress(OSError):  # something else is there
            place.rmdir()


@contextlib.contextmanager
def clear_write_errors(out: Path) -> Iterator[None]:
    """Turn what a full or failing disk raises into one line that says what to do.

    Raises
    ------
    UnfinishedError
    """
    kept = "the shards that are done are kept"
    try:
        yield
    except OSError as error:
        raise cannot_be_written(out, error, kept) from error
    except UnfinishedError as error:
        if isinstance(error.__cause__, OSError):  # of a file on the way there
            raise cannot_be_written(out, error.__cause__, kept) from error.__cause__
        raise
