"""neurox-lite rank: order all neurons by a method, or by all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.choices import unknown_choice
from neurox_lite.cli.labelled_options import LabelledOptions
from neurox_lite.cli.method_options import (
    LABELS,
    ComparisonOptions,
    MethodOptions,
    needs_labels,
    not_for,
)
from neurox_lite.cli.options import (
    L1,
    L2,
    TAG,
    CorpusIfAny,
    Debug,
    Json,
    Layers,
    Seed,
    Store,
    reject_options,
)
from neurox_lite.cli.output import (
    EXIT_INCONCLUSIVE,
    negligible_in,
    show,
    skipped_lines,
    top_neurons,
)
from neurox_lite.cli.output_claims import claim_file, claim_folder
from neurox_lite.cli.parsing import layers_of
from neurox_lite.cli.unit_options import UnitOptions
from neurox_lite.errors import InputError
from neurox_lite.ranking_methods import METHODS

if TYPE_CHECKING:
    from neurox_lite.activations.labelled_splits import LabelledSplits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.evaluation.ranker_comparison import RankerComparison
    from neurox_lite.neurons import NeuronSpace
    from neurox_lite.ranking import RankingTask
    from neurox_lite.results.ranking import NeuronRanking


OF_PROBES = [name for name, method in METHODS.items() if method.needs_probe]


@dataclass(frozen=True, kw_only=True)
class Rank:
    """Rank all neurons of a store, most important first.

    'rank METHOD --help' shows only the options of one method.

    'rank all' ranks by every method and compares them: rankings, a table and its figure (accuracy
    from the top, loss without it, stability, time), and how far they agree.

    With '--units heads' attention heads are ranked, each by the mean score of its neurons.

    Example: neurox-lite rank linguistic-correlation --store bert.h5 --probe probe --out rank.json

    Example: neurox-lite rank iou --store bert.h5 --corpus my.conllu --tag upos --out ranking.json

    Example: neurox-lite rank all --store bert.h5 --corpus my.conllu --tag upos --out comparison
    """

    context: typer.Context
    method: Annotated[str, typer.Argument(help=f"{', '.join(METHODS)}; or all, to compare them.")]
    store: Store
    out: Annotated[
        str,
        typer.Option("--out", help="The ranking to write, .json, .csv or .tex; a folder for all."),
    ]
    corpus: CorpusIfAny = None
    tag: Annotated[str | None, TAG] = None
    labelled: LabelledOptions
    layers: Layers = None
    units: UnitOptions
    probe: Annotated[
        str | None,
        typer.Option("--probe", help=f"{', '.join(OF_PROBES)}: a probe; by default one is fitted."),
    ] = None
    l1: L1 = 1e-3
    l2: L2 = 1e-3
    options: MethodOptions
    comparison: ComparisonOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the ranking.")] = False
    seed: Seed = 0
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        self._check()
        if self.method == "all":
            self._compare_all()
        else:
            self._rank()

    def _check(self) -> None:
        """Refuse options that do not go together, and claim the output."""
        from neurox_lite.evaluation.ranker_comparison import NAMES
        from neurox_lite.results.ranking_files import check_name
        from neurox_lite.tasks import check_engine

        self.comparison.figures.check()
        if self.method not in (*METHODS, "all"):
            raise unknown_choice("method", self.method, (*METHODS, "all"))
        no_labels = "" if needs_labels(self.method) else ", which needs no labels,"
        reject_options(self.context, not_for(self.method), f"'{self.method}'{no_labels}")
        if self.probe is not None:
            of_fit = ["layers", *(LABELS if self._needs_only_probe else ()), "l1", "l2"]
            reject_options(self.context, of_fit, "a fitted --probe")
        inputs = (self.store, self.corpus, self.labelled.reading.labels, self.probe)
        if self.method == "all":
            check_engine(self.comparison.engine)
            claim_folder(self.context, self.out, NAMES, self.overwrite, *inputs)
        else:
            check_name(self.out)
            claim_file(self.context, self.out, self.overwrite, *inputs)

    @property
    def _needs_only_probe(self) -> bool:
        return self.method != "all" and METHODS[self.method].needs == ("probe",)

    def _splits(
        self, store: ActivationStore, layers: list[int] | None
    ) -> tuple[LabelledSplits, dict[str, Any]]:
        """The labelled words, and what is shown of lines that were skipped."""
        if not (self.corpus and self.tag):
            also = ", or --probe" if self._needs_only_probe else ""
            raise InputError(f"'{self.method}' needs --corpus and --tag{also}")
        read = self.labelled.read(self.corpus, self.tag, self.seed)
        splits = self.labelled.splits(store, read, self.tag, layers=layers, seed=self.seed)
        return splits, skipped_lines(read)

    def _task(self, store: ActivationStore) -> tuple[RankingTask, dict[str, Any]]:
        """What the method ranks from, and what is shown of lines that were skipped."""
        from neurox_lite.probing.loading import load_probe
        from neurox_lite.probing.probe import ElasticNetProbe
        from neurox_lite.ranking import RankingTask

        layers = layers_of(self.layers)
        if not needs_labels(self.method):
            units = self.units.of_store(store, layers)
            return RankingTask.from_store(store, layers, self.seed, units), {}
        probe: Any = ElasticNetProbe(self.l1, self.l2)
        if self.probe is not None:
            probe = load_probe(self.probe)
            layers = list(probe.space_.layers)
            if probe.space_ != store.matrix(layers).space:
                raise InputError(
                    f"{self.probe}: fitted on other neurons than those of {store.path}"
                )
        units = self.units.of_store(store, layers)
        if self.probe is not None and self._needs_only_probe:
            return RankingTask(probe=probe, units=units), {}
        splits, skipped = self._splits(store, layers)
        return RankingTask.from_splits(splits, probe, self.seed, units), skipped

    def _rank(self) -> None:
        from neurox_lite.activations.store import ActivationStore
        from neurox_lite.ranking import rank

        names = [option.name for option in METHODS[self.method].options]
        options = {name: getattr(self.options, name) for name in names}
        given = {name: value for name, value in options.items() if value is not None}
        with ActivationStore(self.store) as store:
            task, skipped = self._task(store)
            ranking = rank(self.method, task, **given)
            small = _negligible(store, ranking.space)
        if self.corpus:
            labels = self.labelled.provenance(self.corpus, self.tag)
            ranking = replace(ranking, provenance={**ranking.provenance, "labels": labels})
        ranking.save(self.out)
        shown = {"ranking": self.out, "method": self.method, **_summary(ranking), **small}
        show({**shown, **skipped}, self.as_json)
        if not task.converged:
            raise typer.Exit(EXIT_INCONCLUSIVE)

    def _compare_all(self) -> None:
        from neurox_lite.activations.store import ActivationStore
        from neurox_lite.evaluation.ranker_comparison import compare_rankers
        from neurox_lite.figures import title_of
        from neurox_lite.probing.probe import ElasticNetProbe

        chosen = self.comparison.methods
        methods = None if chosen is None else [name.strip() for name in chosen.split(",")]
        with ActivationStore(self.store) as store:
            layers = layers_of(self.layers)
            units = self.units.of_store(store, layers)
            splits, skipped = self._splits(store, layers)
            found = compare_rankers(
                splits,
                methods=methods,
                probe=ElasticNetProbe(self.l1, self.l2),
                n_resamples=self.comparison.n_resamples,
                seed=self.seed,
                engine=self.comparison.engine,
                folder=self.out,
                provenance={"labels": self.labelled.provenance(self.corpus or [], self.tag)},
                units=units,
            )
            small = _negligible(store, found.rankings[0].space)
            subject, model = self.labelled.subject(self.tag), store.space.model
        found.save(
            self.out,
            title=title_of(subject, model, self.corpus or ()),
            **vars(self.comparison.figures),
        )
        counted = {self.units.units: found.agreement.n_neurons}
        show({"comparison": self.out, **counted, **_rows(found), **small, **skipped}, self.as_json)
        if not found.converged:
            raise typer.Exit(EXIT_INCONCLUSIVE)


def _negligible(store: ActivationStore, ranked: NeuronSpace) -> dict[str, Any]:
    return {} if ranked.groups is not None else negligible_in(store.matrix(list(ranked.layers)))


def _summary(ranking: NeuronRanking) -> dict[str, Any]:
    shown, told = top_neurons(ranking), ranking.provenance
    if told.get("bits"):
        shown[f"bits told by the selected (of {told['bits_of']})"] = told["bits"][-1]
        shown["share of the entropy"] = told["nmi"][-1]
    return shown


def _rows(found: RankerComparison) -> dict[str, Any]:
    table = found.table
    return {
        method: dict(zip(table.columns, row, strict=True))
        for method, row in zip(table.methods, table.mean, strict=True)
    }
