"""neurox-lite run: the whole road from a job file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from neurox_lite.cli.output import (
    EXIT_DOES_NOT_HOLD,
    Debug,
    Json,
    quiet_transformers,
    show,
)

if TYPE_CHECKING:
    from neurox_lite.pipeline.job import Job


def command(
    job: Annotated[str, typer.Argument(help="A job file (YAML).")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Extract, probe, rank and ablate as a job file says; skip what is already done.

    Example: neurox-lite run job.yaml, where job.yaml holds

    model: bert-base-cased

    corpus: my.conllu

    tag: upos

    out: results
    """
    from neurox_lite.pipeline.job import Job

    run(Job.read(job), as_json)


def run(job: Job, as_json: bool) -> None:
    """Run a job and show where its results are."""
    from neurox_lite.pipeline.run import run_job

    quiet_transformers()
    result = run_job(job)
    show(
        {
            "ran": list(result.ran),
            "already done": list(result.skipped),
            "results": str(result.folder),
            "read first": str(result.folder / "summary.md"),
        },
        as_json,
    )
    if not result.converged:
        raise typer.Exit(EXIT_DOES_NOT_HOLD)
