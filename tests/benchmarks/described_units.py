"""Are units that are known to carry number, tense or gender described as such?

    python -m tests.benchmarks.described_units [--models lstm-0 ...]

Every unit of an embedded LSTM is set to its mean, one at a time, while it reads number pairs, pairs
of verbs that are joined by "and" and have one tense, and pairs in which a mother or a father is
followed by "she" or "he". Known are those without which a tenth of the log-odds of the right word
is lost. Descriptions are made from the grammar's corpus, of all units at once. A unit is described
by a tag if one of its descriptions names it; "one label a sign" if those of its highest and of its
lowest activations name different labels. The place by correlation is that of the best concept of
the tag among all concepts of words.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np

import neurox_lite as nx
from neurox_lite.corpora.grammar import Grammar, SentenceWriter
from neurox_lite.corpora.pair_templates import gender_pairs
from neurox_lite.descriptions.concepts import Concepts, concepts_of
from neurox_lite.descriptions.neuron_description import NeuronDescription, NeuronDescriptions
from tests.benchmarks.known_units import LEAST_EFFECT, NumberModel, number_units
from tests.benchmarks.mask_table import row

MODELS = ("lstm-0", "lstm-1", "lstm-2")
SHARE = 0.05
"""Of the 2,000 sentences that are exemplars."""

N_PAIRS, SEED = 100, 1
TAGS = ("Number", "Tense", "Gender")


def labelled_gender_pairs() -> list[nx.MinimalPair]:
    """Without those of professions, whose gender no label of the corpus says."""
    pairs = gender_pairs(Grammar(), N_PAIRS, SEED)
    return [one for one in pairs if one.condition.startswith("definitional")]


def tense_pairs() -> list[nx.MinimalPair]:
    """ "The queen praised the king and *laughed*", and the same in the present."""
    grammar, rng = Grammar(), random.Random(SEED)
    writer = SentenceWriter(grammar.lexicon, rng)
    people, verbs = grammar.lexicon.people, grammar.lexicon.verbs
    pairs = []
    for number in range(2 * N_PAIRS):
        is_past = number % 2 > 0
        subject, other = (rng.choice(people).singular for _ in range(2))
        first, second = writer.pick(verbs["transitive"]), writer.pick(verbs["intransitive"])
        said = first.past if is_past else first.singular
        forms = second.singular, second.past
        prefix = ("The", subject, said, "the", other, "and")
        pairs.append(
            nx.MinimalPair(
                prefix, forms[is_past], forms[not is_past], (".",), "and", f"tense_{is_past}"
            )
        )
    return pairs


def effects_of(model: str, pairs: Sequence[nx.MinimalPair]) -> np.ndarray:
    """Share of the log-odds of the right word that is lost without each unit, (n_neurons,)."""
    intact = NumberModel(model, pairs)
    return np.array([intact.effect([column]) for column in range(len(intact.means))])


def described(model: str) -> tuple[NeuronDescriptions, dict[str, np.ndarray]]:
    """Descriptions of all units, and of each tag its best place among concepts by correlation."""
    corpus = nx.read_corpus(nx.embedded_path("corpora/english-train.conllu.gz"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.h5")
        with nx.extract(
            nx.embedded_path(f"models/{model}"), corpus, path, site="lstm_cell"
        ) as store:
            found = nx.describe(store, corpus, share=SHARE)
            return found, places_by_correlation(store.matrix()[:], concepts_of(corpus))


def places_by_correlation(X: np.ndarray, concepts: Concepts) -> dict[str, np.ndarray]:
    """Of each tag, how many concepts correlate with each unit as its best or more, (n_neurons,)."""
    standard = (X - X.mean(0, dtype=float)) / X.std(0, dtype=float)
    shares = concepts.counts / len(X)
    correlations = concepts.has.T @ standard / len(X) / np.sqrt(shares * (1 - shares))[:, None]
    places = (-np.abs(correlations)).argsort(0).argsort(0) + 1
    tags = np.array([name.split(":")[-1].partition("=")[0] for name in concepts.names])
    return {tag: places[tags == tag].min(0) for tag in TAGS}


def labels_of(one: NeuronDescription, tag: str) -> set[str]:
    """Labels of a tag that descriptions name, as Plur of `first:Number=Plur`."""
    found = (each.text.split(":")[-1].partition("=") for each in one.descriptions)
    return {label for name, _, label in found if name == tag}


def print_units(
    found: NeuronDescriptions, model: str, tag: str, effects: np.ndarray, places: np.ndarray
) -> list[int]:
    """A row for each known unit; how many are described by the tag, of how many."""
    known = np.flatnonzero(effects >= LEAST_EFFECT)
    n_described = 0
    for column in known[np.argsort(-effects[known])].tolist():
        signs = found.of(column)
        labels = [labels_of(one, tag) for one in signs]
        n_described += any(labels)
        texts = (", ".join(f"`{each.text}`" for each in one.descriptions) for one in signs)
        said = "yes" if any(labels) else "no"
        if all(labels):
            said += ", one label a sign" if not labels[0] & labels[1] else ", signs mixed"
        row(model, tag, str(signs[0].neuron), f"{effects[column]:.2f}", *texts, said,
            str(places[column]))  # fmt: skip
    return [n_described, len(known)]


def by_chance(found: NeuronDescriptions, tag: str) -> float:
    """Share of all units that are described by the tag."""
    names = [
        any(labels_of(one, tag) for one in found.of(column))
        for column in range(found.space.n_neurons)
    ]
    return float(np.mean(names))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    options = parser.parse_args(arguments)
    row("model", "carries", "unit", "effect", "highest", "lowest", "described by it",
        "its place by correlation")  # fmt: skip
    row(*["---"] * 8)
    counted = []
    for model in options.models:
        found, places = described(model)
        for tag, effects in (
            ("Number", number_units(model).effects),
            ("Tense", effects_of(model, tense_pairs())),
            ("Gender", effects_of(model, labelled_gender_pairs())),
        ):
            counted.append([model, tag, *print_units(found, model, tag, effects, places[tag])])
            counted[-1].append(f"{100 * by_chance(found, tag):.0f} %")
    print()
    row("model", "tag", "described by it", "known units", "of all units")
    row(*["---"] * 5)
    for cells in counted:
        row(*map(str, cells))


if __name__ == "__main__":
    main()
