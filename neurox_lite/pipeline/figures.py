"""The figures and tables of a job, drawn from its files: cheap, so another format is no new run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.figures import save_figure, title_of
from neurox_lite.files import read_json
from neurox_lite.models.model_files import model_name
from neurox_lite.output_formats import FIGURE_FORMATS, TABLE_FORMATS
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.probing.evaluation import evaluation_table
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.probing.learning_curve import LearningCurve
from neurox_lite.probing.online_code import OnlineCodeLength
from neurox_lite.probing.search import RegularisationSearch
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.tables import Table, write_table

FIGURES: dict[str, tuple[str, Any]] = {
    "search": ("search", RegularisationSearch),
    "layers": ("ranking", NeuronRanking),
    "ablation": ("ablation", AblationCurves),
    "layer_scores": ("layer_scores", LayerScores),
    "learning_curve": ("learning_curve", LearningCurve),
    "rank_intervals": ("rank_intervals", RankIntervals),
}
"""By the name of the figure: the name of the result, and what it is."""

# The table of the ranking is always there, and too long for a paper.
RESULTS = {name: kind for name, kind in FIGURES.values() if name != "ranking"} | {
    "online_code": OnlineCodeLength
}
MORE: dict[str, Any] = {"control": Selectivity, "minimal_set": MinimalSet, "redundancy": MinimalSet}
"""Kept as plain numbers, of redundancy a list of them."""

EVALUATION = "probe/evaluation"

FIGURE_FILES = tuple(f"{name}.{suffix}" for name in FIGURES for suffix in FIGURE_FORMATS)
TABLE_FILES = tuple(
    f"{name}{suffix}" for name in (*RESULTS, *MORE, EVALUATION) for suffix in TABLE_FORMATS.values()
)


def draw_figures(work: Workspace) -> None:
    """Draw what a job has found."""
    job = work.job
    model = model_name(job.model, job.extract.random_weights)
    title = title_of(job.tag, model, work.corpus.source.split(" + "))
    for figure, (name, kind) in FIGURES.items():
        if work.path(f"{name}.json").is_file():
            drawn = kind.load(work.path(f"{name}.json")).plot(title=title)
            save_figure(drawn, work.path(f"{figure}.{job.figure_format}"))


def write_tables(work: Workspace) -> None:
    """Write what a job has found as tables, if it asks for them."""
    if work.job.table_format is None:
        return
    suffix = TABLE_FORMATS[work.job.table_format]
    for name, kind in RESULTS.items():
        if work.path(f"{name}.json").is_file():
            kind.load(work.path(f"{name}.json")).save(work.path(f"{name}{suffix}"))
    for name, kind in MORE.items():
        if work.path(f"{name}.json").is_file():
            table = _table(kind, read_json(work.path(f"{name}.json")))
            write_table(work.path(f"{name}{suffix}"), table)
    evaluation = read_json(work.path(f"{EVALUATION}.json"))
    write_table(work.path(f"{EVALUATION}{suffix}"), evaluation_table(evaluation))


def _table(kind: Any, data: Any) -> Table:
    """The table of a result that was kept as its fields; of several, with their numbers."""
    if isinstance(data, list):
        tables = [_table(kind, one) for one in data]
        rows = [[n, *row] for n, table in enumerate(tables, 1) for row in table[1:]]
        return [["set", *tables[0][0]], *rows]
    table: Table = kind(**{field.name: data[field.name] for field in fields(kind)}).table()
    return table
