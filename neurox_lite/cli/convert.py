"""neurox-lite convert: NeuroX's files to a store and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from neurox_lite.cli.options import Debug, Json
from neurox_lite.cli.output import show


@dataclass(frozen=True, kw_only=True)
class Convert:
    """Convert activations of NeuroX to a store, or a store to a file that NeuroX reads.

    Example: neurox-lite convert activations.hdf5 bert.h5 --model bert-base-cased
    """

    source: Annotated[
        str, typer.Argument(metavar="IN", help="A store, or an .hdf5 or .json file of NeuroX.")
    ]
    out: Annotated[str, typer.Argument(help="A store, or a name in .hdf5 or .json for NeuroX.")]
    to: Annotated[
        str | None,
        typer.Option("--to", help="store or neurox; by default the one that IN is not."),
    ] = None
    model: Annotated[
        str, typer.Option("--model", help="The model of a NeuroX file, which does not name it.")
    ] = "unknown"
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT.")] = False
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.activations.convert import convert

        written = convert(
            self.source, self.out, to=self.to, model=self.model, overwrite=self.overwrite
        )
        show({"written": str(written)}, self.as_json)
