"""The stages of a job: what each needs, makes and depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neurox_lite.evaluation.ablation import ablate
from neurox_lite.evaluation.minimal_set import minimal_set
from neurox_lite.extraction.extract import extract
from neurox_lite.files import write_json
from neurox_lite.models.loading import model_revision
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.plotting.saving import save_figure
from neurox_lite.probing.evaluation import evaluate_probe
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.selectivity import selectivity
from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
from neurox_lite.report.summary import write_summary


@dataclass(frozen=True)
class Stage:
    """One step.

    Attributes
    ----------
    name : str
    after : tuple of str
        Stages whose results it uses.
    files : tuple of str
        What it writes into the folder of results.
    inputs : function
        JSON-ready content it depends on beside the stages before it.
    run : function
    """

    name: str
    after: tuple[str, ...]
    files: tuple[str, ...]
    inputs: Callable[[Workspace], Any]
    run: Callable[[Workspace], None]


def _extract(work: Workspace) -> None:
    options = asdict(work.job.extract)
    extract(work.job.model, work.corpus, work.path("store.h5"), overwrite=True, **options).close()


def _probe(work: Workspace) -> None:
    options = asdict(work.job.probe)
    options.pop("min_count")
    probe = ElasticNetProbe(**options).fit(work.splits.train.X, work.splits.train.y)
    probe.save(work.path("probe"))
    write_json(work.path("probe/evaluation.json"), evaluate_probe(probe, work.splits))


def _control(work: Workspace) -> None:
    train, test = work.splits.train, work.splits.test
    result = selectivity(work.probe, train, test, work.corpus.words(), seed=work.job.seed)
    write_json(work.path("control.json"), {**asdict(result), "selectivity": result.selectivity})


def _rank(work: Workspace) -> None:
    ranking = linguistic_correlation(work.probe)
    ranking.save(work.path("ranking.json"))
    ranking.save(work.path("ranking.csv"))
    save_figure(ranking.plot(), work.path("layers.png"))


def _minimal_set(work: Workspace) -> None:
    train, dev = work.splits.train, work.splits.dev
    delta = work.job.ablate.delta
    result = minimal_set(work.ranking, work.probe, work.X_train, train.y, dev.X, dev.y, delta=delta)
    write_json(work.path("minimal_set.json"), {**asdict(result), "share": result.share})


def _ablate(work: Workspace) -> None:
    train, test = work.splits.train, work.splits.test
    options = asdict(work.job.ablate)
    options.pop("delta")
    curves = ablate(
        [work.ranking],
        work.X_train,
        train.y,
        probe=work.probe,
        X_test=test.X,
        y_test=test.y,
        seed=work.job.seed,
        **options,
    )
    curves.save(work.path("ablation.json"))
    save_figure(curves.plot(), work.path("ablation.png"))


def _summary(work: Workspace) -> None:
    write_summary(
        work.path(""),
        model=work.job.model,
        corpus=work.corpus.source.replace(" + ", ", "),
        tag=work.job.tag,
        words=work.job.words,
    )


def _labels(work: Workspace) -> list[Any]:
    # The words that are left out, not the options: a list of words may change in its file.
    return [work.job.tag, work.corpus.content_hash, np.flatnonzero(~work.keep).tolist()]


def _extraction_inputs(work: Workspace) -> list[Any]:
    job: Job = work.job
    return [model_revision(job.model), work.corpus.words_hash, job.extract.content()]


STAGES = (
    Stage("extract", (), ("store.h5",), _extraction_inputs, _extract),
    Stage(
        "probe",
        ("extract",),
        ("probe/probe.safetensors", "probe/probe.json", "probe/evaluation.json"),
        lambda work: [_labels(work), asdict(work.job.probe)],
        _probe,
    ),
    Stage("control", ("probe",), ("control.json",), lambda work: work.job.seed, _control),
    Stage(
        "rank",
        ("probe",),
        ("ranking.json", "ranking.csv", "layers.png"),
        lambda work: None,
        _rank,
    ),
    Stage(
        "minimal set",
        ("rank",),
        ("minimal_set.json",),
        lambda work: work.job.ablate.delta,
        _minimal_set,
    ),
    Stage(
        "ablate",
        ("rank",),
        ("ablation.json", "ablation.png"),
        lambda work: [asdict(work.job.ablate), work.job.seed],
        _ablate,
    ),
    Stage(
        "summary",
        ("extract", "probe", "control", "rank", "minimal set", "ablate"),
        ("summary.md",),
        lambda work: [work.job.model, work.job.corpus, work.job.tag, asdict(work.job.words)],
        _summary,
    ),
)
