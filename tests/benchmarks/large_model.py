"""What the `mlp` neurons of a large model take: 32 layers of 11,008, 200,000 words, bfloat16.

    python -m tests.benchmarks.large_model --folder DIR

Some of the layers are made up (as by `big_store`) and stored, 4.4 GB each. Probes of each of them
and every ranking of the first are timed, every command in a process of its own, and taken 32 times.
What is made stays in the folder.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import neurox_lite as nx
from neurox_lite.ranking_methods import METHODS
from tests.benchmarks.big_store import write_corpus, write_store

N_LAYERS, WIDTH, N_WORDS = 32, 11_008, 200_000
LAYER = ("--layers", "0")


def measure(*arguments: str) -> tuple[float, float]:
    """Seconds and peak memory in GB of a command."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "neurox_lite.cli.main", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"neurox-lite {' '.join(arguments)} failed")
    return time.perf_counter() - started, usage.ru_maxrss * 1024 / 1e9


def row(what: str, seconds: float, peak: float) -> None:
    whole = seconds * N_LAYERS / 60
    print(
        f"{what:<28} {seconds:>8.0f} s a layer {whole:>8.0f} min in all {peak:>6.1f} GB", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--words", type=int, default=N_WORDS)
    parser.add_argument("--stored", type=int, default=5, help="Layers that are made and stored.")
    parser.add_argument("--probes", type=int, default=5, help="Layers whose probes are fitted.")
    parser.add_argument("--methods", help="Of 'rank', separated by commas; all by default.")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    words, store = options.folder / "words.conll", options.folder / "store.h5"
    if not words.exists():
        write_corpus(words, options.words)
    if not store.exists():
        corpus = nx.read_corpus(words, format="columns", columns="word,label")
        write_store(store, corpus, WIDTH, n_layers=options.stored, dtype="bfloat16")
    size = store.stat().st_size / options.stored / 1e9
    print(f"{options.words:,} words, {N_LAYERS} layers of {WIDTH:,} neurons, {options.stored} made")
    print(f"a layer on the disk: {size:.1f} GB; all: {size * N_LAYERS:.0f} GB", flush=True)
    labelled = [
        *("--store", str(store), "--corpus", str(words), "--format", "columns"),
        *("--columns", "word,label", "--tag", "label"),
    ]
    probes = []
    for layer in range(min(options.probes, options.stored)):
        out = ["--layers", str(layer), "--out", str(options.folder / f"probe-{layer}")]
        probes.append(measure("probe", *labelled, *out, "--overwrite"))
    row("probe, median of the layers", *map(statistics.median, zip(*probes, strict=True)))
    for name in options.methods.split(",") if options.methods else METHODS:
        method, out = METHODS[name], ["--out", str(options.folder / f"{name}.json"), "--overwrite"]
        uses_labels = method.needs_labels and method.needs != ("probe",)
        needed = labelled if uses_labels else labelled[:2]
        given = ["--probe", str(options.folder / "probe-0")] if method.needs_probe else LAYER
        row(f"rank {name}", *measure("rank", name, *needed, *given, *out))


if __name__ == "__main__":
    main()
