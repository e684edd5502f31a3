"""A folder of results: its stages are run once, and what they wrote is known again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic

from neurox_lite.activations.store import ActivationStore
from neurox_lite.errors import InputError
from neurox_lite.files import hash_file, remove_leftovers, write_text
from neurox_lite.json_files import hash_json, read_json, write_json
from neurox_lite.locks import LOCK, claim, hold_lock, real_path
from neurox_lite.measure import measure
from neurox_lite.outputs import refuse_foreign
from neurox_lite.own_files import is_ours
from neurox_lite.pipeline.stage import Stage, Work
from neurox_lite.report.job_files import JOB, RECORD, STORE

logger = logging.getLogger(__name__)

RECORD_VERSION = 1


@dataclass(frozen=True)
class ResultFolder(Generic[Work]):
    """A folder and the stages that write into it.

    Attributes
    ----------
    path : Path
    stages : tuple of Stage
        All that a job may have, in the order in which they run.
    subfolders : tuple of str
        Folders of results of their own in it.
    """

    path: Path
    stages: tuple[Stage[Work], ...]
    subfolders: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        """All that its stages may write."""
        return [name for stage in self.stages for name in (*stage.files, *stage.sometimes)]

    def refuse_foreign(self) -> None:
        """Raise InputError when it has something that a run would remove, and did not write."""
        names = {path.name for path in self.path.glob("[!.]*")}
        record = self.read_record()
        entries = [entry for entry in record.values() if isinstance(entry, dict)]
        entries = [entry for entry in entries if isinstance(entry.get("files"), dict)]
        own_record = self.path / RECORD
        is_record = bool(entries) or (own_record.is_file() and is_ours(own_record))
        first = (Path(name).parts[0] for name in (*self.files, *self.subfolders))
        known = {RECORD, JOB, f"{STORE.name}.unfinished", *first}
        if (names and RECORD not in names) or (names - known and not is_record):
            raise InputError(f"{self.path}: exists and holds other files; give another 'out'")
        listed = {name for entry in entries for name in entry["files"]}
        refuse_foreign(self.path, sorted(set(self.files) - listed))

    @contextmanager
    def take_up(self) -> Iterator[None]:
        """Keep other runs out of the folder; the lock goes with the process, however it ends."""
        lock = hold_lock(self.path, self.path / LOCK, "another run works there")
        with lock, claim(real_path(self.path)):
            self.refuse_foreign()
            remove_leftovers(self.path, [RECORD, JOB, *self.files])
            if not (self.path / RECORD).is_file():
                write_json(self.path / RECORD, {})
            yield

    def run(
        self, stages: Sequence[Stage[Work]], work: Work, job: str
    ) -> tuple[list[str], list[str]]:
        """Run those stages that were not run before with the same inputs.

        Parameters
        ----------
        stages : sequence of Stage
            All, or those of which it is time.
        work : Workspace or other
            What stages are given.
        job : str
            The job as YAML, written into the folder when a stage has to run.

        Returns
        -------
        ran, skipped : lists of str
        """
        record = self.read_record()
        ran: list[str] = []
        skipped: list[str] = []
        for stage, key in _keys(stages, work):
            if key is None:
                if stage.name in record:
                    self._forget(stage, record, "")
                continue
            if self._is_done(record.get(stage.name), key):
                logger.info("%s: already done", stage.name)
                skipped.append(stage.name)
                continue
            self._forget(stage, record, key)
            write_text(self.path / JOB, job)
            logger.info("%s: running", stage.name)
            with measure() as cost:
                stage.run(work)
            logger.info("%s: done in %.1f s", stage.name, cost.seconds)
            record[stage.name] = {
                "key": key,
                "files": {name: _content(self.path / name) for name in self._written(stage)},
                **asdict(cost),
            }
            write_json(self.path / RECORD, record)
            ran.append(stage.name)
        return ran, skipped

    def done(self, stages: Sequence[Stage[Work]], work: Work) -> set[str]:
        """Names of the stages that :meth:`run` would skip."""
        record = self.read_record()
        return {
            stage.name
            for stage, key in _keys(stages, work)
            if self._is_done(record.get(stage.name), key)
        }

    def read_record(self) -> dict[str, Any]:
        """What earlier runs did; a damaged record is as good as none."""
        try:
            record = read_json(self.path / RECORD)
        except InputError:
            return {}
        return record if isinstance(record, dict) else {}

    def _forget(self, stage: Stage[Work], record: dict[str, Any], key: str) -> None:
        """Remove results of a stage; and those of the stages after it, unless it is repeated."""
        gone = {stage.name}
        entry = record.get(stage.name)
        if not (isinstance(entry, dict) and entry.get("key") == key):
            for later in self.stages:
                if gone & set(later.after):
                    gone.add(later.name)
        for other in self.stages:
            if other.name in gone:
                record.pop(other.name, None)
                for name in (*other.files, *other.sometimes):
                    (self.path / name).unlink(missing_ok=True)
        write_json(self.path / RECORD, record)

    def _written(self, stage: Stage[Work]) -> list[str]:
        own = (name for name in stage.sometimes if (self.path / name).is_file())
        return [*stage.files, *own]

    def _is_done(self, entry: Any, key: str | None) -> bool:
        if key is None or not isinstance(entry, dict) or entry.get("key") != key:
            return False
        try:
            return all(_content(self.path / name) == was for name, was in entry["files"].items())
        except (InputError, OSError, KeyError, AttributeError):
            return False


def _keys(stages: Sequence[Stage[Work]], work: Work) -> Iterator[tuple[Stage[Work], str | None]]:
    """Every stage, and what decides whether it has to run; None of one that the job has not."""
    keys: dict[str, str] = {}
    for stage in stages:
        if not stage.is_wanted(work):
            yield stage, None
            continue
        before = [keys[name] for name in stage.after if name in keys]
        keys[stage.name] = hash_json([RECORD_VERSION, stage.name, stage.inputs(work), before])
        yield stage, keys[stage.name]


def _content(path: Path) -> str:
    """Hash of a file's content; a store knows its own, so gigabytes are not read again."""
    if path.suffix == ".h5":
        with ActivationStore(path) as store:
            return store.content_hash
    return hash_file(path)
