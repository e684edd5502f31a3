"""neurox-lite probe: fit an elastic-net probe on a store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.labelled_options import LabelledOptions
from neurox_lite.cli.options import (
    REGRESSION,
    Corpus,
    Debug,
    Engine,
    FigureOptions,
    FitOptions,
    Json,
    Layers,
    Seed,
    Store,
    Tag,
    reject_options,
)
from neurox_lite.cli.output import EXIT_DONE, EXIT_INCONCLUSIVE, show, skipped_lines
from neurox_lite.cli.output_claims import claim_folder
from neurox_lite.cli.parsing import layers_of, numbers
from neurox_lite.output_formats import TABLE_FORMATS
from neurox_lite.outputs import atomic_write_folder

if TYPE_CHECKING:
    from neurox_lite.activations.labelled_splits import LabelledSplits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus
    from neurox_lite.probing.linear import LinearProbe
    from neurox_lite.probing.search import RegularisationSearch
    from neurox_lite.probing.selectivity import Selectivity

TABLES = ("per_class", "confusions")
"""Of an evaluation, which are not shown."""

OF_CLASSES = ("label", "min_count", "balance", "class_weight", "one_vs_rest", "search", "control")


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Fit a probe: which label does a word have, given its activations?

    Example: neurox-lite probe --store bert.h5 --corpus my.conllu --tag upos --out probe
    """

    context: typer.Context
    store: Store
    corpus: Corpus
    tag: Tag
    out: Annotated[str, typer.Option("--out", help="Folder for the probe.")]
    labelled: LabelledOptions
    layers: Layers = None
    regression: Annotated[
        bool, typer.Option("--regression", help="Labels are numbers, such as position or depth.")
    ] = False
    one_vs_rest: Annotated[
        bool, typer.Option("--one-vs-rest", help="Fit a probe of every label against all others.")
    ] = False
    fit: FitOptions
    l1s: Annotated[
        str | None, typer.Option("--l1s", help="Grid of --search; by default 0.1 to 0.001.")
    ] = None
    l2s: Annotated[
        str | None, typer.Option("--l2s", help="Grid of --search; by default 0.1 to 0.001.")
    ] = None
    n_neurons: Annotated[
        int | None,
        typer.Option(
            "--for-top",
            min=1,
            help="Of --search: choose the penalties for the first N neurons of a ranking.",
        ),
    ] = None
    control: Annotated[
        bool, typer.Option("--control", help="Also fit the control task and give selectivity.")
    ] = False
    n_seeds: Annotated[
        int, typer.Option("--n-control", min=1, help="Number of control tasks to average over.")
    ] = 1
    engine: Engine = "local"
    figures: FigureOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the probe.")] = False
    seed: Seed = 0
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.activations.store import ActivationStore
        from neurox_lite.probing.evaluation import evaluate_probe
        from neurox_lite.tasks import connected

        self._check()
        read = self.labelled.read(self.corpus, self.tag, self.seed)
        with connected(self.engine), ActivationStore(self.store) as store:
            splits = self.labelled.splits(
                store,
                read,
                self.tag,
                layers=layers_of(self.layers),
                seed=self.seed,
                numeric=self.regression,
            )
            if self.one_vs_rest:
                self._fit_one_vs_rest(splits, read)
            probe, searched = self._fit(splits)
            evaluation = evaluate_probe(probe, splits)
            compared = self._selectivity(probe, splits, store) if self.control else None
        self._save(probe, evaluation, searched, compared)
        shown = {
            "probe": self.out,
            **(_best(searched) if searched else {}),
            **evaluation,
            **(_selective(compared) if compared else {}),
            **({} if self.regression else dict.fromkeys(TABLES, "evaluation.json")),
            **skipped_lines(read),
        }
        show(shown, self.as_json)
        if not (
            probe.certificate_.converged
            and (compared is None or compared.control_converged)
            and (searched is None or searched.all_converged)
        ):
            raise typer.Exit(EXIT_INCONCLUSIVE)

    def _check(self) -> None:
        """Refuse options that do not go together, and claim the output."""
        from neurox_lite.probing.loading import NAMES
        from neurox_lite.tasks import check_engine

        def reject(names: tuple[str, ...], taker: str) -> None:
            reject_options(self.context, names, taker)

        self.figures.check()
        if not (self.fit.search or self.control):
            taker = "a probe without --search or --control, which has no figure,"
            reject(("figure_format",), taker)
        if self.regression:
            reject(OF_CLASSES, REGRESSION)
        if self.one_vs_rest:
            reject(("label", "search", "control"), "--one-vs-rest")
        if self.fit.search:
            reject(("l1", "l2"), "--search, which chooses the penalties,")
        else:
            reject(("l1s", "l2s", "n_neurons"), "a probe without --search")
        if not self.control:
            reject(("n_seeds",), "a probe without --control")
        if not (self.one_vs_rest or self.fit.search or self.control):
            reject(("engine",), "a single probe, which is one fit,")
        check_engine(self.engine)
        inputs = (self.store, self.corpus, self.labelled.reading.labels)
        claim_folder(self.context, self.out, NAMES, self.overwrite, *inputs)

    def _unfitted(self) -> Any:
        from neurox_lite.probing.probe import ElasticNetProbe
        from neurox_lite.probing.regression import ElasticNetRegression

        options = {name: value for name, value in vars(self.fit).items() if name != "search"}
        if self.regression:
            del options["class_weight"]
            return ElasticNetRegression(**options)
        return ElasticNetProbe(**options)

    def _fit_one_vs_rest(self, splits: LabelledSplits, read: TaggedCorpus) -> None:
        from neurox_lite.probing.batched import fit_one_vs_rest
        from neurox_lite.probing.loading import INDEX
        from neurox_lite.probing.one_vs_rest import save_one_vs_rest

        probes = fit_one_vs_rest(self._unfitted(), splits.train, engine=self.engine)
        table_format, provenance = self.figures.table_format, self._provenance()
        found = save_one_vs_rest(probes, splits, self.out, table_format, provenance)
        shown = {"probes": self.out, **found, "per_label": INDEX, **skipped_lines(read)}
        show(shown, self.as_json)
        raise typer.Exit(EXIT_INCONCLUSIVE if found["not_converged"] else EXIT_DONE)

    def _fit(self, splits: LabelledSplits) -> tuple[LinearProbe, RegularisationSearch | None]:
        from neurox_lite.probing.search import PENALTIES, regularisation_search

        if not self.fit.search:
            return self._unfitted().fit(splits.train), None
        searched, probe = regularisation_search(
            self._unfitted(),
            splits.train,
            X_dev=splits.dev,
            l1s=numbers(self.l1s) if self.l1s else PENALTIES,
            l2s=numbers(self.l2s) if self.l2s else PENALTIES,
            n_neurons=self.n_neurons,
            engine=self.engine,
        )
        return probe, searched

    def _selectivity(
        self, probe: LinearProbe, splits: LabelledSplits, store: ActivationStore
    ) -> Selectivity:
        from neurox_lite.probing.selectivity import selectivity

        tokens = store.words()
        words = [tokens[row] for row in store.word_rows]
        return selectivity(
            probe,
            splits.train,
            splits.test,
            words,
            n_seeds=self.n_seeds,
            seed=self.seed,
            engine=self.engine,
        )

    def _save(
        self,
        probe: LinearProbe,
        evaluation: dict[str, Any],
        searched: RegularisationSearch | None,
        compared: Selectivity | None,
    ) -> None:
        from neurox_lite.figures import title_of
        from neurox_lite.json_files import write_json
        from neurox_lite.probing.evaluation import evaluation_table
        from neurox_lite.probing.loading import NAMES

        with atomic_write_folder(self.out, NAMES) as new:
            probe.save(new)
            write_json(new / "evaluation.json", {**evaluation, "provenance": self._provenance()})
            self._write_table(new / "evaluation", evaluation_table(evaluation))
            title = title_of(self.labelled.subject(self.tag), probe.space_.model, self.corpus)
            if compared:
                self.figures.save(compared, new / "control.json", title)
            if searched:
                self.figures.save(searched, new / "search.json", title)

    def _provenance(self) -> dict[str, Any]:
        return {"labels": self.labelled.provenance(self.corpus, self.tag)}

    def _write_table(self, path: Path, table: Any) -> None:
        """If tables are asked for."""
        from neurox_lite.results.tables import write_table

        if self.figures.table_format is not None:
            write_table(path.with_suffix(TABLE_FORMATS[self.figures.table_format]), table)


def _selective(compared: Selectivity) -> dict[str, Any]:
    return {**asdict(compared), "selectivity": compared.selectivity}


def _best(searched: RegularisationSearch) -> dict[str, Any]:
    l1, l2 = searched.best
    return {
        "best_l1": l1,
        "best_l2": l2,
        "score": searched.best_score,
        "at_edge_of_grid": list(searched.at_edge),
        "grid_converged": searched.all_converged,
    }
