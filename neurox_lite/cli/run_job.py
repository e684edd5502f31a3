"""neurox-lite run: the whole road, from a job file or from a model and a corpus."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from neurox_lite.cli.corpus_options import (
    Balance,
    Columns,
    Comment,
    LabelColumn,
    LabelMap,
    SkipBadLines,
    StripBio,
    Text,
    TextColumn,
    Where,
    reading,
    word_selection,
)
from neurox_lite.cli.extraction import (
    Aggregation,
    AllowMissing,
    BatchTokens,
    ComputeDtype,
    Device,
    Dtype,
    Embeddings,
    ExtractLayers,
    Modules,
    Pooling,
    RandomWeights,
    Side,
    Site,
    SpecialTokens,
    Stride,
    Window,
    extract_options,
)
from neurox_lite.cli.output import (
    EXIT_INCONCLUSIVE,
    L1,
    L2,
    ClassWeight,
    Debug,
    Disjoint,
    FigureFormat,
    Format,
    Json,
    Labels,
    Match,
    MaxFrequency,
    MaxIter,
    MinCount,
    MinFrequency,
    Search,
    Seed,
    Standardize,
    TableFormat,
    Tol,
    Words,
    WordsFrom,
    by_split,
    given_options,
    quiet_transformers,
    show,
)

if TYPE_CHECKING:
    from neurox_lite.pipeline.job import Job


def command(
    context: typer.Context,
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
    tag: Annotated[str | None, typer.Option("--tag", help="Tag, as upos or Number.")] = None,
    out: Annotated[str | None, typer.Option("--out", help="Folder for the results.")] = None,
    labels: Labels = None,
    format: Format = None,
    columns: Columns = None,
    comment: Comment = None,
    text: Text = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    skip_bad_lines: SkipBadLines = False,
    match: Match = None,
    strip_bio: StripBio = False,
    label_map: LabelMap = None,
    words: Words = None,
    words_from: WordsFrom = None,
    min_frequency: MinFrequency = 0,
    max_frequency: MaxFrequency = None,
    disjoint: Disjoint = None,
    where: Where = None,
    balance: Balance = None,
    site: Site = "hidden_states",
    layers: ExtractLayers = None,
    embeddings: Embeddings = True,
    aggregation: Aggregation = "last",
    pooling: Pooling = None,
    special_tokens: SpecialTokens = False,
    side: Side = "encoder",
    modules: Modules = None,
    window: Window = None,
    stride: Stride = None,
    dtype: Dtype = "float32",
    compute_dtype: ComputeDtype = "float32",
    batch_tokens: BatchTokens = None,
    device: Device = None,
    random_weights: RandomWeights = None,
    allow_missing: AllowMissing = False,
    l1: L1 = 1e-3,
    l2: L2 = 1e-3,
    search: Search = False,
    standardize: Standardize = True,
    tol: Tol = 1e-4,
    max_iter: MaxIter = 2000,
    min_count: MinCount = None,
    class_weight: ClassWeight = None,
    study: Annotated[
        bool,
        typer.Option(
            "--study",
            help="Also layers, redundancy, description length, learning curve, rank intervals.",
        ),
    ] = False,
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
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
    from neurox_lite.pipeline.job import Job, ProbeOptions

    params = context.params
    if job is not None:
        others = [name for name in params if name not in ("job", "as_json", "debug")]
        given = given_options(context, others)
        if given:
            raise InputError(
                f"{job}: a job file takes no other options ({', '.join(given)}); write them into it"
            )
        run(Job.read(job), as_json)
        return
    files = by_split(corpus)
    if model is None or files is None or tag is None or out is None:
        raise InputError("give a job file, or --model, --corpus, --tag and --out")
    names = ("match", "seed", "strip_bio", "study", "figure_format", "table_format")
    own = {name: params[name] for name in names}
    run(
        Job(
            model,
            files,
            tag,
            out,
            by_split(labels),
            **own,
            **reading(params),
            label_map=list(label_map or ()),
            words=word_selection(params),
            extract=extract_options(params),
            probe=ProbeOptions(**{f.name: params[f.name] for f in fields(ProbeOptions)}),
        ),
        as_json,
    )


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
            **({"skipped lines": list(result.skipped_lines)} if result.skipped_lines else {}),
        },
        as_json,
    )
    if not result.converged:
        raise typer.Exit(EXIT_INCONCLUSIVE)
