"""Run a job of one tag and one model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurox_lite.activations.labelled_rows import labelled_rows
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.files import refuse_file, write_errors
from neurox_lite.locks import real_path
from neurox_lite.outputs import refuse_input
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.job_result import JobResult
from neurox_lite.pipeline.result_folder import ResultFolder
from neurox_lite.pipeline.stages import STAGES
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.report.job_files import (
    ABLATION,
    CONTROL,
    LAYER_SCORES,
    LEARNING_CURVE,
    MINIMAL_SET,
    ONLINE_CODE,
    RANK_INTERVALS,
    REDUNDANCY,
    SEARCH,
    STORE,
)
from neurox_lite.results.token_attributions import TokenAttributions


def run_single(
    job: Job, *, store: Path | None = None, corpus: TaggedCorpus | None = None
) -> JobResult:
    """Run a job of one tag and one model.

    Parameters
    ----------
    job : Job
    store : path, optional
        What extraction would make, made already: the folder gets a link to it.
    corpus : TaggedCorpus, optional
        What reading its files gives, read already.

    Raises
    ------
    InputError
        As :func:`neurox_lite.run_job`.
    """
    work = checked(job, corpus)
    folder = folder_of(job, store)
    with folder.take_up():
        resolved = replace(job, extract=work.extract).to_yaml()
        ran, skipped = folder.run(folder.stages, work, resolved)
    lines = tuple(work.corpus.skipped)
    return JobResult(folder.path, tuple(ran), tuple(skipped), _converged(work), lines)


def folder_of(job: Job, store: Path | None = None) -> ResultFolder[Workspace]:
    """The folder of a job; with a store it is linked instead of extracted."""
    extract, *others = STAGES
    first = extract if store is None else replace(extract, run=_linking(store))
    return ResultFolder(Path(job.out), (first, *others))


def checked(job: Job, corpus: TaggedCorpus | None = None) -> Workspace:
    """What the stages work with, after all that can be known to be wrong without activations."""
    folder = folder_of(job)
    refuse_file(folder.path)
    refuse_input(folder.path, job.model, *files_of(job.corpus), *files_of(job.labels))
    folder.refuse_foreign()
    if set(folder.read_record()) - {stage.name for stage in STAGES}:
        raise InputError(
            f"{folder.path}: holds the results of a job of several tags or models; give another "
            "'out'"
        )
    work = Workspace(job, corpus)
    # Bad labels and words cost nothing here, and hours after extraction.
    labelled_rows(work.corpus, job.tag, keep=work.keep, min_count=job.probe.min_count)
    STAGES[0].inputs(work)
    return work


def files_of(given: str | Mapping[str, str] | None) -> list[str]:
    """The files that a key of a job names."""
    if given is None or isinstance(given, str):
        return [given] if given else []
    return list(given.values())


def _linking(store: Path) -> Any:
    def link(work: Workspace) -> None:
        path = work.path(STORE)
        with write_errors(path):
            path.symlink_to(os.path.relpath(real_path(store), real_path(path.parent)))

    return link


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
