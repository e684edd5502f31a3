"""Speed and memory of extraction: rows of what, ours, reference, ratio.

Run it through `make bench`, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from unittest import mock

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import h5py
import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.activations.checksums import LayerChecksums
from neurox_lite.activations.fast_checksum import FastChecksum
from neurox_lite.activations.writer import chunk_rows, open_writer
from neurox_lite.extraction.batching import batches
from neurox_lite.extraction.job import ExtractionJob
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.models.loading import LoadedModel

ROW = "{:<58} {:>22} {:>28} {:>8}"
CHILD = """
import sys
from neurox_lite.cli.main import main
from neurox_lite.measure import peak_memory
code = main(sys.argv[1:])
print("peak", peak_memory(), file=sys.stderr)
sys.exit(code)
"""


def row(what: str, ours: str, reference: str, ratio: float | None = None) -> None:
    print(ROW.format(what, ours, reference, "" if ratio is None else f"{ratio:.3f}"), flush=True)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bare_forward(loaded: LoadedModel, job: ExtractionJob, larger: int = 1) -> Callable[[], None]:
    """The model over the batches that the job runs, or ``larger`` ones, and nothing else."""
    padded = []
    for shard in job.shards:
        inputs = job.plan.inputs(shard)
        for batch in batches([len(item) for item in inputs], larger * job.batch_tokens):
            ids = torch.zeros(len(batch), max(len(inputs[i]) for i in batch), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for place, i in enumerate(batch):
                ids[place, : len(inputs[i])] = torch.from_numpy(inputs[i].ids)
                mask[place, : len(inputs[i])] = 1
            padded.append((ids.to(loaded.model.device), mask.to(loaded.model.device)))

    @torch.inference_mode()
    def run() -> None:
        for ids, mask in padded:
            loaded.model(input_ids=ids, attention_mask=mask)
        if loaded.model.device.type == "cuda":
            torch.cuda.synchronize()

    return run


def rate_against_bare(
    loaded: LoadedModel, corpus: nx.TaggedCorpus, folder: Path, site: str, rounds: int
) -> float:
    """Print the row of one site; gives the median seconds of `extract`."""
    out = folder / "rate"
    options = ExtractOptions(site=site)
    job = ExtractionJob(loaded, corpus, out, options)
    runs = {
        "ours": lambda: nx.extract(loaded, corpus, out, site=site).close(),
        "bare forward": bare_forward(loaded, job),
        "bare, twice the batch": bare_forward(loaded, job, larger=2),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        shutil.rmtree(out, ignore_errors=True)
        for name, run in runs.items():
            times[name].append(seconds(run))
    shutil.rmtree(out)
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}
    for name in list(runs)[1:]:
        pairs = zip(times["ours"][1:], times[name][1:], strict=True)  # the first round warms up
        row(
            f"extract, {site}, all layers, float32, written (words/s)",
            f"{corpus.n_words / medians['ours']:,.0f}",
            f"{corpus.n_words / medians[name]:,.0f} {name}",
            statistics.median(reference / ours for ours, reference in pairs),
        )
    return medians["ours"]


def bfloat16(model: str, corpus: nx.TaggedCorpus, folder: Path, device: str, rounds: int) -> None:
    """Rates of the two compute dtypes, and how far apart their activations are."""
    dtypes = ("bfloat16", "float32")
    loaded = {dtype: nx.load_model(model, device=device, dtype=dtype) for dtype in dtypes}
    times: dict[str, list[float]] = {dtype: [] for dtype in dtypes}
    for _ in range(rounds + 1):
        for dtype in dtypes:
            out = folder / dtype
            shutil.rmtree(out, ignore_errors=True)
            run = lambda dtype=dtype, out=out: nx.extract(loaded[dtype], corpus, out).close()  # noqa: E731
            times[dtype].append(seconds(run))
    rates = {dtype: corpus.n_words / statistics.median(times[dtype][1:]) for dtype in dtypes}
    pairs = zip(times["bfloat16"][1:], times["float32"][1:], strict=True)
    row(
        "extract, compute in bfloat16 (words/s)",
        f"{rates['bfloat16']:,.0f}",
        f"{rates['float32']:,.0f} float32",
        statistics.median(float32 / half for half, float32 in pairs),
    )
    half, full = (nx.ActivationStore(folder / dtype) for dtype in dtypes)
    for layer in full.space.layers:
        a, b = half.layer(layer)[:].astype(float), full.layer(layer)[:].astype(float)
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        row(f"  cosine to float32, layer {layer}", f"mean {cosine.mean():.5f}", "1")
    for dtype in dtypes:
        shutil.rmtree(folder / dtype)


def command(*arguments: str) -> tuple[float, int, str]:
    """Seconds, peak memory in bytes and output of a command in a process of its own."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=True
    )
    peak = int(done.stderr.rsplit("peak ", 1)[1])
    return time.perf_counter() - start, peak, done.stdout


def first_sentences(source: Path, n_sentences: int, to: Path) -> Path:
    """The first sentences of a gzipped CoNLL-U file."""
    with gzip.open(source, "rt", encoding="utf-8") as file:
        sentences = file.read().split("\n\n")[:n_sentences]
    to.write_text("\n\n".join(sentences) + "\n\n", encoding="utf-8")
    return to


def peak_memory(model: str, train: Path, folder: Path, device: str) -> None:
    """How much more a process needs for six times the sentences."""
    peaks = []
    for n_sentences in (2_000, 12_544):
        corpus = first_sentences(train, n_sentences, folder / "part.conllu")
        arguments = ["extract", "--model", model, "--corpus", str(corpus), "--device", device]
        peaks.append(command(*arguments, "--out", str(folder / "part.h5"))[1])
        (folder / "part.h5").unlink()
    more = (peaks[1] - peaks[0]) / 1e6
    row("peak memory, 12,544 sentences more than 2,000 (MB)", f"{more:.0f}", "64 at most")


def reading(folder: Path, rounds: int) -> None:
    """A layer of two gigabytes by blocks of rows, from the page cache; what its checksums cost."""
    n_rows, width, step = 1 << 19, 1024, 1 << 13
    corpus = nx.TaggedCorpus([["word"] * 64] * (n_rows // 64))
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    path = folder / "large.h5"
    rng = np.random.default_rng(0)
    block = rng.normal(size=(step, width)).astype(np.float32)
    labels = rng.integers(17, size=n_rows)

    def write() -> None:
        with open_writer(
            path, corpus, dtype="float32", metadata=metadata, overwrite=True
        ) as writer:
            for _ in range(n_rows // step):
                writer.append({0: block})
            writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})

    def write_hdf5() -> None:
        with h5py.File(folder / "hdf5.h5", "w") as file:
            chunks = (chunk_rows(n_rows, block[0].nbytes), width)
            layer = file.create_dataset("0", (n_rows, width), np.float32, chunks=chunks)
            for start in range(0, n_rows, step):
                layer[start : start + step] = block

    def read(check: bool = True) -> None:
        with nx.ActivationStore(path, check=check) as store:
            for _ in store.layer(0).blocks():
                pass

    def rank(check: bool = True) -> None:
        with nx.ActivationStore(path, check=check) as store:
            nx.ranking.probeless(store.layer(0), labels)

    compare(
        "writing it",
        {"ours": write, "without checksums": without_checksums(write), "HDF5 alone": write_hdf5},
        rounds,
    )
    write()
    times = [seconds(read) for _ in range(5)][1:]
    rate = n_rows * width * 4 / 1e9 / statistics.median(times)
    row("reading a layer of 2.1 GB by blocks (GB/s)", f"{rate:.2f}", "1 at least")
    for what, work in (("a bare pass over it", read), ("a probeless ranking by it", rank)):
        runs = {
            "ours": work,
            "without checksums": without_checksums(work),
            "HDF5 alone": partial(work, check=False),
        }
        compare(what, runs, rounds)


def without_checksums(work: Callable[[], None]) -> Callable[[], None]:
    """The same without the checksums of chunks; it still takes the SHA-256 of a new layer."""

    def run() -> None:
        with (
            mock.patch.object(FastChecksum, "update", lambda *_: None),
            mock.patch.object(FastChecksum, "value", lambda _: 0),
            mock.patch.object(LayerChecksums, "is_of", lambda *_: True),
        ):
            work()

    return run


def compare(what: str, runs: Mapping[str, Callable[[], None]], rounds: int) -> None:
    """Rows of wall and CPU time, "ours" against each other run: medians, and of their ratios."""
    spent: dict[str, list[np.ndarray]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            before = np.array([time.perf_counter(), time.process_time()])
            run()
            spent[name].append([time.perf_counter(), time.process_time()] - before)
    ours = spent.pop("ours")
    for name, theirs in spent.items():
        ratios = np.median(np.divide(ours, theirs), axis=0)
        for clock, first, second, ratio in zip(
            ("wall", "CPU"), np.median(ours, 0), np.median(theirs, 0), ratios, strict=True
        ):
            row(f"  {what}, {clock} time (s)", f"{first:.2f}", f"{second:.2f} {name}", ratio)


def resuming(
    loaded: LoadedModel, corpus: nx.TaggedCorpus, folder: Path, whole: float, rounds: int
) -> None:
    """Running a finished job again."""
    nx.extract(loaded, corpus, folder / "done").close()
    again = [
        seconds(lambda: nx.extract(loaded, corpus, folder / "done").close()) for _ in range(rounds)
    ]
    cost = statistics.median(again)
    row("a finished job again (s)", f"{cost:.4f}", f"{whole:.2f} the job", cost / whole)
    shutil.rmtree(folder / "done")


def dry_run(model: str, train: Path, folder: Path, device: str) -> None:
    """What --dry-run says, and what happens then."""
    out = folder / "train.h5"
    arguments = ["extract", "--model", model, "--corpus", str(train), "--device", device]
    arguments += ["--out", str(out), "--json"]
    predicted = json.loads(command(*arguments, "--dry-run")[2])
    corpus = nx.read_conllu(train).words_only()
    start = time.perf_counter()
    nx.extract(model, corpus, folder / "timed.h5", device=device).close()
    took = time.perf_counter() - start
    (folder / "timed.h5").unlink()
    _, peak, _ = command(*arguments)
    told = predicted["disk_bytes"] / 1e9, predicted["peak_memory_bytes"] / 1e9, predicted["seconds"]
    real = out.stat().st_size / 1e9, peak / 1e9, took
    for what, said, measured in zip(
        ("disk (GB)", "memory (GB)", "time (s)"), told, real, strict=True
    ):
        row(f"--dry-run, {what}", f"{said:.3f}", f"{measured:.3f} measured", said / measured)
    out.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--treebank", required=True, type=Path, help="Folder of UD_English-EWT.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    train = options.treebank / "en_ewt-ud-train.conllu.gz"
    dev = nx.read_conllu(options.treebank / "en_ewt-ud-dev.conllu.gz").words_only()
    loaded = nx.load_model(options.model, device=options.device)
    print(f"device {options.device}, {os.cpu_count()} cores, torch {torch.__version__}")
    row("what", "ours", "reference", None)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole = rate_against_bare(loaded, dev, folder, "hidden_states", options.rounds)
        rate_against_bare(loaded, dev, folder, "mlp", options.rounds)
        bfloat16(options.model, dev, folder, options.device, options.rounds)
        resuming(loaded, dev, folder, whole, options.rounds)
        reading(folder, options.rounds)
        peak_memory(options.model, train, folder, options.device)
        dry_run(options.model, train, folder, options.device)
    if options.device == "cuda":
        row("device memory, peak (MB)", f"{torch.cuda.max_memory_allocated() / 1e6:.0f}", "")


if __name__ == "__main__":
    main()
