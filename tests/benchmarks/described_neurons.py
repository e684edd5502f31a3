"""The best-described neurons of a model, and how many have any description, layer by layer.

    python -m tests.benchmarks.described_neurons --model out/minilm
        --corpus ../shared/data/ewt/en_ewt-ud-train.conllu.gz [--store S] [--descriptions FILE]

The first table has the neurons whose best description has the highest AUPRC on held-out sentences,
with what the words of the largest means say, and the best compositional formula with its held-out
IoU; the second, how good the best description of neurons is, layer by layer.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np

import neurox_lite as nx
from neurox_lite.descriptions.neuron_description import NeuronDescription, NeuronDescriptions

TAGS = ("upos", "Number", "Tense", "PronType", "Degree", "VerbForm", "deprel", "Definite", "Person",
        "Case", "Mood", "Gender", "NumType")  # fmt: skip
OF_FORMULAS = ("upos", "Number", "Case", "Person", "PronType", "Tense", "Gender")
N_BEST, GOOD = 20, 0.2


def with_some_tags(corpus: nx.TaggedCorpus) -> nx.TaggedCorpus:
    """Without tags that are different at nearly every word, such as heads."""
    return replace(corpus, tags={tag: corpus.tags[tag] for tag in TAGS if tag in corpus.tags})


def best_described(found: NeuronDescriptions) -> list[NeuronDescription]:
    """The sign of each neuron that is described best, the best first."""
    described = [one for one in found.neurons if one.descriptions]
    described.sort(key=lambda one: -one.descriptions[0].score.auprc.value)
    best: dict[nx.Neuron, NeuronDescription] = {}
    for one in described:
        best.setdefault(one.neuron, one)
    return list(best.values())


def print_best(
    found: NeuronDescriptions, store: nx.ActivationStore, corpus: nx.TaggedCorpus
) -> None:
    best = best_described(found)[:N_BEST]
    exemplars = {own.neuron: own for own in found.exemplars}
    tags = [tag for tag in OF_FORMULAS if tag in corpus.tags]
    neurons = [str(one.neuron) for one in best]
    formulas = nx.descriptions.compositional_formulas(store, corpus, neurons, tags=tags).formulas
    by_sign = {(one.neuron, one.sign): one for one in formulas}
    print("| neuron | description | AUPRC | correlation | words | formula | IoU |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for one in best:
        first = one.descriptions[0].score
        own = exemplars[one.neuron]
        words = own.highest.words if one.sign == "highest" else own.lowest.words
        formula = by_sign[one.neuron, one.sign].best
        cells = (
            f"{one.neuron} {one.sign}",
            ", ".join(f"`{each.text}`" for each in one.descriptions),
            first.auprc,
            first.correlation,
            ", ".join(word.form for word in words[:4]),
            f"`{formula.formula}`" if formula else "none",
            formula.held_out if formula else "",
        )
        print(f"| {' | '.join(map(str, cells))} |")


def print_layers(found: NeuronDescriptions) -> None:
    print(f"\n| layer | neurons | described | median AUPRC of the best | above {GOOD} |")
    print("| --- | --- | --- | --- | --- |")
    best = best_described(found)
    for layer in sorted({own.neuron.layer for own in found.exemplars}):
        n_neurons = sum(own.neuron.layer == layer for own in found.exemplars)
        of_layer = [
            one.descriptions[0].score.auprc.value for one in best if one.neuron.layer == layer
        ]
        median, n_good = np.median(of_layer or np.nan), sum(value > GOOD for value in of_layer)
        print(f"| {layer} | {n_neurons} | {len(of_layer)} | {median:.3f} | {n_good} |")
    described = [one for one in found.neurons if one.descriptions]
    kinds = Counter(one.descriptions[0].text.split("=")[0] for one in described)
    stable = np.mean([one.texts[0] in one.other_half for one in described])
    print(f"\n{len(described)} of {len(found.neurons)} signs described; two descriptions: "
          f"{sum(len(one.descriptions) == 2 for one in described)}")  # fmt: skip
    print(f"Jaccard {found.jaccard:.3f}, by chance {found.jaccard_by_chance:.3f}; the first in "
          f"both halves: {stable:.3f}; described when shuffled: "
          f"{found.described_by_chance:.4f}")  # fmt: skip
    print("of the first: " + ", ".join(f"{name} {count}" for name, count in kinds.most_common(6)))
    print("neurons: " + ", ".join(
        f"{name} {count}" for name, count in
        Counter(own.category for own in found.exemplars).most_common()))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--site", help="Of the model; the default of extract.")
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--store", type=Path, help="Activations, if there are.")
    parser.add_argument("--descriptions", type=Path, help="Read from here, or kept there.")
    options = parser.parse_args()
    corpus = with_some_tags(nx.read_corpus(options.corpus))
    with tempfile.TemporaryDirectory() as temporary:
        path = options.store or Path(temporary, "s.h5")
        if not path.exists():
            site = {} if options.site is None else {"site": options.site}
            nx.extract(options.model, corpus, path, **site).close()
        with nx.ActivationStore(path) as store:
            if options.descriptions and options.descriptions.exists():
                found = NeuronDescriptions.load(options.descriptions)
            else:
                found = nx.describe(store, corpus, share=options.share)
                if options.descriptions:
                    found.save(options.descriptions)
            print_best(found, store, corpus)
        print_layers(found)


if __name__ == "__main__":
    main()
