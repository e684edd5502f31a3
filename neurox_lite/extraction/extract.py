"""Run a model over a corpus and keep one activation vector per word and layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.job import ExtractionJob
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.models.loading import Model
from neurox_lite.progress import tqdm
from neurox_lite.tasks import check_engine


def extract(
    model: Model,
    corpus: TaggedCorpus,
    out: str | Path,
    *,
    source: TaggedCorpus | None = None,
    tokenizer: Any = None,
    engine: str = "local",
    workers: int | None = None,
    overwrite: bool = False,
    **options: Any,
) -> ActivationStore:
    """Extract the activations of every word of a corpus into an HDF5 store.

    The store is built shard by shard in the folder ``OUT.unfinished``. However the run ends, the
    same call continues where it stopped, and a call that finds its store finished gives it back.

    Peak memory is the model, one batch (on a CPU one for each core), and one shard: 64 MB of
    float32 activations (or 1,024 words, where those are more), whatever the corpus.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A model folder, a name on the hub, or a model in memory, in evaluation mode.
    corpus : TaggedCorpus
    out : path
        A name that ends in ``.h5`` or ``.hdf5`` becomes one file, any other a folder of shards,
        which spares copying them. It appears only when it is complete.
    source : TaggedCorpus, optional
        With ``side="decoder"``: what the encoder reads, sentence by sentence; the corpus itself by
        default.
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.
    engine : {"local", "ray"}
        ``ray`` spreads the shards over the workers of a Ray cluster.
    workers : int, optional
        With ``engine="ray"``: how many; one per GPU, or per two cores, by default.
    overwrite : bool
        Replace an existing store, or an unfinished one of another job.
    **options
        As the fields of :class:`neurox_lite.ExtractOptions`: ``site``, ``layers``, ``embeddings``,
        ``aggregation``, ``pooling``, ``special_tokens``, ``side``, ``modules``, ``window``,
        ``stride``, ``dtype``, ``compute_dtype``, ``allow_missing``, ``batch_tokens``, ``device``.

    Returns
    -------
    ActivationStore
        Open for reading; one row per word of the corpus.

    Raises
    ------
    InputError
        When ``out`` exists, the model, site or a layer does not, words cannot be aligned or have
        no activation, or an activation is NaN or does not fit the dtype.
    UnfinishedError
        When the disk is full or a sentence does not fit into memory: run it again to go on.
    """
    check_engine(engine)
    if workers is not None and (engine != "ray" or workers < 1):
        raise InputError("workers are for the engine 'ray', at least 1")
    chosen = ExtractOptions(**options)
    # With Ray this process only plans; the workers have the devices.
    here = replace(chosen, device="cpu") if engine == "ray" else chosen
    job = ExtractionJob(model, corpus, out, here, source, overwrite, tokenizer=tokenizer)
    finished = job.finished()
    if finished:
        return finished
    with job.folder.lock():
        job.folder.remove_leftovers()
        job.prepare()
        job.begin()
        waiting = job.waiting()
        if engine == "ray" and waiting:
            from neurox_lite.extraction.ray_engine import run_on_ray

            run_on_ray(job, waiting, workers, chosen.device)
        else:
            _run_here(job, waiting)
        return job.finish()


def extract_share(
    model: Model,
    corpus: TaggedCorpus,
    out: str | Path,
    share: tuple[int, int],
    *,
    source: TaggedCorpus | None = None,
    tokenizer: Any = None,
    overwrite: bool = False,
    **options: Any,
) -> ActivationStore | None:
    """Do one share of :func:`extract`, for several processes or machines on one file system.

    Parameters
    ----------
    share : (int, int)
        Which share and of how many: (1, 4) to (4, 4).

    Returns
    -------
    ActivationStore or None
        The store, where this share was the last to be done.

    Raises
    ------
    InputError, UnfinishedError
        As :func:`extract`.
    """
    number, n_shares = share
    if not 1 <= number <= n_shares:
        raise InputError(f"shard {number}/{n_shares}: give 1/{n_shares} to {n_shares}/{n_shares}")
    chosen = ExtractOptions(**options)
    job = ExtractionJob(model, corpus, out, chosen, source, overwrite, tokenizer=tokenizer)
    finished = job.finished()
    if finished:
        return finished
    with job.folder.lock(f"-{number}-of-{n_shares}"):
        job.prepare()
        with job.folder.take_up():
            job.begin()
        _run_here(job, [s for s in job.waiting() if s % n_shares == number - 1])
        if job.waiting():
            return None
        with job.folder.lock("-finish", wait=True):
            return job.finished() or job.finish()


def _run_here(job: ExtractionJob, shards: Sequence[int]) -> None:
    n_words = sum(job.n_rows[shard] for shard in shards)
    with tqdm(total=n_words, unit="word", desc="extract", disable=None, delay=2) as progress:
        for shard in job.run(shards):
            progress.update(job.n_rows[shard])
