"""Speed of the search for formulas over concepts: rows of what, ours, reference, ratio.

Neurons are noise, and every other one also a formula. The reference is the same beam search, one
formula after the other by its array of bools. Seconds are those of one core. Run it through `make
bench`, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import neurox_lite as nx
from neurox_lite.descriptions.concepts import Concepts, concepts_of
from neurox_lite.descriptions.formula_search import OPERATORS, Formula, best_formulas
from neurox_lite.descriptions.formulas import compositional_formulas
from tests.benchmarks.extraction import row

NOT_FEATURES = ("lemma", "xpos", "head", "deprel", "depth")
MAX_LENGTH, BEAM_WIDTH, N_NEURONS, N_REFERENCE = 5, 10, 100, 4
JOINED = {"AND": np.logical_and, "OR": np.logical_or, "AND NOT": lambda a, b: a & ~b}
PLANTED = (
    Formula("upos=NOUN", (("AND", "Number=Plur"), ("AND NOT", "word=people"))),
    Formula("previous:upos=DET", (("AND", "upos=ADJ"),)),
    Formula("VerbForm=Inf", (("OR", "VerbForm=Ger"), ("AND NOT", "position=first"))),
)


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def read(treebank: Path) -> tuple[nx.TaggedCorpus, list[str]]:
    """The development set, and its tags: parts of speech and features."""
    corpus = nx.read_conllu(treebank / "en_ewt-ud-dev.conllu.gz")
    labels = {tag: corpus.labels(tag) for tag in corpus.tags if tag not in NOT_FEATURES}
    return corpus, [tag for tag, own in labels.items() if (own != "").sum() >= 100]


def make_activations(concepts: Concepts) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(concepts.n_words, N_NEURONS)).astype(np.float32)
    for number in range(0, N_NEURONS, 2):
        formula = PLANTED[number // 2 % len(PLANTED)]
        X[:, number] += (3 if number % 4 else -3) * formula.holds(concepts)
    return X


def iou(words: np.ndarray, active: np.ndarray) -> float:
    return np.count_nonzero(words & active) / np.count_nonzero(words | active)


def one_by_one(columns: list[np.ndarray], active: np.ndarray) -> float:
    """IoU of the best formula, as Mu & Andreas (2020) search for it."""
    key = lambda found: -found[0]  # noqa: E731
    beam = sorted(((iou(words, active), words) for words in columns), key=key)[:BEAM_WIDTH]
    for _ in range(MAX_LENGTH - 1):
        joined = [
            (iou(new, active), new)
            for _, words in beam
            for operator in OPERATORS
            for column in columns
            for new in [JOINED[operator](words, column)]
        ]
        beam = sorted([*beam, *joined], key=key)[:BEAM_WIDTH]
    return beam[0][0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treebank", required=True, type=Path, help="Folder of UD_English-EWT.")
    options = parser.parse_args()
    row("what", "ours", "reference", None)
    corpus, tags = read(options.treebank)
    concepts = concepts_of(corpus, tags=tags)
    parts = (concepts.has.indptr, concepts.has.indices, concepts.has.data)
    row(
        f"{len(concepts)} concepts of {concepts.n_words:,} words (MB)",
        f"{sum(part.nbytes for part in parts) / 1e6:.1f}",
        f"{len(concepts) * concepts.n_words / 1e6:.1f} as bools",
    )
    X = make_activations(concepts)

    searched = concepts.take(np.random.default_rng(0).permutation(concepts.n_words) % 2 == 0)
    columns = [searched.of(name) for name in searched.names]
    rng = np.random.default_rng(1)
    sets = [rng.random(searched.n_words) < 0.05 for _ in range(N_REFERENCE)]
    for number, formula in enumerate(PLANTED):
        sets[number] = formula.holds(searched) ^ (sets[number] & (rng.random(len(sets[0])) < 0.5))
    found: list[float] = []
    reference: list[float] = []

    def ours() -> None:
        for active in sets:
            best = best_formulas(searched, active, max_length=MAX_LENGTH, beam_width=BEAM_WIDTH)
            found.append(iou(best[-1].holds(searched), active))

    ours()
    found.clear()
    took, took_reference = (
        cpu_seconds(work) / len(sets)
        for work in (ours, lambda: reference.extend(one_by_one(columns, each) for each in sets))
    )
    row(
        f"a search over {searched.n_words:,} words (ms)",
        f"{took * 1e3:.1f}",
        f"{took_reference * 1e3:.0f} one by one",
        took_reference / took,
    )
    row("mean IoU that it finds", f"{np.mean(found):.4f}", f"{np.mean(reference):.4f}")
    took = cpu_seconds(lambda: compositional_formulas(X, corpus, tags=tags)) / N_NEURONS
    row(
        "neurons a second, both signs, beside shuffled",
        f"{1 / took:.0f}",
        "20 asked",
        1 / took / 20,
    )


if __name__ == "__main__":
    main()
