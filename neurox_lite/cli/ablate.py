"""neurox-lite ablate: what is lost without the top neurons, in activations or in the model?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.choices import unknown_choice
from neurox_lite.cli.commands import option_names
from neurox_lite.cli.corpus_options import ReadingOptions
from neurox_lite.cli.labelled_options import LabelledOptions
from neurox_lite.cli.options import (
    REGRESSION,
    STORE,
    TAG,
    CorpusIfAny,
    Debug,
    Engine,
    FigureOptions,
    Json,
    Seed,
    reject_options,
)
from neurox_lite.cli.output import EXIT_INCONCLUSIVE, quiet_transformers, show, skipped_lines
from neurox_lite.cli.output_claims import claim_folder
from neurox_lite.cli.pair_options import (
    Condition,
    Positions,
    Template,
    chosen_pairs,
    read_all_pairs,
    shown_task,
)
from neurox_lite.cli.parsing import numbers, position
from neurox_lite.cli.unit_options import UnitOptions, in_units_of_model
from neurox_lite.errors import InputError
from neurox_lite.outputs import atomic_write_folder, result_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurox_lite.corpora.minimal_pairs import MinimalPairs
    from neurox_lite.interventions.metrics import ModelMetric
    from neurox_lite.results.ablation import AblationCurves
    from neurox_lite.results.ranking import NeuronRanking


@dataclass(frozen=True, kw_only=True)
class ReadingOrText(ReadingOptions):
    """`--text` has a second meaning here."""

    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            help="With --model: sentences to predict, one per line; otherwise as in 'probe'.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class LabelledOrText(LabelledOptions):
    """Labelled words, or a text for a model."""

    reading: ReadingOrText


OF_MODELS = ("pairs", "text", "condition", "template", "positions", "metric")
OF_BOTH = ("text", "skip_bad_lines")
OF_ACTIVATIONS = (
    *("store", "corpus", "tag", "probe", "retrain", "n_heads", "engine"),
    *(name for name in option_names(LabelledOptions) if name not in OF_BOTH),
)


@dataclass(frozen=True, kw_only=True)
class Ablate:
    """Measure what is left with the top neurons, the bottom, random ones, and all but the top.

    Of activations: test accuracy of a probe, or R2. With --model: what the running model predicts,
    at the site and layers of the ranking. Exits with 3 when a probe did not converge or the intact
    model is right on the pairs no more often than chance.

    Example: neurox-lite ablate --ranking ranking.json --store bert.h5 --corpus my.conllu --tag upos
    --probe probe --out ablation

    Example: neurox-lite ablate --ranking ranking.json --model lstm-0 --pairs pairs.tsv --out lost
    """

    context: typer.Context
    ranking: Annotated[
        list[str], typer.Option("--ranking", help="A ranking from 'rank'; give several to compare.")
    ]
    out: Annotated[str, typer.Option("--out", help="Folder for ablation.json and ablation.png.")]
    store: Annotated[str | None, STORE] = None
    corpus: CorpusIfAny = None
    tag: Annotated[str | None, TAG] = None
    model: Annotated[
        str | None,
        typer.Option("--model", help="Replace neurons in this language model as it runs."),
    ] = None
    pairs: Annotated[
        list[str] | None,
        typer.Option("--pairs", help="With --model: minimal pairs."),
    ] = None
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="log-odds or accuracy of --pairs; perplexity, kl or accuracy of --text.",
        ),
    ] = None
    condition: Condition = None
    template: Template = None
    positions: Positions = "all"
    probe: Annotated[
        str | None, typer.Option("--probe", help="A probe from 'probe'; by default one is fitted.")
    ] = None
    labelled: LabelledOrText
    shares: Annotated[str, typer.Option("--shares", help="Shares of all neurons.")] = (
        "0.01,0.02,0.05,0.1,0.2,0.5"
    )
    replacement: Annotated[
        str,
        typer.Option("--replacement", help="zero or mean; in a model also resampled."),
    ] = "zero"
    retrain: Annotated[bool, typer.Option(help="Also retrain the probe on kept neurons.")] = True
    n_random: Annotated[int, typer.Option("--n-random", help="Random sets per share.")] = 5
    units: UnitOptions
    engine: Engine = "local"
    figures: FigureOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the curves.")] = False
    seed: Seed = 0
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.results.rankings import load_rankings

        self._check()
        rankings = load_rankings(self.ranking)
        if self.model is not None:
            curves, title, shown = self._in_model(self.model, rankings)
        elif self.store and self.corpus and self.tag:
            curves, title, shown = self._on_activations(rankings, self.store, self.corpus, self.tag)
        else:
            raise InputError("give --store, --corpus and --tag, or --model and --pairs or --text")
        with atomic_write_folder(self.out, result_names("ablation")) as new:
            self.figures.save(curves, new / "ablation.json", title)
        show({"curves": self.out, **shown}, self.as_json)
        if not all(curve.holds for curve in curves.curves):
            raise typer.Exit(EXIT_INCONCLUSIVE)

    def _check(self) -> None:
        """Refuse options that do not go together, and claim the output."""
        from neurox_lite.corpora.sentence_text import TEXTS
        from neurox_lite.tasks import check_engine

        self.figures.check()
        check_engine(self.engine)
        text, labels = self.labelled.reading.text, self.labelled.reading.labels
        inputs = (self.ranking, self.store, self.corpus, self.model, self.pairs, text, labels)
        claim_folder(self.context, self.out, result_names("ablation"), self.overwrite, *inputs)
        if self.model is not None:
            reject_options(self.context, OF_ACTIVATIONS, "ablation in a --model")
        else:
            refused = [name for name in OF_MODELS if name != "text" or text not in TEXTS]
            what = "ablation of activations, without --model,"
            reject_options(self.context, refused, what)
        if not self.retrain:
            reject_options(self.context, ("engine",), "--no-retrain, which fits nothing,")

    def _options(self) -> dict[str, Any]:
        return {
            "shares": numbers(self.shares),
            "replacement": self.replacement,
            "n_random": self.n_random,
            "seed": self.seed,
        }

    def _on_activations(
        self, rankings: Sequence[NeuronRanking], store: str, corpus: list[str], tag: str
    ) -> tuple[AblationCurves, str, dict[str, Any]]:
        """What a probe predicts from the activations that are left; the title, what is shown."""
        from neurox_lite.activations.store import ActivationStore
        from neurox_lite.evaluation.ablation import ablate
        from neurox_lite.figures import title_of
        from neurox_lite.probing.loading import load_probe
        from neurox_lite.probing.regression import ElasticNetRegression
        from neurox_lite.results.units import in_units

        options = self._options()
        probe = None if self.probe is None else load_probe(self.probe)
        numeric = isinstance(probe, ElasticNetRegression)
        if numeric:
            reject_options(self.context, ("label", "min_count", "balance"), REGRESSION)
        read = self.labelled.read(corpus, tag, self.seed)
        with ActivationStore(store) as opened:
            layers = list(rankings[0].space.ungrouped.layers)
            units = self.units.of_store(opened, layers)
            rankings = [in_units(ranking, units) for ranking in rankings]
            for path, ranking in zip(self.ranking, rankings, strict=True):
                if ranking.space.ungrouped != opened.matrix(layers).space:
                    raise InputError(f"{path}: ranks other neurons than those of {store}")
            splits = self.labelled.splits(
                opened, read, tag, layers=layers, seed=self.seed, numeric=numeric
            )
            if probe is not None:
                probe.check_trained_on(splits.train)
            options |= {"probe": probe, "retrain": self.retrain, "X_test": splits.test}
            curves = ablate(rankings, splits.train, **options, engine=self.engine)
        areas = {
            f"{curve.method} ({'retrained' if curve.retrained else 'frozen'})": (
                curve.area_above_random
            )
            for curve in curves.curves
        }
        shown = {f"{curves.curves[0].metric} of top above random": areas, **skipped_lines(read)}
        title = title_of(self.labelled.subject(tag), rankings[0].space.model, corpus)
        return curves, title, shown

    def _in_model(
        self, model: str, rankings: Sequence[NeuronRanking]
    ) -> tuple[AblationCurves, str, dict[str, Any]]:
        """What the running model predicts; the title, and what is shown."""
        from neurox_lite.figures import title_of
        from neurox_lite.interventions.ablation import ablate_in_model

        options = self._options()
        measured, every = self._metric(model, rankings[0])
        rankings = in_units_of_model(rankings, measured.runner.loaded, self.units.units)
        curves = ablate_in_model(rankings, measured, **options, others=every)
        first = curves.curves[0]
        shown: dict[str, Any] = {
            f"{measured.name} of the intact model": first.intact,
            "random minus top, removed": {
                curve.method: curve.area_below_random for curve in curves.curves
            },
            **shown_task(first.task),
            **skipped_lines(every),
        }
        files = self.pairs or [str(self.labelled.reading.text)]
        return curves, title_of(self.condition, model, files), shown

    def _metric(self, model: str, ranking: NeuronRanking) -> tuple[ModelMetric, MinimalPairs]:
        """The metric asked for, at the neurons of a ranking, and all pairs of the files."""
        from neurox_lite.corpora.minimal_pairs import MinimalPairs
        from neurox_lite.corpora.text_files import read_lines
        from neurox_lite.interventions.metrics import PAIR_METRICS, TEXT_METRICS
        from neurox_lite.interventions.pair_inputs import encode_pairs
        from neurox_lite.models.loading import load_model
        from neurox_lite.models.location import Location

        text = self.labelled.reading.text
        if bool(self.pairs) == bool(text):
            raise InputError("--model needs either --pairs or --text; give one of them")
        known: dict[str, Any] = PAIR_METRICS if self.pairs else TEXT_METRICS
        metric = next(iter(known)) if self.metric is None else self.metric
        if metric not in known:
            raise unknown_choice("metric", metric, known)
        quiet_transformers()
        loaded = load_model(model, head="language")
        if self.pairs:
            every = read_all_pairs(self.pairs, self.labelled.reading.skip_bad_lines)
            inputs = encode_pairs(loaded, chosen_pairs(every, self.condition, self.template))
            where = Location.of_space(ranking.space, position(self.positions))
            return known[metric](loaded, inputs, where), every
        if self.positions != "all":
            raise InputError("--positions are of --pairs; a text has all of its words replaced")
        lines = read_lines(str(text))
        return known[metric](loaded, lines, Location.of_space(ranking.space)), MinimalPairs([])
