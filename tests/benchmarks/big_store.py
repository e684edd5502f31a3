"""A whole study over a made store of so many gigabytes: time and peak memory of every stage.

    python -m tests.benchmarks.big_store --gb 20 --folder DIR [--json] [--cut HOURS] [--peaks]

13 layers of 1,024 neurons (``--width``) that share directions, as those of a model do. Words of
20,000 types have a label of 17; it is in a latent direction of all layers and in planted neurons.
The job is one of the embedded BERT-style model, whose extraction the made store stands in for. What
is made stays in the folder, and is taken up again; peak memory is of one process, as that of `run`.
With --peaks every kind of fit is made, but of each a few, and with few passes: for peaks alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.embedded import embedded_path
from neurox_lite.json_files import read_json
from neurox_lite.pipeline.job import AblateOptions, Job, ProbeOptions
from neurox_lite.pipeline.workspace import read_corpus_of
from tests.benchmarks.extraction import row

N_LAYERS = 13
N_CLASSES, N_TYPES, SENTENCE = 17, 20_000, 20
N_DIRECTIONS = 64
"""Of the words, that neurons share."""

N_PLANTED = 3
"""Neurons of a class, in layers of their own."""

BLOCK_ROWS = 4096
MOST_MEMORY = 3e9

CHILD = """
import sys
from pathlib import Path
if len(sys.argv) > 3:
    from dataclasses import replace
    import neurox_lite.pipeline.stages as stages
    import neurox_lite.pipeline.study as study
    import neurox_lite.probing.online_code as online_code
    from neurox_lite.activations.access import layers_of
    from neurox_lite.evaluation.minimal_set import disjoint_minimal_sets, minimal_set
    from neurox_lite.evaluation.rank_intervals import rank_intervals
    from neurox_lite.probing.learning_curve import learning_curve
    for function in (minimal_set, disjoint_minimal_sets):
        function.__kwdefaults__ |= {"shares": (0.05, 0.5)}
    disjoint_minimal_sets.__kwdefaults__ |= {"n_sets": 2}
    rank_intervals.__kwdefaults__ |= {"n_resamples": 3}
    learning_curve.__kwdefaults__ |= {"shares": (0.02, 0.5, 1.0), "n_seeds": 1}
    online_code.BLOCK_ENDS = (0.0625, 0.25, 1.0)
    stages._n_controls = lambda work: 1
    of_all = study.layer_scores
    def of_two_layers(probe, train, X_test, space):
        two = space.select(space.layers[:2])
        train, test = (replace(p, X=layers_of(p.X, space, two.layers)) for p in (train, X_test))
        return of_all(probe, train, X_test=test, space=two)
    study.layer_scores = of_two_layers
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.single import run_single
import logging
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
run_single(Job.read(sys.argv[1]), store=Path(sys.argv[2]))
"""


def write_corpus(path: Path, n_words: int) -> None:
    """Words of types, of which some are frequent, each with the label of its type mostly."""
    rng = np.random.default_rng(0)
    frequency = 1 / np.arange(1, N_TYPES + 1)
    types = rng.choice(N_TYPES, n_words, p=frequency / frequency.sum())
    shares = 1 / np.arange(1, N_CLASSES + 1)
    of_type = rng.choice(N_CLASSES, N_TYPES, p=shares / shares.sum())
    other = rng.random(n_words) < 0.1
    by_chance = rng.choice(N_CLASSES, n_words, p=shares / shares.sum())
    labels = np.where(other, by_chance, of_type[types])
    with path.open("w") as file:
        for start in range(0, n_words, SENTENCE):
            some = slice(start, start + SENTENCE)
            pairs = zip(types[some].tolist(), labels[some].tolist(), strict=True)
            file.writelines(f"w{word}\tC{label:02}\n" for word, label in pairs)
            file.write("\n")


def write_store(
    path: Path,
    corpus: TaggedCorpus,
    width: int,
    *,
    n_layers: int = N_LAYERS,
    dtype: str = "float32",
) -> None:
    """Of every word, what its type, its label and chance say, in all layers."""
    metadata = {"model": "made", "revision": "", "tokenizer": "", "site": "hidden_states"}
    metadata |= {"aggregation": "last", "pooling": ""}
    ids = np.unique(corpus.labels("label"), return_inverse=True)[1]
    types = np.array([int(word[1:]) for word in corpus.words()])
    rng = np.random.default_rng(1)
    strength = (1 / np.sqrt(np.arange(1, N_DIRECTIONS + 1))).astype(np.float32)
    of_class = rng.standard_normal((N_CLASSES, N_DIRECTIONS), np.float32)
    of_type = rng.standard_normal((N_TYPES, N_DIRECTIONS), np.float32)
    mixing = [rng.standard_normal((N_DIRECTIONS, width), np.float32) for _ in range(n_layers)]
    scale = np.exp(rng.standard_normal((n_layers, width), np.float32))
    mean = rng.standard_normal((n_layers, width), np.float32)
    planted = rng.permutation(n_layers * width)[: N_CLASSES * N_PLANTED]
    with open_writer(path, corpus, dtype=dtype, metadata=metadata) as writer:
        for start in range(0, corpus.n_words, BLOCK_ROWS):
            some = slice(start, min(start + BLOCK_ROWS, corpus.n_words))
            n_rows = some.stop - some.start
            latent = rng.standard_normal((n_rows, N_DIRECTIONS), np.float32)
            latent = (latent + of_type[types[some]] + 0.5 * of_class[ids[some]]) * strength
            layers = {}
            for layer in range(n_layers):
                block = rng.standard_normal((n_rows, width), np.float32)
                block += latent @ mixing[layer]
                for number, column in enumerate(planted.tolist()):
                    if column // width == layer:
                        block[:, column % width] += 3 * (ids[some] == number % N_CLASSES)
                layers[layer] = block * scale[layer] + mean[layer]
            writer.append(layers)
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=2.0, help="Size of the store.")
    parser.add_argument("--folder", type=Path, help="A temporary one by default.")
    parser.add_argument("--cut", type=float, help="Hours after which it is stopped.")
    parser.add_argument("--width", type=int, default=1024, help="Neurons of a layer.")
    parser.add_argument("--peaks", action="store_true", help="Few fits and passes.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            options.folder = Path(temporary)
            measure_study(options)
    else:
        measure_study(options)


def measure_study(options: argparse.Namespace) -> None:
    """Make what is not there, run the job in a process of its own and print what it took."""
    options.folder.mkdir(parents=True, exist_ok=True)
    words, store = options.folder / "words.conll", options.folder / "store.h5"
    out = options.folder / ("peaks" if options.peaks else "out")
    job = Job(
        str(embedded_path("models/bert")),
        str(words),
        "label",
        str(out),
        format="columns",
        columns="word,label",
        study=True,
        probe=ProbeOptions(max_iter=1) if options.peaks else ProbeOptions(),
        ablate=AblateOptions(shares=[0.05, 0.5], n_random=1) if options.peaks else AblateOptions(),
    )
    if not words.exists():
        write_corpus(words, round(options.gb * 1e9 / (4 * N_LAYERS * options.width)))
    if not store.exists():
        started = time.perf_counter()
        write_store(store, read_corpus_of(job), options.width)
        print(f"made in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    with ActivationStore(store) as made:
        n_words, n_neurons = made.n_rows, made.space.n_neurons
    (options.folder / f"{out.name}.yaml").write_text(job.to_yaml())
    command = [sys.executable, "-c", CHILD, str(options.folder / f"{out.name}.yaml"), str(store)]
    command += ["--peaks"] * options.peaks
    seconds = None if options.cut is None else 3600 * options.cut
    try:
        subprocess.run(command, check=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        print("cut", file=sys.stderr)
    record = read_json(out / "stages.json")
    costs = {
        name: {"seconds": stage["seconds"], "peak_memory": stage["peak_memory"]}
        for name, stage in record.items()
    }
    if options.json:
        found = {"bytes": store.stat().st_size, "words": n_words, "neurons": n_neurons}
        print(json.dumps({**found, "stages": costs}))
        return
    size = f"{store.stat().st_size / 1e9:.1f} GB"
    print(f"study over a store of {size}: {n_words:,} words, {n_neurons:,} neurons")
    row("what", "ours", "reference", None)
    for name, cost in costs.items():
        peak = cost["peak_memory"] / MOST_MEMORY
        took = f"{cost['seconds']:.1f} s, {cost['peak_memory'] / 1e6:,.0f} MB"
        row(f"{name}, time and peak memory", took, f"{MOST_MEMORY / 1e6:,.0f} MB at most", peak)


if __name__ == "__main__":
    main()
