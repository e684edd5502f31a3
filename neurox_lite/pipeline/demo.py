"""The job that `neurox-lite demo` runs."""

from __future__ import annotations

from neurox_lite.corpora.splits import SPLITS
from neurox_lite.embedded import embedded_path
from neurox_lite.pipeline.job import Job


def demo_job(out: str, figure_format: str = "png", table_format: str | None = None) -> Job:
    """Part of speech in the embedded BERT-style model, on the embedded corpus of English."""
    return Job(
        model=str(embedded_path("models/bert")),
        corpus={s: str(embedded_path(f"corpora/english-{s}.conllu.gz")) for s in SPLITS},
        tag="upos",
        out=out,
        figure_format=figure_format,
        table_format=table_format,
    )
