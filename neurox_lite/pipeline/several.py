"""Run a job of several tags or models: extract once per model, run each tag, compare."""

from __future__ import annotations

import logging
from pathlib import Path

from neurox_lite.errors import InputError
from neurox_lite.extraction.job import ExtractionJob
from neurox_lite.files import refuse_file
from neurox_lite.outputs import refuse_input
from neurox_lite.pipeline.comparison import SeveralJobs
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.job_result import JobResult
from neurox_lite.pipeline.result_folder import ResultFolder
from neurox_lite.pipeline.single import checked, files_of, run_single
from neurox_lite.pipeline.stages import STAGES
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.report.comparison_files import LOCALISATIONS

logger = logging.getLogger(__name__)


def run_several(job: Job) -> JobResult:
    """Run a job of several tags or models.

    Raises
    ------
    InputError
        As :func:`neurox_lite.run_job`, before anything is extracted.
    """
    several = SeveralJobs.of(job)
    folder = checked_several(several)
    _check_models(several, folder)
    with folder.take_up():
        ran, skipped = folder.run(several.extraction(), several, job.to_yaml())
        results = []
        for leaf in several.leaves:
            logger.info("%s:", leaf.label)
            store = several.folder / leaf.store
            results.append(run_single(leaf.job, store=store, corpus=several.corpus))
            # Their extraction is a link to what is extracted here.
            for names, done in ((ran, results[-1].ran), (skipped, results[-1].skipped)):
                names += [f"{leaf.name}: {name}" for name in done if name != STAGES[0].name]
        after = folder.run(several.after_leaves(), several, job.to_yaml())
    converged = all(result.converged for result in results)
    return JobResult(
        folder=folder.path,
        ran=(*ran, *after[0]),
        skipped=(*skipped, *after[1]),
        converged=converged and LOCALISATIONS.read(several.folder).converged,
        skipped_lines=results[0].skipped_lines,
    )


def _check_models(several: SeveralJobs, folder: ResultFolder[SeveralJobs]) -> None:
    """Load what is extracted later: that it lacks a layer is better known now than in hours."""
    _, *later = several.extraction()
    done = folder.done(several.extraction(), several)
    of_models = zip(later, list(several.by_model.values())[1:], strict=True)
    for leaf in (leaves[0] for stage, leaves in of_models if stage.name not in done):
        work = Workspace(leaf.job, several.corpus)
        store = several.folder / leaf.store
        ExtractionJob(leaf.job.model, work.words, store, work.extract, overwrite=True).check()


def checked_several(several: SeveralJobs) -> ResultFolder[SeveralJobs]:
    """The folder, after all that can be known to be wrong without activations."""
    job = several.job
    subfolders = tuple(Path(leaf.name).parts[0] for leaf in several.leaves)
    folder = ResultFolder(several.folder, several.stages(), subfolders)
    refuse_file(folder.path)
    inputs = (leaf.job.model for leaf in several.leaves)
    refuse_input(folder.path, *inputs, *files_of(job.corpus), *files_of(job.labels))
    folder.refuse_foreign()
    record = set(folder.read_record())
    if record & {stage.name for stage in STAGES[1:]}:
        raise InputError(
            f"{folder.path}: holds the results of a job of one tag and one model; give another "
            "'out'"
        )
    earlier = sorted(record - {stage.name for stage in several.stages()})
    if earlier:
        logger.warning(
            "%s: also holds results of an earlier job of other tags or models, which are left as "
            "they are and not compared (%s)",
            folder.path,
            ", ".join(earlier),
        )
    options = {leaf.tag: checked(leaf.job, several.corpus).extract for leaf in several.leaves}
    first, *others = options
    for other in others:
        if options[other] != options[first]:
            raise InputError(
                f"'{first}' and '{other}' are not both of words, or of sentences; run them one by "
                "one, or give extract: pooling"
            )
    return folder
