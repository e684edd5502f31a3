"""neurox-lite steer: how many neurons turn what a model predicts, and what else that changes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neurox_lite.cli.claims import claim_folder
from neurox_lite.cli.output import (
    EXIT_INCONCLUSIVE,
    Debug,
    FigureFormat,
    Json,
    Seed,
    TableFormat,
    integers,
    numbers,
    quiet_transformers,
    show,
)
from neurox_lite.cli.pairs import (
    LanguageModel,
    Pairs,
    Positions,
    SkipBadPairs,
    Template,
    chosen_pairs,
    position,
    read_all_pairs,
    shown_task,
)
from neurox_lite.output_formats import check_formats


def command(
    context: typer.Context,
    model: LanguageModel,
    pairs: Pairs,
    ranking: Annotated[
        list[str],
        typer.Option("--ranking", help="A ranking of this model; give several to compare."),
    ],
    condition: Annotated[
        str, typer.Option("--condition", help="Turn pairs whose condition starts so, as singular.")
    ],
    target_pairs: Annotated[
        str, typer.Option("--target", help="To those whose condition starts so, as plural.")
    ],
    out: Annotated[str, typer.Option("--out", help="Folder for steering.json, .csv and .png.")],
    template: Template = None,
    positions: Positions = "all",
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            help="set (to the mean of the target class) or add (the difference of means).",
        ),
    ] = "set",
    strength: Annotated[
        float | None,
        typer.Option(
            "--strength",
            help="Of add: by how many differences the first neuron moves; 8 by default, "
            "falling to 0.001 for the last.",
        ),
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(
            "--shares",
            help="Shares of all neurons; 0.005,0.01,0.02,0.05,0.1,0.2,0.5,1 by default.",
        ),
    ] = None,
    counts: Annotated[
        str | None, typer.Option("--counts", help="Numbers of neurons, as 1,2,5, not --shares.")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", help="Other sentences, one per line, to measure side effects on."),
    ] = None,
    include_incorrect: Annotated[
        bool, typer.Option("--include-incorrect", help="Use pairs that the model gets wrong, too.")
    ] = False,
    n_random: Annotated[int, typer.Option("--n-random", help="Random sets per count.")] = 5,
    skip_bad_lines: SkipBadPairs = False,
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the curves.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Move the top neurons of a ranking to another class, and see whether the model follows.

    Exits with 3 when the intact model is right on the pairs no more often than chance.

    Example: neurox-lite steer --model lstm-0 --pairs pairs.tsv --ranking ranking.json --condition
    singular --target plural --out steering
    """
    from neurox_lite.cli.rankings import load_rankings
    from neurox_lite.corpora.text_files import read_lines
    from neurox_lite.figures import save_result, title_of
    from neurox_lite.interventions.steering import steer
    from neurox_lite.outputs import atomic_write_folder, result_names

    check_formats(figure_format, table_format)
    names = result_names("steering")
    claim_folder(context, out, names, overwrite, model, pairs, ranking, text)
    quiet_transformers()
    every = read_all_pairs(pairs, skip_bad_lines)
    curves = steer(
        load_rankings(ranking),
        model,
        chosen_pairs(every, condition, template),
        chosen_pairs(every, target_pairs, template),
        mode=mode,
        strength=strength,
        positions=position(positions),
        shares=None if shares is None else numbers(shares),
        counts=integers(counts),
        texts=None if text is None else read_lines(text),
        include_incorrect=include_incorrect,
        n_random=n_random,
        seed=seed,
    )
    with atomic_write_folder(out, names) as new:
        curves.save(new / "steering.csv")
        save_result(
            curves,
            new / "steering.json",
            figure_format=figure_format,
            table_format=table_format,
            title=title_of(f"{condition} to {target_pairs}", model, pairs),
        )
    first = curves.curves[0]
    shown: dict[str, Any] = {
        "curves": out,
        "pairs": first.n_pairs,
        "left out as wrong": first.n_left_out,
        **shown_task(first.task),
    }
    for curve in curves.curves:
        shown[f"turned by {curve.method}"] = _by_count(curve.counts, curve.success.top)
    shown["turned by random"] = _by_count(first.counts, first.success.random_mean)
    for curve in curves.curves:
        if curve.kl is not None:
            shown[f"KL of {curve.method}"] = _by_count(curve.counts, curve.kl.top)
    show(shown, as_json)
    if first.task is not None and not first.task.holds:
        raise typer.Exit(EXIT_INCONCLUSIVE)


def _by_count(counts: tuple[int, ...], values: tuple[float, ...]) -> dict[str, float]:
    return {str(k): round(value, 6) for k, value in zip(counts, values, strict=True)}
