"""neurox-lite probe: fit an elastic-net probe on a store."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.claims import claim_folder
from neurox_lite.cli.corpus_options import (
    Balance,
    ByPosition,
    Columns,
    Comment,
    LabelColumn,
    LabelMap,
    SkipBadLines,
    StripBio,
    Text,
    TextColumn,
    Where,
    chosen_labels,
    read_labelled,
    skipped_lines,
    word_selection,
)
from neurox_lite.cli.output import (
    EXIT_DONE,
    EXIT_INCONCLUSIVE,
    L1,
    L2,
    REGRESSION,
    ClassWeight,
    Corpus,
    Debug,
    Disjoint,
    FigureFormat,
    Format,
    Json,
    Label,
    Labels,
    Layers,
    Match,
    MaxFrequency,
    MaxIter,
    MinCount,
    MinFrequency,
    Search,
    Seed,
    Standardize,
    Store,
    TableFormat,
    Tag,
    Tol,
    Words,
    WordsFrom,
    layers_of,
    numbers,
    reject_options,
    show,
)
from neurox_lite.output_formats import TABLE_FORMATS, check_formats

if TYPE_CHECKING:
    from neurox_lite.probing.search import RegularisationSearch

OF_CLASSES = ("label", "min_count", "balance", "class_weight", "one_vs_rest", "search", "control")


def command(
    context: typer.Context,
    store: Store,
    corpus: Corpus,
    tag: Tag,
    out: Annotated[str, typer.Option("--out", help="Folder for the probe.")],
    label: Label = None,
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
    by_position: ByPosition = False,
    layers: Layers = None,
    regression: Annotated[
        bool, typer.Option("--regression", help="Labels are numbers, as position or depth.")
    ] = False,
    one_vs_rest: Annotated[
        bool, typer.Option("--one-vs-rest", help="A probe of every label, told from all others.")
    ] = False,
    l1: L1 = 1e-3,
    l2: L2 = 1e-3,
    search: Search = False,
    l1s: Annotated[
        str | None, typer.Option("--l1s", help="Grid of --search; 0.1 to 0.001 by default.")
    ] = None,
    l2s: Annotated[
        str | None, typer.Option("--l2s", help="Grid of --search; 0.1 to 0.001 by default.")
    ] = None,
    standardize: Standardize = True,
    tol: Tol = 1e-4,
    max_iter: MaxIter = 2000,
    min_count: MinCount = None,
    words: Words = None,
    words_from: WordsFrom = None,
    min_frequency: MinFrequency = 0,
    max_frequency: MaxFrequency = None,
    disjoint: Disjoint = None,
    where: Where = None,
    balance: Balance = None,
    class_weight: ClassWeight = None,
    control: Annotated[
        bool, typer.Option("--control", help="Also fit the control task and give selectivity.")
    ] = False,
    n_control: Annotated[
        int, typer.Option("--n-control", min=1, help="Control tasks to take the mean of.")
    ] = 1,
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the probe.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Fit a probe: which label does a word have, given its activations?

    Example: neurox-lite probe --store bert.h5 --corpus my.conllu --tag upos --out probe
    """
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.cli.labelled import chosen_splits
    from neurox_lite.figures import save_result, title_of
    from neurox_lite.json_files import write_json
    from neurox_lite.outputs import atomic_write_folder
    from neurox_lite.probing.batched import fit_one_vs_rest
    from neurox_lite.probing.evaluation import evaluate_probe, evaluation_table
    from neurox_lite.probing.one_vs_rest import save_one_vs_rest
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.probe_folder import INDEX, NAMES
    from neurox_lite.probing.regression import ElasticNetRegression
    from neurox_lite.probing.search import PENALTIES, regularisation_search
    from neurox_lite.probing.selectivity import selectivity
    from neurox_lite.results.tables import write_table

    check_formats(figure_format, table_format)
    if not search:
        reject_options(
            context, ("figure_format",), "a probe without --search, which has no figure,"
        )
    if regression:
        reject_options(context, OF_CLASSES, REGRESSION)
    if one_vs_rest:
        reject_options(context, ("label", "search", "control"), "--one-vs-rest")
    if search:
        reject_options(context, ("l1", "l2"), "--search, which chooses the penalties,")
    else:
        reject_options(context, ("l1s", "l2s"), "a probe without --search")
    if not control:
        reject_options(context, ("n_control",), "a probe without --control")
    claim_folder(context, out, NAMES, overwrite, store, corpus, labels)
    selection = word_selection(context.params)
    read = read_labelled(context.params)
    options: dict[str, Any] = {"standardize": standardize, "tol": tol, "max_iter": max_iter}
    classifier = ElasticNetProbe(l1, l2, class_weight=class_weight, **options)
    regressor = ElasticNetRegression(l1, l2, **options)
    with ActivationStore(store) as opened:
        splits = chosen_splits(
            opened,
            read,
            tag,
            selection,
            label=label,
            layers=layers_of(layers),
            min_count=min_count,
            seed=seed,
            numeric=regression,
            by_position=by_position,
        )
        if one_vs_rest:
            probes = fit_one_vs_rest(classifier, splits.train.X, splits.train.y)
            found = save_one_vs_rest(probes, splits, out, table_format)
            show({"probes": out, **found, "per_label": INDEX}, as_json)
            raise typer.Exit(EXIT_INCONCLUSIVE if found["not_converged"] else EXIT_DONE)
        searched = None
        if search:
            searched, probe = regularisation_search(
                classifier,
                splits.train.X,
                splits.train.y,
                splits.dev.X,
                splits.dev.y,
                l1s=numbers(l1s) if l1s else PENALTIES,
                l2s=numbers(l2s) if l2s else PENALTIES,
            )
        else:
            probe = (regressor if regression else classifier).fit(splits.train.X, splits.train.y)
        evaluation = evaluate_probe(probe, splits)
        selective = {}
        if control:
            tokens = opened.tokens()
            words_of_rows = [tokens[row] for row in opened.word_rows]
            compared = selectivity(
                probe, splits.train, splits.test, words_of_rows, n_seeds=n_control, seed=seed
            )
            selective = {**asdict(compared), "selectivity": compared.selectivity}
    with atomic_write_folder(out, NAMES) as new:
        probe.save(new)
        provenance = {"labels": chosen_labels(context.params)}
        write_json(new / "evaluation.json", {**evaluation, "provenance": provenance})
        if table_format is not None:
            write_table(
                new / f"evaluation{TABLE_FORMATS[table_format]}", evaluation_table(evaluation)
            )
        if control:
            write_json(new / "control.json", selective)
            if table_format is not None:
                write_table(new / f"control{TABLE_FORMATS[table_format]}", compared.table())
        if searched:
            save_result(
                searched,
                new / "search.json",
                figure_format=figure_format,
                table_format=table_format,
                title=title_of(
                    tag if label is None else f"{label} of {tag}", probe.space_.model, corpus
                ),
            )
    show(
        {
            "probe": out,
            **(_best(searched) if searched else {}),
            **evaluation,
            **selective,
            **({} if regression else {"per_class": "evaluation.json"}),
            **skipped_lines(read),
        },
        as_json,
    )
    if not (
        probe.certificate_.converged
        and selective.get("control_converged", True)
        and (searched is None or searched.all_converged)
    ):
        raise typer.Exit(EXIT_INCONCLUSIVE)


def _best(searched: RegularisationSearch) -> dict[str, Any]:
    l1, l2 = searched.best
    return {
        "best_l1": l1,
        "best_l2": l2,
        "score": searched.best_score,
        "at_edge_of_grid": list(searched.at_edge),
        "grid_converged": searched.all_converged,
    }
