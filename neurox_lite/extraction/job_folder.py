"""A job's folder: which shards there are, which are done, and who is working on them."""

from __future__ import annotations

import contextlib
import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from neurox_lite.activations.store import IN_FOLDER, ActivationStore
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.extraction.folder_files import (
    BATCH,
    FORMAT,
    MANIFEST,
    SHARDS,
    VERSION,
    foreign_file,
    is_damaged,
    read_manifest,
    refuse_other_than_store,
    remove_ours,
)
from neurox_lite.files import (
    cannot_be_written,
    remove_leftovers,
    require_absent,
    write_errors,
)
from neurox_lite.json_files import read_json, write_json

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
            Wait for the other process; else it is an InputError that one does this part.
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

        Raises InputError when the folder holds another unfinished job and ``overwrite`` is False,
        or another process works on it.
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

    @contextlib.contextmanager
    def write_errors(self) -> Iterator[None]:
        """Make one line, an UnfinishedError, of what a full or failing disk raises."""
        try:
            yield
        except (OSError, UnfinishedError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError):
                raise
            kept = ["the shards that are done are kept"] if self._shards() else []
            raise cannot_be_written(self.out, cause, *kept) from cause

    def become_the_store(self, overwrite: bool) -> None:
        """Take the name of the store, in place of an earlier one if ``overwrite``."""
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
