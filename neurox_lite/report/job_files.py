"""The files in the folder of results of a job: the stage that writes each, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from neurox_lite.activations.store import ActivationStore
from neurox_lite.attribution.faithfulness import Faithfulness
from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.neuron_description import NeuronDescriptions
from neurox_lite.evaluation.minimal_set import MinimalSet, read_minimal_sets
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.json_files import read_json
from neurox_lite.probing.evaluation import evaluation_table, read_evaluation
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.probing.learning_curve import LearningCurve
from neurox_lite.probing.online_code import OnlineCodeLength
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.search import RegularisationSearch
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.tables import Table

Result = TypeVar("Result")

JOB = "job.yaml"
RECORD = "stages.json"
"""What every stage depended on, wrote and cost."""


@dataclass(frozen=True)
class JobFile(Generic[Result]):
    """A result of a job in its folder.

    Attributes
    ----------
    name : str
        Of the file, relative to the folder.
    stage : str
        The stage that writes it.
    load : function of a path
        Reads it.
    others : tuple of str
        What the stage writes beside it.
    figure : str, optional
        Name of the figure that its ``plot`` draws, without the ending.
    table : function of the result, optional
        Its table, which a job writes if it asks for tables.
    """

    name: str
    stage: str
    load: Callable[[Path], Result]
    others: tuple[str, ...] = ()
    figure: str | None = None
    table: Callable[[Result], Table] | None = None

    def read(self, folder: str | Path) -> Result:
        """The result in a folder of results."""
        return self.load(Path(folder) / self.name)

    def table_name(self, suffix: str) -> str:
        """Of its table, which ends in ``.csv`` or ``.tex``."""
        return str(Path(self.name).with_suffix(suffix))


def _of_fields(kind: Callable[..., Result], data: dict[str, Any]) -> Result:
    """A dataclass that was kept as a plain object, with more than its fields or fewer."""
    known = {name: data[name] for name in kind.__annotations__ if name in data}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})


def _selectivity(path: Path) -> Selectivity:
    return _of_fields(Selectivity, read_json(path))


def _minimal_set(path: Path) -> MinimalSet:
    return _of_fields(MinimalSet, read_json(path))


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _probe(path: Path) -> ElasticNetProbe:
    return ElasticNetProbe.load(path.parent)


def _exemplars(path: Path) -> Exemplars:
    return Exemplars.load(path.parent)


def _table_of_sets(sets: list[MinimalSet]) -> Table:
    """Their tables as one, with their numbers."""
    tables = [one.table() for one in sets]
    rows = [[number, *row] for number, table in enumerate(tables, 1) for row in table[1:]]
    return [["set", *tables[0][0]], *rows]


STORE = JobFile("store.h5", "extract", ActivationStore)
SEARCH = JobFile(
    "search.json",
    "search",
    RegularisationSearch.load,
    figure="search",
    table=RegularisationSearch.table,
)
PROBE = JobFile("probe/probe.json", "probe", _probe, others=("probe/probe.safetensors",))
EVALUATION = JobFile("probe/evaluation.json", "probe", read_evaluation, table=evaluation_table)
CONTROL = JobFile(
    "control.json", "control", _selectivity, figure="control", table=Selectivity.table
)
# Its table is always there, and too long for a paper.
RANKING = JobFile(
    "ranking.json", "rank", NeuronRanking.load, others=("ranking.csv",), figure="layers"
)
MINIMAL_SET = JobFile(
    "minimal_set.json",
    "minimal set",
    _minimal_set,
    figure="minimal_set",
    table=MinimalSet.table,
)
ABLATION = JobFile(
    "ablation.json", "ablate", AblationCurves.load, figure="ablation", table=AblationCurves.table
)
LAYER_SCORES = JobFile(
    "layer_scores.json",
    "layers",
    LayerScores.load,
    figure="layer_scores",
    table=LayerScores.table,
)
REDUNDANCY = JobFile("redundancy.json", "redundancy", read_minimal_sets, table=_table_of_sets)
ONLINE_CODE = JobFile(
    "online_code.json",
    "online code",
    OnlineCodeLength.load,
    figure="online_code",
    table=OnlineCodeLength.table,
)
LEARNING_CURVE = JobFile(
    "learning_curve.json",
    "learning curve",
    LearningCurve.load,
    figure="learning_curve",
    table=LearningCurve.table,
)
RANK_INTERVALS = JobFile(
    "rank_intervals.json",
    "rank intervals",
    RankIntervals.load,
    figure="rank_intervals",
    table=RankIntervals.table,
)
FAITHFULNESS = JobFile(
    "attribution/faithfulness.json",
    "attribute",
    Faithfulness.load,
    others=("attribution/comparison.csv",),
)
DESCRIPTIONS = JobFile(
    "descriptions/descriptions.json",
    "describe",
    NeuronDescriptions.load,
    others=("descriptions/descriptions.html", "descriptions/descriptions.csv"),
)
EXEMPLARS = JobFile(
    "exemplars/exemplars.json", "exemplars", _exemplars, others=("exemplars/exemplars.safetensors",)
)
TWINS = JobFile("exemplars/twins.json", "twins", NeuronTwins.load)
SUMMARY = JobFile("summary.md", "summary", _text)
REPORT = JobFile("report.html", "report", _text)

JOB_FILES: tuple[JobFile[Any], ...] = (
    *(STORE, SEARCH, PROBE, EVALUATION, CONTROL, RANKING, MINIMAL_SET, ABLATION),
    *(LAYER_SCORES, REDUNDANCY, ONLINE_CODE, LEARNING_CURVE, RANK_INTERVALS, FAITHFULNESS),
    *(DESCRIPTIONS, EXEMPLARS, TWINS, SUMMARY, REPORT),
)
