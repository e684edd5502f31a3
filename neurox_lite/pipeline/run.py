"""Run a job: every stage once, in order, skipping what is already done."""

from __future__ import annotations

from neurox_lite.arguments import expect
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.job_result import JobResult
from neurox_lite.pipeline.several import run_several
from neurox_lite.pipeline.single import run_single


def run_job(job: Job) -> JobResult:
    """Extract, fit, rank and evaluate, into the job's folder of results.

    A stage is skipped when it ran before with the same content (model files, words, labels,
    options, and the stages before it) and its files are unchanged. When a stage has to run, the
    results of all stages that use its own are removed first, so that a folder never mixes jobs.

    With several tags or models, activations are extracted once per model, each tag and model has a
    folder of its own with what a job of it alone writes, and the results are compared.

    Raises
    ------
    InputError
        When the folder holds something else or another run works in it, or input is bad.
    """
    expect(job, Job, "job", "a Job, as Job.read('job.yaml')")
    return run_several(job) if job.is_several else run_single(job)
