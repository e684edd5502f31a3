"""Run a job: every stage once, in order, skipping what is already done."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neurox_lite.activations.store import ActivationStore
from neurox_lite.errors import InputError
from neurox_lite.files import hash_file, hash_json, read_json, write_json, write_text
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.measure import measure
from neurox_lite.pipeline.stages import STAGES
from neurox_lite.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)

RECORD = "stages.json"
RECORD_VERSION = 1


@dataclass(frozen=True)
class JobResult:
    """What a run did.

    Attributes
    ----------
    folder : Path
    ran, skipped : tuple of str
        Stages.
    converged : bool
        Whether the probe reached its tolerance.
    """

    folder: Path
    ran: tuple[str, ...]
    skipped: tuple[str, ...]
    converged: bool


def run_job(job: Job) -> JobResult:
    """Extract, fit, rank and evaluate, into the job's folder of results.

    A stage is skipped when it ran before with the same content (model files, words, labels,
    options, and the stages before it) and its files are unchanged.

    Raises
    ------
    InputError
        When the folder holds something else, or the input of a stage is bad.
    """
    folder = Path(job.out)
    record_path = folder / RECORD
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: exists and is a file; give a folder as 'out'")
    if folder.is_dir() and any(folder.iterdir()) and not record_path.is_file():
        raise InputError(f"{folder}: exists and holds other files; give another 'out'")
    work = Workspace(job)
    work.corpus.labels(job.tag)  # an unknown tag costs nothing here, and hours after extraction
    record: dict[str, Any] = read_json(record_path) if record_path.is_file() else {}
    keys: dict[str, str] = {}
    ran: list[str] = []
    skipped: list[str] = []
    for stage in STAGES:
        before = [keys[name] for name in stage.after]
        keys[stage.name] = hash_json([RECORD_VERSION, stage.name, stage.inputs(work), before])
        if _is_done(record.get(stage.name), keys[stage.name], folder):
            logger.info("%s: already done", stage.name)
            skipped.append(stage.name)
            continue
        logger.info("%s: running", stage.name)
        with measure() as cost:
            stage.run(work)
        logger.info("%s: done in %.1f s", stage.name, cost.seconds)
        if not ran:
            write_text(folder / "job.yaml", job.to_yaml())
        record[stage.name] = {
            "key": keys[stage.name],
            "files": {name: _content(folder / name) for name in stage.files},
            **asdict(cost),
        }
        write_json(record_path, record)
        ran.append(stage.name)
    return JobResult(folder, tuple(ran), tuple(skipped), work.probe.certificate_.converged)


def _is_done(entry: dict[str, Any] | None, key: str, folder: Path) -> bool:
    if entry is None or entry["key"] != key:
        return False
    files = entry["files"]
    return all((folder / name).is_file() for name in files) and all(
        _content(folder / name) == content for name, content in files.items()
    )


def _content(path: Path) -> str:
    """Hash of a file's content; a store knows its own, so gigabytes are not read again."""
    if path.suffix == ".h5":
        with ActivationStore(path) as store:
            return store.content_hash
    return hash_file(path)
