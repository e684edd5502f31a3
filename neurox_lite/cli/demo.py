"""neurox-lite demo: the whole road on the embedded model and corpus."""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.output import Debug, FigureFormat, Json, TableFormat
from neurox_lite.cli.run_job import run


def command(
    out: Annotated[str, typer.Option("--out", help="Folder for the results.")] = "demo",
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Find the part-of-speech neurons of the embedded model, offline, in under two minutes.

    Example: neurox-lite demo --out demo
    """
    from neurox_lite.pipeline.demo import demo_job

    run(demo_job(out, figure_format, table_format), as_json)
