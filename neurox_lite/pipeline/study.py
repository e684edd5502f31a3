"""The stages of a study: layers, redundancy, description length, data needed, certainty."""

from __future__ import annotations

from dataclasses import asdict

from neurox_lite.evaluation.minimal_set import disjoint_minimal_sets
from neurox_lite.evaluation.rank_intervals import rank_intervals
from neurox_lite.json_files import write_json
from neurox_lite.pipeline.stage import Stage
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.probing.layerwise import layer_scores
from neurox_lite.probing.learning_curve import learning_curve
from neurox_lite.probing.online_code import online_code_length
from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
from neurox_lite.report.job_files import (
    LAYER_SCORES,
    LEARNING_CURVE,
    ONLINE_CODE,
    RANK_INTERVALS,
    REDUNDANCY,
)
from neurox_lite.results.units import in_units


def _layers(work: Workspace) -> None:
    space, test = work.splits.train.space, work.splits.test
    scores = layer_scores(work.probe, work.train, X_test=test, space=space)
    scores.save(work.path(LAYER_SCORES))


def _redundancy(work: Workspace) -> None:
    dev, delta = work.splits.dev, work.job.ablate.delta
    sets = disjoint_minimal_sets(
        work.probe, linguistic_correlation, work.train, X_dev=dev, delta=delta
    )
    write_json(work.path(REDUNDANCY), [asdict(one) for one in sets])


def _online_code(work: Workspace) -> None:
    code = online_code_length(work.probe, work.train, seed=work.job.seed)
    code.save(work.path(ONLINE_CODE))


def _learning_curve(work: Workspace) -> None:
    test, seed = work.splits.test, work.job.seed
    curve = learning_curve(work.probe, work.train, X_test=test, seed=seed)
    curve.save(work.path(LEARNING_CURVE))


def _rank_intervals(work: Workspace) -> None:
    units = work.units
    intervals = rank_intervals(
        lambda probe: in_units(linguistic_correlation(probe), units),
        work.train,
        probe=work.probe,
        seed=work.job.seed,
    )
    intervals.save(work.path(RANK_INTERVALS))


def _seed(work: Workspace) -> int:
    return work.job.seed


def ranked_units(work: Workspace) -> str | None:
    """What is ranked, if it is not neurons: of jobs without the key nothing changes."""
    return None if work.job.units == "neurons" else work.job.units


def _is_study(work: Workspace) -> bool:
    return work.job.study


STUDY = (
    Stage("layers", ("probe",), lambda work: None, _layers, is_wanted=_is_study),
    Stage(
        "redundancy",
        ("rank",),
        lambda work: work.job.ablate.delta,
        _redundancy,
        is_wanted=_is_study,
    ),
    Stage("online code", ("probe",), _seed, _online_code, is_wanted=_is_study),
    Stage("learning curve", ("probe",), _seed, _learning_curve, is_wanted=_is_study),
    Stage("rank intervals", ("rank",), _seed, _rank_intervals, is_wanted=_is_study),
)
