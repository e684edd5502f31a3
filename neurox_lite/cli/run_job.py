"""neurox-lite run: the whole road, from a job file or from a model and a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from neurox_lite.cli.output import (
    EXIT_DOES_NOT_HOLD,
    Debug,
    Format,
    Json,
    Labels,
    Match,
    Seed,
    by_split,
    quiet_transformers,
    show,
)

if TYPE_CHECKING:
    from neurox_lite.pipeline.job import Job


def command(
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB.YAML]", help="A job file, instead of options.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Model folder, or name on the hub.")
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus",
            metavar="FILE|SPLIT=FILE",
            help="One file, split at random 80/10/10, or train=FILE, dev=FILE and test=FILE.",
        ),
    ] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", help="Layer of labels, as upos or Number.")
    ] = None,
    out: Annotated[str | None, typer.Option("--out", help="Folder for the results.")] = None,
    labels: Labels = None,
    format: Format = None,
    match: Match = None,
    study: Annotated[
        bool,
        typer.Option(
            "--study",
            help="Also layers, redundancy, description length, learning curve, rank intervals.",
        ),
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Extract, probe, rank and ablate; skip what is already done.

    Example: neurox-lite run --model bert-base-cased --corpus my.conllu --tag upos --out results

    Example: neurox-lite run job.yaml

    A job file says the same and more. The guide lists every option; `neurox-lite --help` tells
    where it is. The resolved job is written to job.yaml in the folder of results.
    """
    from neurox_lite.errors import InputError
    from neurox_lite.pipeline.job import Job

    if job is not None:
        if model or corpus or tag or out or labels or format or match or study or seed:
            raise InputError(f"{job}: a job file takes no other options; write them into it")
        run(Job.read(job), as_json)
        return
    files = by_split(corpus)
    if model is None or files is None or tag is None or out is None:
        raise InputError("give a job file, or --model, --corpus, --tag and --out")
    label_files = by_split(labels)
    run(Job(model, files, tag, out, label_files, format, match, seed, study=study), as_json)


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
