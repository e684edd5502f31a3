"""What an extraction will cost, from extracting a sample of its sentences."""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import chunk_rows
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.extraction.concurrency import n_at_once
from neurox_lite.extraction.job import MIN_SHARD_WORDS, SHARD_BYTES, ExtractionJob
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.files import write_errors
from neurox_lite.measure import peak_memory, reset_peak_memory
from neurox_lite.models.loading import LoadedModel, Model

SAMPLE_SHARE = 0.1
ROUNDS = 3


@dataclass(frozen=True)
class Estimate:
    """What an extraction will cost on this machine.

    Attributes
    ----------
    n_words, n_neurons, n_layers : int
    disk_bytes : int
        Of the finished store. While a single file is joined from its shards, twice that.
    peak_memory_bytes : int or None
        Resident memory of the process; None where the system is not Linux.
    device_memory_bytes : int or None
        Peak allocated on a CUDA device; None without one.
    seconds : float
        From loading the model to the finished store.
    n_sampled_words : int
        How many words the prediction is made from.
    n_unknown_words, n_split_words : int
        Words, of all, that hold the tokenizer's unknown token, or are several subwords.
    """

    n_words: int
    n_neurons: int
    n_layers: int
    disk_bytes: int
    peak_memory_bytes: int | None
    device_memory_bytes: int | None
    seconds: float
    n_sampled_words: int
    n_unknown_words: int
    n_split_words: int


def estimate(
    model: Model,
    corpus: TaggedCorpus,
    out: str | Path,
    *,
    source: TaggedCorpus | None = None,
    tokenizer: Any = None,
    **options: Any,
) -> Estimate:
    """Predict disk, memory and time of :func:`neurox_lite.extract`, which leaves no trace.

    All sentences are tokenised, to count the words that the tokenizer does not know or splits. A
    tenth of them, at most a shard, spread evenly over the corpus, is extracted into a temporary
    folder beside ``out``.

    Parameters
    ----------
    model, corpus, out, source, tokenizer, **options
        As for :func:`neurox_lite.extract`.

    Raises
    ------
    InputError
        As :func:`neurox_lite.extract`; what activations are is known of the sample only.
    """
    chosen = ExtractOptions(**options)
    started = time.perf_counter()
    job = ExtractionJob(model, corpus, out, chosen, source, tokenizer=tokenizer)
    loaded, sites, layers = job.loaded, job.sites, job.layers
    loading = time.perf_counter() - started
    job.check_plan()
    widths = [sites.widths[layer] for layer in layers]
    max_words = max(MIN_SHARD_WORDS, SHARD_BYTES // (4 * sum(widths)))

    reset_peak_memory()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    lengths = np.diff(job.corpus.sentence_offsets)
    sampled = _spread(lengths, min(max_words, max(1, int(SAMPLE_SHARE * lengths.sum()))))
    seconds, n_rows, n_sampled, rest = _extract_sample(loaded, job, sampled)
    _run_longest(loaded, job, lengths)

    factor = lengths.sum() / lengths[sampled].sum()
    itemsize = 4 if chosen.dtype == "float32" else 2
    total_rows = round(n_rows * factor)
    peak = peak_memory()
    if peak is not None:
        shard_rows = min(max_words, total_rows)
        peak += max(0, shard_rows - n_rows) * 4 * sum(widths)
    return Estimate(
        n_words=int(lengths.sum()),
        n_neurons=sum(widths),
        n_layers=len(widths),
        disk_bytes=round(rest * factor) + _layer_bytes(total_rows, widths, itemsize),
        peak_memory_bytes=peak,
        device_memory_bytes=torch.cuda.max_memory_allocated()
        if torch.cuda.is_available()
        else None,
        seconds=loading + seconds * factor,
        n_sampled_words=n_sampled,
        n_unknown_words=sum(job.plan.n_unknown),
        n_split_words=sum(job.plan.n_split),
    )


def _spread(lengths: np.ndarray, n_words: int) -> np.ndarray:
    """Numbers of sentences at even distances, with about so many words together."""
    n_sentences = max(1, round(len(lengths) * n_words / lengths.sum()))
    return np.unique(np.linspace(0, len(lengths) - 1, n_sentences).round().astype(int))


def _section(corpus: TaggedCorpus, sentences: np.ndarray) -> TaggedCorpus:
    texts = [corpus.texts[i] for i in sentences] if corpus.texts else []
    return TaggedCorpus([corpus.sentences[i] for i in sentences], source=corpus.source, texts=texts)


def _extract_sample(
    loaded: LoadedModel, job: ExtractionJob, sentences: np.ndarray
) -> tuple[float, int, int, int]:
    """Seconds, rows, words, and bytes beside the layers, of really extracting some sentences."""
    folder = next(p for p in job.out.absolute().parents if p.is_dir())
    corpus = _section(job.corpus, sentences)
    source = _section(job.source, sentences) if job.source else None
    times = []
    with (
        write_errors(job.out),
        tempfile.TemporaryDirectory(dir=folder, prefix=".dry-run-") as temporary,
    ):
        # The first round warms up what a long run does not notice.
        for number in range(ROUNDS):
            out = Path(temporary) / f"{number}{job.out.suffix}"
            sample = ExtractionJob(loaded, corpus, out, job.options, source)
            started = time.perf_counter()
            with sample.folder.lock():
                sample.folder.begin({}, sample.shards, overwrite=True)
                for _ in sample.run(sample.waiting()):
                    pass
                with sample.finish() as store:
                    times.append(time.perf_counter() - started)
                    n_rows, n_words = store.n_rows, len(store.word_rows)
                    rest = _bytes_beside_layers(store)
    return min(times[1:]), n_rows, n_words, rest


def _bytes_beside_layers(store: ActivationStore) -> int:
    files = [p for p in store.path.rglob("*") if p.is_file()] or [store.path]
    itemsize = store.stored(store.space.layers[0], 0, 1).itemsize
    total = sum(file.stat().st_size for file in files)
    return max(0, total - _layer_bytes(store.n_rows, store.space.widths, itemsize))


def _layer_bytes(n_rows: int, widths: Any, itemsize: int) -> int:
    total = 0
    for width in widths:
        rows = chunk_rows(n_rows, width * itemsize)
        total += math.ceil(n_rows / rows) * rows * width * itemsize
    return total


def _run_longest(loaded: LoadedModel, job: ExtractionJob, lengths: np.ndarray) -> None:
    """Run the batches of the longest sentences, which take most memory."""
    order = np.argsort(-lengths, kind="stable")
    per_batch = max(1, int(job.batch_tokens // max(1, lengths[order[0]])))
    n_sentences = per_batch * n_at_once(loaded)
    longest = np.sort(order[:n_sentences])
    allowing = replace(job.options, allow_missing=True)
    source = _section(job.source, longest) if job.source else None
    sample = ExtractionJob(loaded, _section(job.corpus, longest), job.out, allowing, source)
    for sentences in sample.shards:
        sample.extractor.run(sentences)
