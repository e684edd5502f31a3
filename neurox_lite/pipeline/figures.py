"""The figures and tables of a job, drawn from its files: cheap, so another format is no new run."""

from __future__ import annotations

from neurox_lite.figures import save_figure, title_of
from neurox_lite.models.model_files import model_name
from neurox_lite.output_formats import FIGURE_FORMATS, TABLE_FORMATS
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.report.job_files import JOB_FILES
from neurox_lite.results.tables import write_table

DRAWN = tuple(file for file in JOB_FILES if file.figure)
TABULATED = tuple(file for file in JOB_FILES if file.table)

FIGURE_FILES = tuple(f"{file.figure}.{suffix}" for file in DRAWN for suffix in FIGURE_FORMATS)
TABLE_FILES = tuple(
    file.table_name(suffix) for file in TABULATED for suffix in TABLE_FORMATS.values()
)


def draw_figures(work: Workspace) -> None:
    """Draw what a job has found."""
    job = work.job
    model = model_name(job.model, job.extract.random_weights)
    title = title_of(job.tag, model, work.corpus.source.split(" + "))
    for file in DRAWN:
        if work.path(file).is_file():
            figure = work.read(file).plot(title=title)
            save_figure(figure, work.folder / f"{file.figure}.{job.figure_format}")


def write_tables(work: Workspace) -> None:
    """Write what a job has found as tables, if it asks for them."""
    if work.job.table_format is None:
        return
    suffix = TABLE_FORMATS[work.job.table_format]
    for file in TABULATED:
        if file.table and work.path(file).is_file():
            table = file.table(work.read(file))
            write_table(work.folder / file.table_name(suffix), table)
