"""neurox-lite rank: order all neurons by a method, or by all of them."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from neurox_lite.choices import unknown_choice
from neurox_lite.cli.claims import claim_file, claim_folder
from neurox_lite.cli.corpus import (
    OF_CORPUS,
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
    EXIT_INCONCLUSIVE,
    L1,
    L2,
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
    MinCount,
    MinFrequency,
    Seed,
    Store,
    TableFormat,
    Words,
    WordsFrom,
    layers_of,
    reject_options,
    show,
)
from neurox_lite.output_formats import check_formats

if TYPE_CHECKING:
    from neurox_lite.activations.labelled_splits import LabelledSplits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.evaluation.ranker_comparison import RankerComparison
    from neurox_lite.results.ranking import NeuronRanking

OF_PROBES = ("linguistic-correlation", "integrated-gradients", "differentiable-mask")
WITHOUT_LABELS = ("variance", "random")
METHODS = (
    "linguistic-correlation",
    "probeless",
    "gaussian",
    "iou",
    "average-precision",
    "mean-select",
    "point-biserial",
    "mutual-information",
    "integrated-gradients",
    "differentiable-mask",
    "variance",
    "random",
)
LABELS = ("corpus", "tag", *OF_CORPUS)
TAKEN_BY = {
    "probe": OF_PROBES,
    "l1": (*OF_PROBES, "all"),
    "l2": (*OF_PROBES, "all"),
    "quantile": ("iou",),
    "select": ("gaussian",),
    "n_rows": ("mutual-information", "integrated-gradients", "differentiable-mask"),
    "baseline": ("integrated-gradients",),
    "objective": ("differentiable-mask",),
    "methods": ("all",),
    "resamples": ("all",),
    "figure_format": ("all",),
    "table_format": ("all",),
}


class MethodHelp(TyperCommand):
    """`rank METHOD --help` shows the options that the method takes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["method"] = next((word for word in args if word in (*METHODS, "all")), None)
        return super().parse_args(ctx, args)

    def get_help(self, ctx: Any) -> str:
        if ctx.meta["method"] is None:
            return super().get_help(ctx)
        shown = copy(self)
        refused = _refused(ctx.meta["method"])
        shown.params = [option for option in self.params if option.name not in refused]
        return TyperCommand.get_help(shown, ctx)


def _refused(method: str) -> list[str]:
    """Options that are not for this method."""
    refused = [option for option, takers in TAKEN_BY.items() if method not in takers]
    return [*refused, *LABELS] if method in WITHOUT_LABELS else refused


def command(
    context: typer.Context,
    method: Annotated[str, typer.Argument(help=f"{', '.join(METHODS)}; or all, to compare them.")],
    store: Store,
    out: Annotated[
        str,
        typer.Option("--out", help="The ranking to write, .json, .csv or .tex; a folder for all."),
    ],
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="FILE|SPLIT=FILE", help="Labelled words; see 'probe'."),
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Tag, as upos or Number.")] = None,
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
    min_count: MinCount = None,
    words: Words = None,
    words_from: WordsFrom = None,
    min_frequency: MinFrequency = 0,
    max_frequency: MaxFrequency = None,
    disjoint: Disjoint = None,
    where: Where = None,
    balance: Balance = None,
    probe: Annotated[
        str | None,
        typer.Option("--probe", help=f"{', '.join(OF_PROBES)}: a probe; else one is fitted."),
    ] = None,
    l1: L1 = 1e-3,
    l2: L2 = 1e-3,
    quantile: Annotated[
        float, typer.Option("--quantile", help="iou: share of the words a neuron is active on.")
    ] = 0.05,
    select: Annotated[
        int, typer.Option("--select", help="gaussian: how many neurons to select.")
    ] = 50,
    n_rows: Annotated[
        int | None,
        typer.Option(
            "--n-rows",
            help="Words to sample; by default 5000, for integrated-gradients 1000.",
        ),
    ] = None,
    baseline: Annotated[
        str, typer.Option("--baseline", help="integrated-gradients: mean or zero.")
    ] = "mean",
    objective: Annotated[
        str, typer.Option("--objective", help="differentiable-mask: sufficiency or flip.")
    ] = "sufficiency",
    methods: Annotated[
        str | None, typer.Option("--methods", help="all: compare only these, as iou,gaussian.")
    ] = None,
    resamples: Annotated[
        int,
        typer.Option("--resamples", min=0, help="all: resamples of the sentences, for stability."),
    ] = 5,
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the ranking.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Rank all neurons of a store, most important first.

    'rank METHOD --help' shows only the options of one method.

    'rank all' ranks by every method and compares them: rankings, a table and its figure (accuracy
    from the top, loss without it, stability, time), and how far they agree.

    Example: neurox-lite rank linguistic-correlation --store bert.h5 --probe probe --out rank.json

    Example: neurox-lite rank iou --store bert.h5 --corpus my.conllu --tag upos --out ranking.json

    Example: neurox-lite rank all --store bert.h5 --corpus my.conllu --tag upos --out comparison
    """
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.cli.labelled import chosen_splits
    from neurox_lite.errors import InputError
    from neurox_lite.evaluation.ranker_comparison import NAMES
    from neurox_lite.figures import title_of
    from neurox_lite.results.ranking_files import check_name

    check_formats(figure_format, table_format)
    if method not in (*METHODS, "all"):
        raise unknown_choice("method", method, (*METHODS, "all"))
    needs_none = ", which needs no labels," if method in WITHOUT_LABELS else ""
    reject_options(context, _refused(method), f"'{method}'{needs_none}")
    if probe is not None:
        labels_too = LABELS if method == "linguistic-correlation" else ()
        reject_options(context, ("layers", *labels_too, "l1", "l2"), "a fitted --probe")
    if method == "all":
        claim_folder(context, out, NAMES, overwrite, store, corpus, labels)
    else:
        check_name(out)
        claim_file(context, out, overwrite, store, corpus, labels, probe)
    subject = tag if label is None else f"{label} of {tag}"
    selection = word_selection(context.params)
    chosen = layers_of(layers)
    sampled = {} if n_rows is None else {"n_rows": n_rows}
    given: dict[str, Any] = {
        "iou": {"quantile": quantile},
        "gaussian": {"n_neurons": select},
        "mutual-information": sampled,
        "integrated-gradients": {"baseline": baseline, **sampled},
        "differentiable-mask": {"objective": objective, **sampled},
    }

    skipped: dict[str, Any] = {}
    with ActivationStore(store) as opened:

        def splits(of_layers: list[int] | None = chosen) -> LabelledSplits:
            if not (corpus and tag):
                also = ", or --probe" if method == "linguistic-correlation" else ""
                raise InputError(f"'{method}' needs --corpus and --tag{also}")
            read = read_labelled(context.params)
            skipped.update(skipped_lines(read))
            return chosen_splits(
                opened,
                read,
                tag,
                selection,
                label=label,
                layers=of_layers,
                min_count=min_count,
                seed=seed,
                by_position=by_position,
            )

        if method == "all":
            found = _all(splits(), out, methods, l1, l2, resamples, seed)
            found.save(
                out,
                figure_format=figure_format,
                table_format=table_format,
                title=title_of(subject, opened.space.model, corpus or ()),
            )
            _show_all(found, out, skipped, as_json)
            if not found.converged:
                raise typer.Exit(EXIT_INCONCLUSIVE)
            return
        if method in WITHOUT_LABELS:
            ranking, converged = _without_labels(method, opened, chosen, seed), True
        elif method in OF_PROBES:
            ranking, converged = _of_probe(
                method, opened, probe, splits, l1, l2, seed, given.get(method, {})
            )
        else:
            ranking = _of_labels(method, splits(), seed, given.get(method, {}))
            converged = True
    if corpus:
        provenance = {**ranking.provenance, "labels": chosen_labels(context.params)}
        ranking = replace(ranking, provenance=provenance)
    ranking.save(out)
    top = ranking.top(min(10, ranking.space.n_neurons))
    shown = {
        "ranking": out,
        "method": method,
        "neurons": ranking.space.n_neurons,
        "top": [str(neuron) for neuron in top],
    }
    if method == "gaussian" and ranking.provenance["bits"]:
        told = ranking.provenance
        shown[f"bits told by the selected (of {told['bits_of']})"] = told["bits"][-1]
        shown["share of the entropy"] = told["nmi"][-1]
    if ranking.unscored:
        shown["constant"] = [str(neuron) for neuron in ranking.unscored]
    show({**shown, **skipped}, as_json)
    if not converged:
        raise typer.Exit(EXIT_INCONCLUSIVE)


def _without_labels(
    method: str, store: ActivationStore, layers: list[int] | None, seed: int
) -> NeuronRanking:
    import numpy as np

    from neurox_lite.ranking import random_ranking, variance

    X = store.matrix(layers, np.setdiff1d(store.word_rows, store.missing))
    by_variance = variance(X)
    if method == "variance":
        return by_variance
    return random_ranking(X.space, seed, constant=np.isnan(by_variance.scores))


def _of_probe(
    method: str,
    store: ActivationStore,
    path: str | None,
    splits: Any,
    l1: float,
    l2: float,
    seed: int,
    options: dict[str, Any],
) -> tuple[NeuronRanking, bool]:
    """The ranking, and whether the probe that was given, or is fitted here, converged."""
    from neurox_lite.errors import InputError
    from neurox_lite.probing.loading import load_probe
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.ranking import RankingTask, linguistic_correlation, rank

    layers = None
    fitted: Any = ElasticNetProbe(l1, l2)
    if path is not None:
        fitted = load_probe(path)
        layers = list(fitted.space_.layers)
        if fitted.space_ != store.matrix(layers).space:
            raise InputError(f"{path}: fitted on other neurons than those of {store.path}")
        if method == "linguistic-correlation":
            return linguistic_correlation(fitted), fitted.certificate_.converged
    chosen = splits() if layers is None else splits(layers)
    task = RankingTask(chosen.train.X, chosen.train.y, chosen.dev.X, chosen.dev.y, fitted, seed)
    ranking = rank(method, task, **options)
    return ranking, task.fitted_probe.certificate_.converged


def _of_labels(
    method: str, splits: LabelledSplits, seed: int, options: dict[str, Any]
) -> NeuronRanking:
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.ranking import RankingTask, rank

    train, dev, test = splits.train, splits.dev, splits.test
    task = RankingTask(train.X, train.y, dev.X, dev.y, ElasticNetProbe(), seed, test.X, test.y)
    return rank(method, task, **options)


def _all(
    splits: LabelledSplits,
    out: str,
    methods: str | None,
    l1: float,
    l2: float,
    resamples: int,
    seed: int,
) -> RankerComparison:
    import logging
    from importlib.util import find_spec

    from neurox_lite.evaluation.ranker_comparison import compare_rankers
    from neurox_lite.probing.probe import ElasticNetProbe

    chosen = METHODS if methods is None else tuple(name.strip() for name in methods.split(","))
    if methods is None and find_spec("captum") is None:
        logging.getLogger(__name__).warning(
            "captum is not installed: integrated-gradients is left out"
        )
        chosen = tuple(name for name in chosen if name != "integrated-gradients")
    probe = ElasticNetProbe(l1, l2)
    return compare_rankers(
        splits, methods=chosen, probe=probe, n_resamples=resamples, seed=seed, folder=out
    )


def _show_all(found: RankerComparison, out: str, skipped: dict[str, Any], as_json: bool) -> None:
    table = found.table
    rows = {
        method: dict(zip(table.columns, row, strict=True))
        for method, row in zip(table.methods, table.mean, strict=True)
    }
    show({"comparison": out, "neurons": found.agreement.n_neurons, **rows, **skipped}, as_json)
