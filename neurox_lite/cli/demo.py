"""neurox-lite demo: every stage, on the embedded model and corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from neurox_lite.cli.options import Debug, FigureOptions, Json
from neurox_lite.cli.run_job import run


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Find the part-of-speech neurons of the embedded model, offline, in under two minutes.

    Example: neurox-lite demo --out demo
    """

    out: Annotated[str, typer.Option("--out", help="Folder for the results.")] = "demo"
    figures: FigureOptions
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.corpora.splits import SPLITS
        from neurox_lite.embedded import embedded_path
        from neurox_lite.pipeline.job import Job

        model = str(embedded_path("models/bert"))
        corpus = {s: str(embedded_path(f"corpora/english-{s}.conllu.gz")) for s in SPLITS}
        run(Job(model, corpus, "upos", self.out, **vars(self.figures)), self.as_json)
