"""neurox-lite ablate: what is lost without the top neurons, in activations or in the model?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neurox_lite.cli.claims import claim_folder
from neurox_lite.cli.corpus_options import (
    OF_CORPUS,
    Balance,
    ByPosition,
    Columns,
    Comment,
    LabelColumn,
    LabelMap,
    SkipBadLines,
    StripBio,
    TextColumn,
    Where,
    skipped_lines,
)
from neurox_lite.cli.output import (
    EXIT_INCONCLUSIVE,
    Debug,
    Disjoint,
    FigureFormat,
    Format,
    Json,
    Label,
    Labels,
    Match,
    MaxFrequency,
    MinCount,
    MinFrequency,
    Seed,
    TableFormat,
    Words,
    WordsFrom,
    numbers,
    reject_options,
    show,
)
from neurox_lite.cli.pairs import Condition, Positions, Template, shown_task
from neurox_lite.output_formats import check_formats

OF_ACTIVATIONS = (
    *("store", "corpus", "tag", "probe", "retrain"),
    # Both are of pairs or text, too.
    *(name for name in OF_CORPUS if name not in ("text", "skip_bad_lines")),
)
OF_MODELS = ("pairs", "text", "condition", "template", "positions", "metric")


def command(
    context: typer.Context,
    ranking: Annotated[
        list[str], typer.Option("--ranking", help="A ranking from 'rank'; give several to compare.")
    ],
    out: Annotated[str, typer.Option("--out", help="Folder for ablation.json and ablation.png.")],
    store: Annotated[
        str | None, typer.Option("--store", help="Activations, from 'extract'.")
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="FILE|SPLIT=FILE", help="Labelled words; see 'probe'."),
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Tag, as upos or Number.")] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Replace neurons in this language model as it runs."),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option("--pairs", help="With --model: minimal pairs."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text", help="With --model: a sentence per line to predict; else as of 'probe'."
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="log-odds or accuracy of --pairs; perplexity, kl or accuracy of --text.",
        ),
    ] = None,
    condition: Condition = None,
    template: Template = None,
    positions: Positions = "all",
    probe: Annotated[
        str | None, typer.Option("--probe", help="A probe from 'probe'; else one is fitted.")
    ] = None,
    label: Label = None,
    labels: Labels = None,
    format: Format = None,
    columns: Columns = None,
    comment: Comment = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    skip_bad_lines: SkipBadLines = False,
    match: Match = None,
    strip_bio: StripBio = False,
    label_map: LabelMap = None,
    by_position: ByPosition = False,
    shares: Annotated[
        str, typer.Option("--shares", help="Shares of all neurons.")
    ] = "0.01,0.02,0.05,0.1,0.2,0.5",
    replacement: Annotated[
        str,
        typer.Option("--replacement", help="zero or mean; in a model resampled, too."),
    ] = "zero",
    retrain: Annotated[bool, typer.Option(help="Also retrain the probe on kept neurons.")] = True,
    n_random: Annotated[int, typer.Option("--n-random", help="Random sets per share.")] = 5,
    min_count: MinCount = None,
    words: Words = None,
    words_from: WordsFrom = None,
    min_frequency: MinFrequency = 0,
    max_frequency: MaxFrequency = None,
    disjoint: Disjoint = None,
    where: Where = None,
    balance: Balance = None,
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the curves.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure what is left with the top neurons, the bottom, random ones, and all but the top.

    Of activations: test accuracy of a probe, or R2. With --model: what the running model predicts,
    at the site and layers of the ranking. Exits with 3 when a probe did not converge or the intact
    model is right on the pairs no more often than chance.

    Example: neurox-lite ablate --ranking ranking.json --store bert.h5 --corpus my.conllu --tag upos
    --probe probe --out ablation

    Example: neurox-lite ablate --ranking ranking.json --model lstm-0 --pairs pairs.tsv --out lost
    """
    from neurox_lite.cli.ablate_activations import ablate_activations
    from neurox_lite.cli.ablate_model import model_metric
    from neurox_lite.cli.rankings import load_rankings
    from neurox_lite.corpora.sentence_text import TEXTS
    from neurox_lite.errors import InputError
    from neurox_lite.figures import save_result, title_of
    from neurox_lite.interventions.ablation import ablate_in_model
    from neurox_lite.outputs import atomic_write_folder, result_names

    check_formats(figure_format, table_format)
    names = result_names("ablation")
    claim_folder(context, out, names, overwrite, ranking, store, corpus, model, pairs, text, labels)
    if model is not None:
        reject_options(context, OF_ACTIVATIONS, "ablation in a --model")
    else:
        taken = ("text",) if text in TEXTS else ()
        reject_options(
            context,
            [name for name in OF_MODELS if name not in taken],
            "ablation of activations, without --model,",
        )
    rankings = load_rankings(ranking)
    space = rankings[0].space
    options: dict[str, Any] = {
        "shares": numbers(shares),
        "replacement": replacement,
        "n_random": n_random,
        "seed": seed,
    }
    if model is not None:
        measured, every = model_metric(
            model,
            rankings[0],
            pairs,
            text,
            metric,
            condition,
            template,
            positions,
            skip_bad_lines,
        )
        curves = ablate_in_model(rankings, measured, **options, others=every)
        title = title_of(condition, model, pairs or [str(text)])
        shown: dict[str, Any] = {
            f"{measured.name} of the intact model": curves.curves[0].intact,
            "random minus top, removed": {
                curve.method: curve.area_below_random for curve in curves.curves
            },
            **shown_task(curves.curves[0].task),
        }
    elif store and corpus and tag:
        curves, read = ablate_activations(
            context,
            dict(zip(ranking, rankings, strict=True)),
            options,
            retrain=retrain,
        )
        title = title_of(tag if label is None else f"{label} of {tag}", space.model, corpus)
        shown = {
            f"{curves.curves[0].metric} of top above random": {
                f"{curve.method} ({'retrained' if curve.retrained else 'frozen'})": (
                    curve.area_above_random
                )
                for curve in curves.curves
            },
            **skipped_lines(read),
        }
    else:
        raise InputError("give --store, --corpus and --tag, or --model and --pairs or --text")
    with atomic_write_folder(out, names) as new:
        save_result(
            curves,
            new / "ablation.json",
            figure_format=figure_format,
            table_format=table_format,
            title=title,
        )
    show({"curves": out, **shown}, as_json)
    if not all(curve.holds for curve in curves.curves):
        raise typer.Exit(EXIT_INCONCLUSIVE)
