"""A job's folder: which shards there are, which are done, and who is working on them."""

from __future__ import annotations

import contextlib
import glob
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from neurox_lite.activations.store import ActivationStore
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.files import read_json, write_json

VERSION = 1
MANIFEST, SHARDS, BATCH = "manifest.json", "shards", "batch_tokens.json"


@dataclass(frozen=True)
class JobFolder:
    """The folder ``OUT.unfinished`` in which a store is built, shard by shard.

    A shard is there, whole, or it is not: it is written beside its name, flushed and renamed.

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
    def locked(self, share: str = "", *, wait: bool = False) -> Iterator[None]:
        """Keep other processes from doing the same; the lock goes with the process.

        Parameters
        ----------
        share : str
            What part of the job this process does; processes with other parts may run.
        wait : bool
            Wait for the other process.

        Raises
        ------
        InputError
            When another process does this part, or the folder cannot be written.
        """
        lock = self._acquire(share, wait)
        try:
            yield
        except BaseException:
            # Bad input that is found before anything is done leaves nothing behind.
            if not share and not any((self.folder / SHARDS).glob("[0-9]*.h5")):
                self.remove()
            raise
        finally:
            lock.release()

    def _acquire(self, share: str, wait: bool, attempts: int = 5) -> FileLock:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / f".lock{share}")
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            raise InputError(
                f"{self.out}: another process extracts into it; wait for it or give another output"
            ) from None
        except OSError as error:
            # Another share was the last to end, and has moved the folder away just now.
            if isinstance(error, FileNotFoundError) and attempts > 1:
                return self._acquire(share, wait, attempts - 1)
            raise InputError(
                f"{self.out}: cannot write there ({error.strerror}); choose another output"
            ) from None
        return lock

    def begin(self, description: dict[str, Any], shards: Sequence[range], overwrite: bool) -> None:
        """Write the manifest, or check that the one there is of the same job.

        Raises
        ------
        InputError
            When the folder holds another unfinished job and ``overwrite`` is False.
        """
        manifest = self.manifest()
        sections = [[s.start, s.stop] for s in shards]
        same = manifest.get("key") == self.key and manifest.get("shards") == sections
        if manifest and not same:
            if not overwrite:
                raise InputError(
                    f"{self.folder}: holds an unfinished extraction with another model, corpus or "
                    "options; finish that one, give another output, or --overwrite"
                )
            shutil.rmtree(self.folder / SHARDS, ignore_errors=True)
            (self.folder / BATCH).unlink(missing_ok=True)
            manifest = {}
        (self.folder / SHARDS).mkdir(exist_ok=True)
        if not manifest:
            write_json(
                self.folder / MANIFEST,
                {
                    "format": "neurox_lite extraction",
                    "version": VERSION,
                    "key": self.key,
                    **description,
                    "shards": sections,
                },
            )

    def remove_leftovers(self) -> None:
        """Remove what a killed process was writing; not while another process works here."""
        for leftover in (
            *(self.folder / SHARDS).glob(".*.partial"),
            *self.out.parent.glob(f".{glob.escape(self.out.name)}.*.partial"),
        ):
            leftover.unlink(missing_ok=True)

    def manifest(self) -> dict[str, Any]:
        """What an earlier run wrote; empty when there is none or it is damaged."""
        try:
            manifest = read_json(self.folder / MANIFEST)
        except InputError:
            return {}
        return manifest if isinstance(manifest, dict) else {}

    def done(self, n_shards: int) -> list[int]:
        """Numbers of the shards that are there."""
        return [number for number in range(n_shards) if self._is_done(number)]

    def _is_done(self, number: int) -> bool:
        try:
            with ActivationStore(self.shard(number)) as store:
                told = store.metadata.get("job_key"), store.metadata.get("shard")
                return told == (self.key, number)
        except InputError:
            return False

    def batch_tokens(self, wanted: int) -> int:
        """The batch that has worked so far, where memory ran out before."""
        with contextlib.suppress(InputError, TypeError, KeyError):
            return min(wanted, int(read_json(self.folder / BATCH)["batch_tokens"]))
        return wanted

    def remember_batch_tokens(self, batch_tokens: int) -> None:
        write_json(self.folder / BATCH, {"batch_tokens": batch_tokens})

    def leave_only_the_store(self) -> None:
        """Remove what was only needed to get there."""
        self.remove_leftovers()
        (self.folder / BATCH).unlink(missing_ok=True)
        for lock in self.folder.glob(".lock*"):
            lock.unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def clear_write_errors(out: Path) -> Iterator[None]:
    """Turn what a full or failing disk raises into one line that says what to do.

    Raises
    ------
    UnfinishedError
    """
    try:
        yield
    except OSError as error:
        reason = " ".join(str(error.strerror or error).split())
        raise UnfinishedError(
            f"{out}: cannot be written ({reason}); the shards that are done are kept: make room "
            "or repair the disk and run the same command again"
        ) from error
