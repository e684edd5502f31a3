"""Run a job: every stage once, in order, skipping what is already done."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from neurox_lite.activations.labelled_rows import labelled_rows
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import expect
from neurox_lite.errors import InputError
from neurox_lite.files import hash_file, refuse_file, remove_leftovers, write_text
from neurox_lite.json_files import hash_json, read_json, write_json
from neurox_lite.locks import LOCK, claim, hold_lock, real_path
from neurox_lite.measure import measure
from neurox_lite.outputs import refuse_foreign, refuse_input
from neurox_lite.own_files import is_ours
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.stages import STAGES, Stage
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.report.job_files import (
    ABLATION,
    CONTROL,
    JOB,
    LAYER_SCORES,
    LEARNING_CURVE,
    MINIMAL_SET,
    ONLINE_CODE,
    RANK_INTERVALS,
    RECORD,
    REDUNDANCY,
    SEARCH,
    STORE,
)
from neurox_lite.results.token_attributions import TokenAttributions

logger = logging.getLogger(__name__)

RECORD_VERSION = 1
FILES = [name for stage in STAGES for name in (*stage.files, *stage.sometimes)]


@dataclass(frozen=True)
class JobResult:
    """What a run did.

    Attributes
    ----------
    folder : Path
    ran, skipped : tuple of str
        Stages.
    converged : bool
        Whether all probes reached their tolerance.
    skipped_lines : tuple of str
        Bad lines of the corpus, whose sentences are left out.
    """

    folder: Path
    ran: tuple[str, ...]
    skipped: tuple[str, ...]
    converged: bool
    skipped_lines: tuple[str, ...] = ()


def run_job(job: Job) -> JobResult:
    """Extract, fit, rank and evaluate, into the job's folder of results.

    A stage is skipped when it ran before with the same content (model files, words, labels,
    options, and the stages before it) and its files are unchanged. When a stage has to run, the
    results of all stages that use its own are removed first, so that a folder never mixes jobs.

    Raises
    ------
    InputError
        When the folder holds something else or another run works in it, or input is bad.
    """
    expect(job, Job, "job", "a Job, as Job.read('job.yaml')")
    folder = Path(job.out)
    refuse_file(folder)
    refuse_input(folder, job.model, *_files(job.corpus), *_files(job.labels))
    _refuse_foreign(folder)
    work = Workspace(job)
    # Bad labels and words cost nothing here, and hours after extraction.
    labelled_rows(work.corpus, job.tag, keep=work.keep, min_count=job.probe.min_count)
    STAGES[0].inputs(work)
    with _take_up(folder):
        ran, skipped = _run_stages(work, folder)
    lines = tuple(work.corpus.skipped)
    return JobResult(folder, tuple(ran), tuple(skipped), _converged(work), lines)


def _run_stages(work: Workspace, folder: Path) -> tuple[list[str], list[str]]:
    record = _read_record(folder)
    keys: dict[str, str] = {}
    ran: list[str] = []
    skipped: list[str] = []
    for stage in STAGES:
        if not stage.is_wanted(work):
            if stage.name in record:
                _forget(stage, record, "", folder)
            continue
        before = [keys[name] for name in stage.after if name in keys]
        keys[stage.name] = hash_json([RECORD_VERSION, stage.name, stage.inputs(work), before])
        if _is_done(record.get(stage.name), keys[stage.name], folder):
            logger.info("%s: already done", stage.name)
            skipped.append(stage.name)
            continue
        _forget(stage, record, keys[stage.name], folder)
        write_text(folder / JOB, replace(work.job, extract=work.extract).to_yaml())
        logger.info("%s: running", stage.name)
        with measure() as cost:
            stage.run(work)
        logger.info("%s: done in %.1f s", stage.name, cost.seconds)
        record[stage.name] = {
            "key": keys[stage.name],
            "files": {name: _content(folder / name) for name in _written(stage, folder)},
            **asdict(cost),
        }
        write_json(folder / RECORD, record)
        ran.append(stage.name)
    return ran, skipped


@contextmanager
def _take_up(folder: Path) -> Iterator[None]:
    """Keep other runs out of the folder; the lock goes with the process, however it ends."""
    with hold_lock(folder, folder / LOCK, "another run works there"), claim(real_path(folder)):
        _refuse_foreign(folder)
        remove_leftovers(folder, [RECORD, JOB, *FILES])
        if not (folder / RECORD).is_file():
            write_json(folder / RECORD, {})
        yield


def _refuse_foreign(folder: Path) -> None:
    """Raise InputError when the folder has something that a run would remove, and did not write."""
    names = {path.name for path in folder.glob("[!.]*")}
    record = _read_record(folder)
    entries = [entry for entry in record.values() if isinstance(entry, dict)]
    entries = [entry for entry in entries if isinstance(entry.get("files"), dict)]
    is_record = bool(entries) or ((folder / RECORD).is_file() and is_ours(folder / RECORD))
    known = {RECORD, JOB, f"{STORE.name}.unfinished", *(Path(name).parts[0] for name in FILES)}
    if (names and RECORD not in names) or (names - known and not is_record):
        raise InputError(f"{folder}: exists and holds other files; give another 'out'")
    listed = {name for entry in entries for name in entry["files"]}
    refuse_foreign(folder, sorted(set(FILES) - listed))


def _files(given: str | Mapping[str, str] | None) -> list[str]:
    if given is None or isinstance(given, str):
        return [given] if given else []
    return list(given.values())


def _read_record(folder: Path) -> dict[str, Any]:
    """What earlier runs did; a damaged record is as good as none."""
    try:
        record = read_json(folder / RECORD)
    except InputError:
        return {}
    return record if isinstance(record, dict) else {}


def _forget(stage: Stage, record: dict[str, Any], key: str, folder: Path) -> None:
    """Remove the results of a stage; and those of the stages after it, unless it is repeated."""
    gone = {stage.name}
    entry = record.get(stage.name)
    if not (isinstance(entry, dict) and entry.get("key") == key):
        for later in STAGES:
            if gone & set(later.after):
                gone.add(later.name)
    for other in STAGES:
        if other.name in gone:
            record.pop(other.name, None)
            for name in (*other.files, *other.sometimes):
                (folder / name).unlink(missing_ok=True)
    write_json(folder / RECORD, record)


def _written(stage: Stage, folder: Path) -> list[str]:
    return [*stage.files, *(name for name in stage.sometimes if (folder / name).is_file())]


def _is_done(entry: Any, key: str, folder: Path) -> bool:
    if not isinstance(entry, dict) or entry.get("key") != key:
        return False
    try:
        return all(_content(folder / name) == was for name, was in entry["files"].items())
    except (InputError, OSError, KeyError, AttributeError):
        return False


def _content(path: Path) -> str:
    """Hash of a file's content; a store knows its own, so gigabytes are not read again."""
    if path.suffix == ".h5":
        with ActivationStore(path) as store:
            return store.content_hash
    return hash_file(path)


def _converged(work: Workspace) -> bool:
    results: list[Any] = [work.read(MINIMAL_SET), *work.read(ABLATION).curves]
    if work.job.study:
        results += [*work.read(REDUNDANCY)]
        results += [work.read(LAYER_SCORES), work.read(ONLINE_CODE)]
        results += [work.read(LEARNING_CURVE), work.read(RANK_INTERVALS)]
    if work.job.probe.search and not work.read(SEARCH).all_converged:
        return False
    attributed = [work.folder / f"attribution/{name}.json" for name in work.job.attribute.methods]
    if not all(TokenAttributions.load(path).holds for path in attributed):
        return False
    return (
        work.probe.certificate_.converged
        and work.read(CONTROL).control_converged
        and all(result.converged for result in results)
    )
