"""Are planted aspects described, and is nothing said of noise?

    python -m tests.benchmarks.descriptions [--seeds 5] [--neurons 200] [--json]

Sentences of random words have aspects, each with its own frequency; some come along with another.
A neuron is moved by one or two of them, at the words of the sentences that have them, over noise; a
generator names the aspects of each sentence, with one in ten missing, as many wrong, and under two
names. *Precision* and *recall* are those of the descriptions returned, over neurons with aspects;
as at most two are returned for a sign, the recall of two is 1 at most. *Jaccard* is that of the
descriptions of both halves of the sentences.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

import neurox_lite as nx
from neurox_lite.descriptions.describe import describe
from neurox_lite.descriptions.neuron_description import NeuronDescriptions

N_SENTENCES, N_WORDS = 8000, 500
N_ASPECTS, FREQUENT = 40, (0.01, 0.1)
"""Aspects, and between which shares of the sentences have one."""

EFFECTS = (1.0, 2.0, 4.0)
"""Of an aspect, in standard deviations of the noise of a word."""

WORDS_MOVED = (1.0, 0.3)
"""Share of the words of a sentence with the aspect that it moves."""

TOGETHER = (0.0, 0.5)
"""How often the next aspect comes along with one."""

MISSING = 0.1


@dataclass(frozen=True)
class Planted:
    """Sentences, the activations of neurons at their words, and what they are about."""

    corpus: nx.TaggedCorpus
    X: np.ndarray
    gold: list[dict[str, set[int]]]
    named: list[list[str]]


def planted(n_neurons: int, effect: float, moved: float, together: float, seed: int) -> Planted:
    """A third of the neurons is noise, the others have one or two aspects, at either sign."""
    rng = np.random.default_rng(seed)
    shares = np.exp(rng.uniform(*np.log(FREQUENT), N_ASPECTS))
    has = rng.random((N_SENTENCES, N_ASPECTS)) < shares
    for aspect in range(0, N_ASPECTS - 1, 2):
        has[:, aspect + 1] |= has[:, aspect] & (rng.random(N_SENTENCES) < together)
    lengths = rng.integers(4, 30, N_SENTENCES)
    words = rng.zipf(1.2, lengths.sum()) % N_WORDS
    ends = np.cumsum(lengths)
    sentences = [
        [f"w{word}" for word in words[end - n : end].tolist()]
        for end, n in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]
    sentence_of = np.repeat(np.arange(N_SENTENCES), lengths)
    X = rng.standard_normal((len(words), n_neurons), dtype=np.float32)
    gold: list[dict[str, set[int]]] = []
    for neuron in range(n_neurons):
        own: dict[str, set[int]] = {"highest": set(), "lowest": set()}
        for aspect in rng.choice(N_ASPECTS, neuron % 3, replace=False).tolist():
            sign = "highest" if rng.random() < 0.5 else "lowest"
            own[sign].add(aspect)
            is_moved = has[sentence_of, aspect] & (rng.random(len(words)) < moved)
            X[is_moved, neuron] += effect if sign == "highest" else -effect
        gold.append(own)
    said = (has & (rng.random(has.shape) >= MISSING)) | (rng.random(has.shape) < MISSING * shares)
    other_name = rng.random(has.shape) < 0.5
    named = [
        [f"aspect number {aspect}" + "s" * int(other) for aspect, other in zip(
            np.flatnonzero(row).tolist(), others[row].tolist(), strict=True)]
        for row, others in zip(said, other_name, strict=True)
    ]  # fmt: skip
    return Planted(nx.TaggedCorpus(sentences), X, gold, named)


def described(case: Planted) -> NeuronDescriptions:
    """By the names that the generator gives; names that differ in an "s" are one."""
    of_text = dict(zip(map(" ".join, case.corpus.sentences), case.named, strict=True))
    return describe(
        case.X, case.corpus, propose=lambda texts: [of_text[text] for text in texts], embed=numbers
    )


def numbers(names: Sequence[str]) -> np.ndarray:
    """A direction for each aspect, which its two names share."""
    return np.eye(N_ASPECTS)[[aspect_of(name) for name in names]]


def aspect_of(name: str) -> int:
    return int(name.rstrip("s").split()[-1])


def measures(case: Planted, found: NeuronDescriptions) -> dict[str, float]:
    """See the module."""
    precision, recall, silent, both = [], [], [], []
    for number, own in enumerate(case.gold):
        for one in found.of(number):
            gold = own[one.sign]
            said = {
                aspect_of(each.text) if each.level == "sentence" else each.text
                for each in one.descriptions
            }
            if not gold:
                silent.append(not said)
                continue
            recall.append(len(said & gold) / min(2, len(gold)))
            if said:
                precision.append(len(said & gold) / len(said))
            if len(gold) == 2:
                both.append(said == gold)
    return {
        "precision@2": float(np.mean(precision)),
        "recall@2": float(np.mean(recall)),
        "two aspects, both": float(np.mean(both)),
        "silent on noise": float(np.mean(silent)),
        "silent on shuffled": 1 - found.described_by_chance,
        "jaccard": found.jaccard or 0.0,
        "jaccard by chance": found.jaccard_by_chance or 0.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--neurons", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="means over all, as one object")
    options = parser.parse_args()
    rows = []
    names: list[str] = []
    for effect, moved, together in product(EFFECTS, WORDS_MOVED, TOGETHER):
        of_seeds = []
        for seed in range(options.seeds):
            case = planted(options.neurons, effect, moved, together, seed)
            of_seeds.append(measures(case, described(case)))
        rows += of_seeds
        if not names:
            names = list(of_seeds[0])
            if not options.json:
                print(f"| effect | words moved | together | {' | '.join(names)} |")
                print(f"|{' --- |' * (len(names) + 3)}")
        if not options.json:
            cells = " | ".join(f"{np.mean([row[name] for row in of_seeds]):.3f}" for name in names)
            print(f"| {effect} | {moved} | {together} | {cells} |", flush=True)
    means = {name: float(np.mean([row[name] for row in rows])) for name in names}
    if options.json:
        print(json.dumps(means))
    else:
        print(f"| all | | | {' | '.join(f'{means[name]:.3f}' for name in names)} |")


if __name__ == "__main__":
    main()
