"""What a job will cost, stage by stage, before anything runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from neurox_lite.activations.labelled_rows import labelled_rows
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import expect
from neurox_lite.corpora.balance import balance_classes
from neurox_lite.extraction.estimate import estimate
from neurox_lite.measure import resident_memory
from neurox_lite.pipeline.comparison import SeveralJobs
from neurox_lite.pipeline.fit_costs import FitCosts, MachineSpeed
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.leaves import Leaf
from neurox_lite.pipeline.several import checked_several
from neurox_lite.pipeline.single import checked, folder_of
from neurox_lite.pipeline.stage_costs import StageCost, StageCosts, report_cost
from neurox_lite.pipeline.stages import STAGES
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.report.job_files import STORE
from neurox_lite.results.html import as_html
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary


@dataclass(frozen=True)
class StageEstimate:
    """What a stage will cost.

    Attributes
    ----------
    name : str
        Of several tags or models, with the folder before it.
    seconds : float
    disk_bytes : int
        Of the files that it writes.
    peak_memory_bytes : int or None
        Resident memory of the process; None where the system is not Linux.
    done : bool
        Whether its results are there, so that it will be skipped; then all else is 0.
    """

    name: str
    seconds: float
    disk_bytes: int
    peak_memory_bytes: int | None
    done: bool = False


@dataclass(frozen=True)
class JobEstimate:
    """What a job will cost on this machine.

    Attributes
    ----------
    stages : tuple of StageEstimate
        In the order in which they run.
    n_words, n_neurons : int
        Words of the corpus, and neurons of the first model.
    """

    stages: tuple[StageEstimate, ...]
    n_words: int
    n_neurons: int

    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {"words": self.n_words, "neurons": self.n_neurons, "stages": len(self.stages)}
        lines = [f"about {self.seconds:.0f} s, {self.disk_bytes / 1e6:.0f} MB on disk"]
        if self.peak_memory_bytes is not None:
            lines.append(f"at most about {self.peak_memory_bytes / 1e6:.0f} MB of memory")
        return summary("JobEstimate", facts, lines)

    @property
    def seconds(self) -> float:
        """Of all stages together."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def disk_bytes(self) -> int:
        """Of all files together."""
        return sum(stage.disk_bytes for stage in self.stages)

    @property
    def peak_memory_bytes(self) -> int | None:
        """The largest of a stage; None where the system is not Linux."""
        peaks = [stage.peak_memory_bytes for stage in self.stages]
        return max((peak for peak in peaks if peak is not None), default=None)

    def table(self) -> Table:
        """A header, and a row per stage."""
        header = ["stage", "seconds", "disk_bytes", "peak_memory_bytes", "done"]
        return [header, *(list(asdict(stage).values()) for stage in self.stages)]


@dataclass(frozen=True)
class _Extraction:
    """What is known of a store before, or because, it is there."""

    cost: StageEstimate
    n_neurons: int
    n_layers: int
    itemsize: int


def estimate_job(job: Job) -> JobEstimate:
    """Predict time, disk and peak memory of every stage of :func:`neurox_lite.run_job`.

    All input is checked as when it runs, and nothing is left behind. A sample of the sentences is
    extracted, as by :func:`neurox_lite.extraction.estimate.estimate`; some passes of fits are timed
    on made rows of as many neurons and labels. How many passes a fit will take is not known before:
    expect the time of a job of minutes or more to be right within about a factor of two, and memory
    within a third; reading is timed from the system's cache. Attributions are not estimated, and
    count a second. Where the results of a stage are there it counts nothing.

    Raises
    ------
    InputError
        As :func:`neurox_lite.run_job`.
    """
    expect(job, Job, "job", "a Job, as Job.read('job.yaml')")
    if not job.is_several:
        work = checked(job)
        folder = folder_of(job)
        done = folder.done(folder.stages, work)
        extraction = _extraction(work, work.folder / STORE.name, done)
        costs = _stage_costs(work, extraction)
        stages = (extraction.cost, *_of_stages(work, costs, done))
        return JobEstimate(stages, work.corpus.n_words, costs.n_neurons)
    several = SeveralJobs.of(job)
    found, n_neurons = _of_several(several)
    return JobEstimate(tuple(found), several.corpus.n_words, n_neurons)


def _of_several(several: SeveralJobs) -> tuple[list[StageEstimate], int]:
    """All stages, and the neurons of the first model."""
    folder = checked_several(several)
    done = folder.done(several.extraction(), several)
    found: list[StageEstimate] = []
    extractions: dict[str, _Extraction] = {}
    for stage, (model_folder, leaves) in zip(
        several.extraction(), several.by_model.items(), strict=True
    ):
        work = Workspace(leaves[0].job, several.corpus)
        own_done = {STAGES[0].name} if stage.name in done else set()
        store = several.folder / leaves[0].store
        extractions[model_folder] = _extraction(work, store, own_done, stage.name)
        found.append(extractions[model_folder].cost)
    *before, comparison, report = several.after_leaves()
    localise, between = before[: len(several.leaves)], before[len(several.leaves) :]
    costs: dict[str, StageCosts] = {}
    are_done: set[str] = set()
    are_ranked: set[str] = set()
    for leaf in several.leaves:
        work = Workspace(leaf.job, several.corpus)
        costs[leaf.name] = _stage_costs(work, extractions[leaf.model_folder])
        own = _of_leaf(leaf, work, costs[leaf.name])
        found += own
        are_done |= {leaf.name} if all(one.done for one in own) else set()
        are_ranked |= {leaf.name for one in own if one.done and one.name.endswith(": rank")}
    of_some = [
        (stage, costs[leaf.name].of("localisation"), leaf.name in are_done)
        for leaf, stage in zip(several.leaves, localise, strict=True)
    ]
    of_some += [
        (
            stage,
            costs[leaf.name].twins(extractions[other.model_folder].n_neurons),
            {leaf.name, other.name} <= are_ranked,
        )
        for (leaf, other), stage in zip(several.pairs, between, strict=True)
        if stage.is_wanted(several)
    ]
    for stage, cost, is_ready in of_some:
        is_done = is_ready and stage.name in folder.done((stage,), several)
        found.append(_of_one(stage.name, cost, is_done))
    is_ready = all(one.done for one in found)
    done = folder.done(several.stages(), several) if is_ready else set()
    n_neurons = [each.n_neurons for each in extractions.values()]
    of_all = ((comparison, StageCost(1, 1 << 20)), (report, report_cost(*n_neurons)))
    found += [_of_one(stage.name, cost, stage.name in done) for stage, cost in of_all]
    return found, n_neurons[0]


def _of_one(name: str, cost: StageCost, is_done: bool) -> StageEstimate:
    if is_done:
        return StageEstimate(name, 0.0, 0, 0, done=True)
    return _estimate(name, cost.seconds, cost.disk, cost.memory)


def _of_leaf(leaf: Leaf, work: Workspace, costs: StageCosts) -> list[StageEstimate]:
    folder = folder_of(leaf.job)
    done = folder.done(folder.stages, work)
    return [
        replace(stage, name=f"{leaf.name}: {stage.name}") for stage in _of_stages(work, costs, done)
    ]


def _extraction(
    work: Workspace, store: Path, done: set[str], name: str = STAGES[0].name
) -> _Extraction:
    if STAGES[0].name in done:
        with ActivationStore(store) as made:
            matrix: ActivationMatrix = made.matrix()
            cost = StageEstimate(name, 0.0, 0, 0, done=True)
            return _Extraction(
                cost, made.space.n_neurons, len(made.space.layers), matrix.dtype.itemsize
            )
    options = asdict(work.extract)
    found = estimate(work.job.model, work.words, store, **options)
    itemsize = 4 if work.extract.dtype == "float32" else 2
    cost = StageEstimate(name, found.seconds, found.disk_bytes, found.peak_memory_bytes)
    return _Extraction(cost, found.n_neurons, found.n_layers, itemsize)


def _stage_costs(work: Workspace, extraction: _Extraction) -> StageCosts:
    job = work.job
    rows, _ = labelled_rows(work.corpus, job.tag, keep=work.keep, min_count=job.probe.min_count)
    labels = work.corpus.labels(job.tag)
    n_train = len(rows["train"])
    if job.words.balance:
        n_train = len(balance_classes(labels[rows["train"]], job.words.balance, job.seed))
    n_outputs = len(np.unique(labels[rows["train"]]))
    speed = MachineSpeed.measured(extraction.n_neurons, n_outputs, work.folder)
    return StageCosts(
        job=job,
        fits=FitCosts(speed, n_outputs, extraction.itemsize),
        n_train=n_train,
        n_dev=len(rows["dev"]),
        n_test=len(rows["test"]),
        n_neurons=extraction.n_neurons,
        n_layers=extraction.n_layers,
    )


def _of_stages(work: Workspace, costs: StageCosts, done: set[str]) -> list[StageEstimate]:
    """Of all stages of a job but extraction."""
    held = 0
    found = []
    for stage in STAGES[1:]:
        if not stage.is_wanted(work):
            continue
        if stage.name in done:
            found.append(_of_one(stage.name, StageCost(0), is_done=True))
            continue
        if stage.name not in ("search", "probe", "rank"):
            held = costs.held_bytes
        cost = costs.of(stage.name)
        # The rows of a single fit are read for it; from then on they are kept.
        own = costs.held_bytes if stage.name in ("search", "probe") else held
        found.append(_estimate(stage.name, cost.seconds, cost.disk, cost.memory + own))
    return found


def _estimate(name: str, seconds: float, disk: int, memory: int) -> StageEstimate:
    resident = resident_memory()
    return StageEstimate(name, seconds, disk, None if resident is None else resident + memory)
