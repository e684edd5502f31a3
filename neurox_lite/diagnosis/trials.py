"""The smallest of what the package does, done: read, run a model, write a store, fit a probe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

SENTENCE = ["The", "old", "cats", "sleep", "."]


def reads_a_corpus(folder: Path) -> str:
    """The embedded one."""
    from neurox_lite.corpora.conllu import read_conllu
    from neurox_lite.embedded import embedded_path

    corpus = read_conllu(embedded_path("corpora/english-dev.conllu.gz"))
    return f"{corpus.n_words:,} words"


def runs_a_model_into_a_store(folder: Path) -> str:
    """A forward pass of the embedded transformer, written as HDF5 and read back whole."""
    from neurox_lite.activations.checks import verify
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus
    from neurox_lite.embedded import embedded_path
    from neurox_lite.extraction.extract import extract

    path = folder / "store.h5"
    extract(str(embedded_path("models/bert")), TaggedCorpus([SENTENCE]), path, device="cpu").close()
    with ActivationStore(path) as store:
        problems = verify(store)
        values = store.matrix()[:]
    if problems or not np.isfinite(values).all() or not np.ptp(values, axis=0).any():
        raise ValueError("; ".join(problems) or "the activations are not numbers, or all the same")
    return f"{values.shape[0]} words x {values.shape[1]:,} neurons"


def fits_a_probe(folder: Path) -> str:
    """It finds the one neuron of five that knows the class, and is saved and read back."""
    from neurox_lite.probing.probe import ElasticNetProbe

    y = np.array(["a", "b"])[np.arange(60) % 2]
    X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    X[:, 3] += 6 * (y == "a")
    probe = ElasticNetProbe(l1=0.01, l2=0.01).fit(X, y)
    probe.save(folder / "probe")
    read = ElasticNetProbe.load(folder / "probe")
    if np.abs(read.coef_).sum(axis=0).argmax() != 3 or (read.predict(X) != y).any():
        raise ValueError("it does not find the neuron that knows the class")
    return "finds the neuron that was planted"


def draws_a_figure(folder: Path) -> str:
    """As PNG, without a display."""
    from neurox_lite.neurons import NeuronSpace
    from neurox_lite.results.ranking import NeuronRanking

    ranking = NeuronRanking.from_scores(NeuronSpace.of_array(5), np.arange(5.0), "doctor")
    ranking.plot().savefig(folder / "figure.png")
    return f"{(folder / 'figure.png').stat().st_size:,} bytes"


TRIALS: dict[str, Callable[[Path], str]] = {
    "corpus": reads_a_corpus,
    "model and store": runs_a_model_into_a_store,
    "probe": fits_a_probe,
    "figure": draws_a_figure,
}
