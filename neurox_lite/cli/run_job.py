"""neurox-lite run: every stage in order, from a job file or from a model and a corpus."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from neurox_lite.cli.corpus_options import LabelOptions, ReadingOptions, WordOptions
from neurox_lite.cli.extraction_options import ExtractionOptions
from neurox_lite.cli.labelled_options import MinCount
from neurox_lite.cli.options import (
    Debug,
    FigureOptions,
    FitOptions,
    Json,
    Seed,
    given_options,
)
from neurox_lite.cli.output import EXIT_INCONCLUSIVE, duration, quiet_transformers, show, size
from neurox_lite.cli.parsing import by_split, one_or_several
from neurox_lite.cli.unit_options import Units
from neurox_lite.errors import InputError

if TYPE_CHECKING:
    from neurox_lite.pipeline.job import Job
    from neurox_lite.pipeline.job_estimate import JobEstimate, StageEstimate


@dataclass(frozen=True, kw_only=True)
class Run:
    """Extract, probe, rank and ablate; skip what is already done.

    Example: neurox-lite run --model bert-base-cased --corpus my.conllu --tag upos --out results

    Example: neurox-lite run --model bert-base-cased --corpus my.conllu --tag upos,Number --out both

    Example: neurox-lite run job.yaml

    A job file says the same and more. The guide lists every option; `neurox-lite --help` tells
    where it is. The resolved job is written to job.yaml in the folder of results.
    """

    context: typer.Context
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB.YAML]", help="A job file, instead of options.")
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME|A,B",
            help="Model folder, or name on the hub; several to compare, separated by commas.",
        ),
    ] = None
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus",
            metavar="FILE|SPLIT=FILE",
            help="One file, split at random 80/10/10, or train=FILE, dev=FILE and test=FILE.",
        ),
    ] = None
    tag: Annotated[
        str | None,
        typer.Option(
            "--tag",
            metavar="TAG|A,B",
            help="The tag whose labels are used, such as upos; several to compare, as "
            "upos,Number,Tense.",
        ),
    ] = None
    out: Annotated[str | None, typer.Option("--out", help="Folder for the results.")] = None
    reading: ReadingOptions
    rules: LabelOptions
    words: WordOptions
    extraction: ExtractionOptions
    fit: FitOptions
    min_count: MinCount = None
    study: Annotated[
        bool,
        typer.Option(
            "--study",
            help="Also layers, redundancy, description length, learning curve, rank intervals.",
        ),
    ] = False
    units: Units = "neurons"
    figures: FigureOptions
    seed: Seed = 0
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Predict time, disk and memory of every stage, and leave nothing behind.",
        ),
    ] = False
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.pipeline.job import Job

        start = show_estimate if self.dry_run else run
        if self.job is None:
            start(self._job(), self.as_json)
            return
        with_a_file = ("job", "dry_run", "as_json", "debug")
        others = [name for name in self.context.params if name not in with_a_file]
        given = given_options(self.context, others)
        if given:
            raise InputError(
                f"{self.job}: a job file takes no other options ({', '.join(given)}); write them "
                "into it"
            )
        start(Job.read(self.job), self.as_json)

    def _job(self) -> Job:
        from neurox_lite.pipeline.job import Job, ProbeOptions

        files = by_split(self.corpus)
        if self.model is None or files is None or self.tag is None or self.out is None:
            needed = {name: getattr(self, name) for name in ("model", "corpus", "tag", "out")}
            lacking = " and ".join(f"--{name}" for name, value in needed.items() if not value)
            raise InputError(
                f"no {lacking}; give a job file, or --model, --corpus, --tag and --out"
            )
        model, models = one_or_several(self.model, "--model")
        tag, tags = one_or_several(self.tag, "--tag")
        return Job(
            model,
            files,
            tag,
            self.out,
            by_split(self.reading.labels),
            seed=self.seed,
            **self.reading.of_corpus(),
            match=self.rules.match,
            strip_bio=self.rules.strip_bio,
            label_map=list(self.rules.label_map or ()),
            words=self.words.selection(),
            study=self.study,
            units=self.units,
            **vars(self.figures),
            extract=self.extraction.options(),
            probe=ProbeOptions(min_count=self.min_count, **vars(self.fit)),
            models=models,
            tags=tags,
        )


TOTALS = ("seconds", "disk_bytes", "peak_memory_bytes")


def run(job: Job, as_json: bool) -> None:
    """Run a job and show where its results are, last the report."""
    from neurox_lite.pipeline.run import run_job
    from neurox_lite.report.job_files import REPORT, SUMMARY

    quiet_transformers()
    result = run_job(job)
    shown = {
        "ran": list(result.ran),
        "already done": list(result.skipped),
        "results": str(result.folder),
        "summary": str(result.folder / SUMMARY.name),
        "open first": str(result.folder / REPORT.name),
    }
    if result.skipped_lines:
        shown = {"skipped lines": list(result.skipped_lines), **shown}
    show(shown, as_json)
    if not result.converged:
        raise typer.Exit(EXIT_INCONCLUSIVE)


def show_estimate(job: Job, as_json: bool) -> None:
    """Show what a job will cost, stage by stage."""
    from neurox_lite.pipeline.job_estimate import estimate_job

    quiet_transformers()
    found = estimate_job(job)
    if as_json:
        of_all = {name: getattr(found, name) for name in TOTALS}
        show({**asdict(found), **of_all}, as_json)
        return
    rows = {stage.name: "already done" if stage.done else _cost(stage) for stage in found.stages}
    head = {"estimates": f"{'time':>8} {'disk':>9} {'peak memory':>12}"}
    show({**head, **rows, "all": _cost(found)}, as_json)


def _cost(of: StageEstimate | JobEstimate) -> str:
    disk, memory = size(of.disk_bytes), size(of.peak_memory_bytes)
    return f"{duration(of.seconds):>8} {disk:>9} {memory:>12}"
