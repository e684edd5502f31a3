"""neurox-lite report: everything in a folder of results as one HTML file."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from neurox_lite.cli.options import Debug, Json
from neurox_lite.cli.output import show
from neurox_lite.cli.output_claims import claim_file
from neurox_lite.errors import InputError
from neurox_lite.outputs import refuse_foreign


@dataclass(frozen=True, kw_only=True)
class Report:
    """Show everything in a folder of results, as one HTML file that opens without a network.

    The folder may be that of a job, of several, or hold rankings, masks, ablations, attributions,
    descriptions or other results, at any depth. 'run' writes a report of its results by itself.

    Example: neurox-lite report results --out report.html
    """

    context: typer.Context
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of results.")]
    out: Annotated[str, typer.Option("--out", help="The file to write, such as report.html.")]
    neurons: Annotated[
        str | None,
        typer.Option(
            "--neurons",
            metavar="all|N",
            help="How many neurons of each model can be opened; by default its first 5,000.",
        ),
    ] = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the report.")] = False
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.report.found import find_results
        from neurox_lite.report.html_report import most_neurons, write_found

        most = most_neurons(_number(self.neurons))
        if not self.out.endswith((".html", ".htm")):
            raise InputError(f"{self.out}: not the name of an HTML file; choose one in .html")
        claim_file(self.context, self.out, self.overwrite, self.folder)
        refuse_foreign(Path(self.out).parent, [glob.escape(Path(self.out).name)])
        found = find_results(self.folder)
        write_found(found, self.out, neurons=most)
        kinds = list(dict.fromkeys(each.kind for each in found.results))
        show({"report": self.out, "results": len(found.results), "of": kinds}, self.as_json)


def _number(given: str | None) -> str | int | None:
    """As Python takes it."""
    return int(given) if given is not None and given.isascii() and given.isdigit() else given
