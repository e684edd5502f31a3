"""Every ranking method on the same activations, compared: which to trust?"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from neurox_lite.activations.access import space_of
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.arguments import as_path, expect, expect_function, strings, whole_number
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.evaluation.ablation import ablate
from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.evaluation.rank_intervals import rank_intervals
from neurox_lite.evaluation.resampling import some_sentences, warned_before
from neurox_lite.figures import Given, save_result
from neurox_lite.neurons import NeuronSpace
from neurox_lite.output_formats import check_formats
from neurox_lite.outputs import atomic_write_folder, refuse_foreign, result_names
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe
from neurox_lite.ranking.agreement import AgreementMatrix, agreement
from neurox_lite.ranking.methods import RankingTask, load_function, rank
from neurox_lite.ranking_methods import METHODS
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking, as_rankings
from neurox_lite.results.sweep import SHARES
from neurox_lite.results.units import in_units
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary
from neurox_lite.tasks import check_engine, connected, task_map

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


logger = logging.getLogger(__name__)

COMPARED_SHARES = SHARES[:-1]

Scorer = Callable[[Any, np.ndarray], Any]
Ranker = Callable[[RankingTask], NeuronRanking]
Values = dict[str, dict[str, list[float]]]
"""By method and measure."""

NAMES = (
    *result_names("methods", "agreement", "ablation"),
    "rankings/[0-9][0-9]-*.json",
)


@dataclass(frozen=True)
class RankerComparison:
    """Rankings of the same neurons by many methods, compared.

    Attributes
    ----------
    rankings : tuple of NeuronRanking
    table : MethodTable
        Keep-top and remove-top areas, stability and seconds of every method.
    agreement : AgreementMatrix
    curves : AblationCurves
        The curves behind the areas.
    converged : bool
        False when a probe behind any of it did not converge.
    """

    rankings: tuple[NeuronRanking, ...]
    table: MethodTable
    agreement: AgreementMatrix
    curves: AblationCurves
    converged: bool

    __repr__ = short_repr
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {"rankings": len(self.rankings), "converged": self.converged}
        return summary("RankerComparison", facts, str(self.table).splitlines()[1:])

    def to_pandas(self) -> pandas.DataFrame:
        """One row per method: the table of methods."""
        return self.table.to_pandas()

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """The table of methods; agreement and curves draw themselves."""
        return self.table.plot(ax, title=title)

    def save(
        self,
        folder: str | Path,
        *,
        figure_format: str = "png",
        table_format: str | None = None,
        title: str | None = None,
    ) -> None:
        """Write rankings, table, agreement and curves as JSON, and their figures.

        Rankings have numbers in front of their names and replace all that are there.

        Parameters
        ----------
        folder : path
        figure_format : {"png", "pdf", "svg"}
        table_format : {"csv", "latex"}, optional
            To write the others than rankings as tables, too.
        title : str, optional
            Of the figures.
        """
        check_formats(figure_format, table_format)
        parts = {"methods": self.table, "agreement": self.agreement, "ablation": self.curves}

        with atomic_write_folder(folder, NAMES) as new:
            for number, ranking in enumerate(self.rankings, start=1):
                ranking.save(new / ranking_name(number, ranking))
            for name, part in parts.items():
                save_result(
                    part,
                    new / f"{name}.json",
                    figure_format=figure_format,
                    table_format=table_format,
                    title=title,
                )


def ranking_name(number: int, ranking: NeuronRanking) -> str:
    """Where in its folder a comparison keeps a ranking, the first of which is number 1."""
    name = re.sub(r"[^\w-]+", "-", ranking.method)
    return f"rankings/{number:02d}-{name}.json"


def compare_rankers(
    splits: LabelledSplits,
    *,
    methods: Sequence[str] | None = None,
    extra: Mapping[str, Scorer] | None = None,
    rankings: Sequence[NeuronRanking] = (),
    probe: ElasticNetProbe | None = None,
    k: int | None = None,
    shares: Sequence[float] = COMPARED_SHARES,
    n_rows: int = 20_000,
    n_resamples: int = 5,
    seed: int = 0,
    folder: str | Path | None = None,
    provenance: Mapping[str, Any] | None = None,
    units: NeuronSpace | None = None,
    engine: str = "local",
) -> RankerComparison:
    """Rank by every method, and measure what can be measured without knowing the truth.

    - keep top: accuracy on test of a probe retrained on the top of the ranking, averaged over
      ``shares``. High: the top holds the property.
    - remove top: what a probe retrained without the top loses, averaged over ``shares``. High:
      nothing else holds the property.
    - stability: the share of the top k that a resample of the sentences has in its top k too; of
      the random ranking, that another seed has.
    - seconds: of the ranking; of methods that read a probe, without fitting it.

    Memory: the sample of ``n_rows`` words, and what the methods need.

    Parameters
    ----------
    splits : LabelledSplits
        Methods rank on train (some select on dev); accuracies are on test.
    methods : sequence of str, optional
        Keys of ``neurox_lite.ranking.METHODS``; by default all whose packages are installed.
    extra : dict from name to function, optional
        Methods of your own: functions of activations (n, n_neurons) and labels (n,) that give a
        score for each neuron, (n_neurons,).
    rankings : sequence of NeuronRanking
        Others to compare, such as of models or pairs; their stability and time are not known.
    probe : ElasticNetProbe, optional
        Fitted on train or not; the default probe if not given.
    k : int, optional
        Size of the top that rankings are compared by; a tenth of the neurons if not given.
    shares : sequence of float
        Shares of all neurons.
    n_rows : int
        Retrained probes and resamples use whole sentences of train, drawn until they have at least
        so many words.
    n_resamples : int
        0 for no stability.
    seed : int
    folder : path, optional
        Where each ranking is written as soon as there is one, as by
        :meth:`RankerComparison.save`: the comparison may take hours.
    provenance : dict, optional
        Where the labels are from: what rankings that read them say, beside their own.
    units : NeuronSpace, optional
        Groups of the neurons, such as heads, to compare instead, as ``store.heads()``: all that is
        kept, removed or counted is then these.
    engine : {"local", "ray"}
        ``ray`` makes every ranking, retrained probe and resample in a task of a Ray cluster, on one
        core. Memory: what they read of arrays, and the sample, once more on each machine.

    Raises
    ------
    InputError
        When a method is unknown or has the name of another, a number is out of range, captum is
        missing, or as the methods.
    """
    expect(splits, LabelledSplits, "splits", "those of labelled_splits(store, corpus, tag)")
    shares, seed = checked_shares(shares), validate_seed(seed)
    check_engine(engine)
    k = None if k is None else whole_number(k, "k")
    n_rows = whole_number(n_rows, "n_rows", least=1)
    n_resamples = whole_number(n_resamples, "n_resamples", least=0)
    methods = _installed() if methods is None else strings(methods, "methods")
    is_empty = isinstance(rankings, list | tuple) and not rankings
    rankings = [] if is_empty else as_rankings(rankings)
    extra = expect({} if extra is None else extra, Mapping, "extra", "a dict from name to function")
    for name, scorer in extra.items():
        expect_function(scorer, f"extra['{name}']", "a function of activations and labels")
    probe = ElasticNetProbe() if probe is None else probe
    expect_probe(probe)
    folder = None if folder is None else as_path(folder, "folder")
    if provenance is not None:
        expect(provenance, Mapping, "provenance", "a dict")
    train, test = splits.train, splits.test
    n_neurons = train.X.shape[1]
    if units is not None:
        units = space_of(train.X).with_groups_of(units)
        n_neurons = units.n_neurons
    k = max(1, n_neurons // 10) if k is None else k
    names = [*methods, *extra, *(ranking.method for ranking in rankings)]
    _check(names, methods, k, n_neurons)
    if folder is not None:
        refuse_foreign(folder, NAMES)
    rankers: dict[str, Ranker] = {name: partial(rank, name) for name in methods}
    for name, scorer in extra.items():
        rankers[name] = _by_scores(name, scorer)
    rankings = [in_units(ranking, units) for ranking in rankings]
    task = RankingTask.from_splits(splits, probe, seed, units)
    with connected(engine):
        ranked, values = _rank_by_each(rankers, task, provenance or {}, folder, engine)
        ranked += rankings
        values |= {ranking.method: {} for ranking in rankings}
        sample = some_sentences(train, n_rows, seed)
        small = replace(task, X=sample.X, y=sample.y, probe=clone(task.probe))
        curves = ablate(
            ranked,
            sample.X,
            sample.y,
            probe=small.fitted_probe,
            X_test=test.X,
            y_test=test.y,
            shares=shares,
            seed=seed,
            engine=engine,
        )
        for name, ranker in rankers.items():
            if n_resamples:
                logger.info("%s: %d resamples", name, n_resamples)
                found = _stability(name, ranker, small, sample.sentences, k, n_resamples, engine)
                values[name]["stability"] = found
    for curve in curves.curves:
        if curve.retrained:
            values[curve.method]["keep top"] = [float(np.mean(curve.keep.top))]
            lost = curve.intact - np.mean(curve.remove.top)
            values[curve.method]["remove top"] = [float(lost)]
    return RankerComparison(
        rankings=tuple(ranked),
        table=MethodTable.from_values(values),
        agreement=agreement(ranked, k),
        curves=curves,
        converged=all(curve.converged for curve in curves.curves) and task.converged,
    )


def _rank_by_each(
    rankers: Mapping[str, Ranker],
    task: RankingTask,
    provenance: Mapping[str, Any],
    folder: Path | None,
    engine: str,
) -> tuple[list[NeuronRanking], Values]:
    """Rankings, each written as soon as there is one, and the seconds each took."""
    if any(METHODS[name].needs_probe for name in rankers if name in METHODS):
        task.fitted_probe  # noqa: B018  (so that no method's time has it)
    ranked: list[NeuronRanking] = []
    seconds: Values = {}

    def timed(name: str) -> tuple[NeuronRanking, float]:
        logger.info("%s: ranking", name)
        start = time.perf_counter()
        ranking = rankers[name](task)
        return ranking, time.perf_counter() - start

    with task_map(engine) as run:
        for name, (ranking, duration) in zip(rankers, run(timed, rankers), strict=True):
            seconds[name] = {"seconds": [duration]}
            if name not in METHODS or METHODS[name].needs_labels:
                ranking = replace(ranking, provenance={**ranking.provenance, **provenance})
            ranked.append(ranking)
            if folder is not None:
                ranking.save(folder / ranking_name(len(ranked), ranking))
    return ranked, seconds


def _installed() -> list[str]:
    """The methods that can run here; says which cannot."""
    for method in METHODS.values():
        if not method.is_installed:
            logger.warning("%s is not installed: %s is left out", method.extra, method.name)
    return [name for name, method in METHODS.items() if method.is_installed]


def _check(names: Sequence[str], methods: Sequence[str], k: int, n_neurons: int) -> None:
    """Raise InputError for what would else be found after hours of ranking."""
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise unknown_choice("method", unknown[0], METHODS)
    if not names:
        raise InputError("no methods to compare; give at least one")
    if len(set(names)) < len(names):
        raise InputError(f"methods {', '.join(names)}: a name occurs twice; rename one")
    for name in methods:
        if not METHODS[name].is_installed:
            extra = METHODS[name].extra
            raise InputError(f"{name} needs {extra}; pip install 'neurox-lite[{extra}]'")
    if not 1 <= k <= n_neurons:
        raise InputError(f"k is {k}; give a number from 1 to {n_neurons}")


def _by_scores(name: str, scorer: Scorer) -> Ranker:
    def ranker(task: RankingTask) -> NeuronRanking:
        space, scores = space_of(task.X), np.asarray(scorer(task.X, task.y))
        if scores.shape != (space.n_neurons,):
            raise InputError(
                f"'{name}' gives scores of shape {scores.shape} for {space.n_neurons} neurons"
            )
        if scores.dtype.kind == "f":
            scores = np.where(task.constant, np.nan, scores)
        return in_units(NeuronRanking.from_scores(space, scores, name), task.units)

    return ranker


def _stability(
    name: str,
    ranker: Ranker,
    task: RankingTask,
    sentences: np.ndarray,
    k: int,
    n_resamples: int,
    engine: str,
) -> list[float]:
    """Share of the top k of the sample that each resample has in its top k."""
    method = METHODS.get(name)
    if method and not method.needs_labels and not method.needs_activations:  # only a seed
        seeds = range(task.seed + 1, task.seed + 1 + n_resamples)
        first, *others = (ranker(replace(task, seed=seed)) for seed in (task.seed, *seeds))
        return [first.overlap(other, k) for other in others]
    options: dict[str, Any] = {"n_resamples": n_resamples, "seed": task.seed, "engine": engine}
    if method and method.needs == ("probe",):
        of_probe = load_function(method)
        intervals = rank_intervals(
            lambda probe: in_units(of_probe(probe), task.units),
            task.X,
            task.y,
            sentences,
            probe=task.fitted_probe,
            **options,
        )
    else:

        def rank_again(X: Any, y: Any) -> NeuronRanking:
            with warned_before():
                return ranker(replace(task, X=X, y=y, probe=clone(task.probe)))

        intervals = rank_intervals(
            rank_again,
            task.X,
            task.y,
            sentences,
            **options,
        )
    return intervals.overlaps(k).tolist()
