"""The shards of one extraction, spread over the workers of a Ray cluster."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.extraction.job import ExtractionJob
from neurox_lite.models.loading import LoadedModel
from neurox_lite.progress import tqdm
from neurox_lite.tasks import connected, import_ray

logger = logging.getLogger(__name__)

CORES_PER_WORKER = 2
ATTEMPTS = 3
"""How often a shard is tried whose worker dies."""


class ExtractionWorker:
    """A process that keeps the model loaded and extracts shards, one at a time."""

    def __init__(self, key: str, request: dict[str, Any], n_threads: int):
        torch.set_num_threads(n_threads)
        self.key = key
        self.job = ExtractionJob(**request)

    def run(self, shard: int) -> None:
        """Extract a shard into the job's folder, which all machines share."""
        if self.job.key != self.key:
            raise InputError(
                f"{self.job.model}: a worker finds another model or package version under this "
                "name; give all machines the same"
            )
        list(self.job.run([shard]))


def run_on_ray(
    job: ExtractionJob, shards: Sequence[int], workers: int | None, device: str | None
) -> None:
    """Extract shards on a Ray cluster; the shard of a worker that is lost is done again.

    Uses the cluster that the process is connected to or that ``RAY_ADDRESS`` names, or starts one
    on this machine. The output must be on a file system that all machines share.

    Parameters
    ----------
    job : ExtractionJob
        Prepared.
    shards : sequence of int
    workers : int, optional
        One per GPU, or per two cores where there are none, by default.
    device : str, optional
        Of the workers; their GPU where the cluster has any by default.

    Raises
    ------
    InputError
        When Ray is not installed, the model has no name to load it by, or as
        :func:`neurox_lite.extract`.
    UnfinishedError
        When the workers of one shard die again and again.
    """
    ray = import_ray()
    if isinstance(job.model, LoadedModel):
        raise InputError(
            f"{job.model.name}: is in this process's memory; with the engine 'ray', give its "
            "folder or name"
        )
    with connected("ray"):
        resources = ray.cluster_resources()
        n_gpus, n_cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
        n_workers = workers or n_gpus or max(1, n_cores // CORES_PER_WORKER)
        n_workers = min(n_workers, len(shards))
        each = {"num_gpus": 1} if n_gpus else {"num_cpus": max(1, n_cores // n_workers)}
        device = device or ("cuda" if n_gpus else "cpu")
        request = {
            "model": str(job.model),
            "corpus": job.corpus,
            "out": str(job.out.absolute()),
            "options": replace(job.options, device=device),
            "source": job.source,
            "prepared": (job.plan, job.shards),
        }
        # Stored once, not sent with every worker.
        arguments = [ray.put(job.key), ray.put(request), each.get("num_cpus", CORES_PER_WORKER)]
        worker = ray.remote(ExtractionWorker)

        def start() -> Any:
            return worker.options(**each).remote(*arguments)

        _work_off(ray, job, list(shards), [start() for _ in range(n_workers)], start)


def _work_off(
    ray: Any, job: ExtractionJob, waiting: list[int], workers: list[Any], start: Any
) -> None:
    """Give every idle worker the next shard until all are done."""
    running: dict[Any, tuple[Any, int]] = {}
    lost: Counter[int] = Counter()
    waiting = waiting[::-1]
    with tqdm(
        total=sum(job.n_rows[shard] for shard in waiting),
        unit="word",
        desc="extract",
        disable=None,
        delay=2,
    ) as progress:
        idle = workers
        while waiting or running:
            while idle and waiting:
                worker, shard = idle.pop(), waiting.pop()
                running[worker.run.remote(shard)] = worker, shard
            (finished,), _ = ray.wait(list(running), num_returns=1)
            worker, shard = running.pop(finished)
            try:
                ray.get(finished)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except ray.exceptions.RayActorError as error:
                lost[shard] += 1
                if lost[shard] == ATTEMPTS:
                    reason = " ".join(str(error).split())
                    raise UnfinishedError(
                        f"{job.out}: {ATTEMPTS} workers died over shard {shard} ({reason}); what "
                        "is done is kept: run the same command again, with --batch-tokens halved "
                        "if their memory was short"
                    ) from None
                logger.info("a worker was lost; its shard %d will be computed again", shard)
                waiting.append(shard)
                worker = start()
            else:
                progress.update(job.n_rows[shard])
            idle.append(worker)
