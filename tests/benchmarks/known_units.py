"""Trained models in which the units that decide are known: by exhaustive ablation, or by design."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.models.hooks import record, rewrite
from neurox_lite.models.sites import find_sites
from tests.benchmarks.planted import Planted

TEMPLATES = ("simple", "adv", "nounpp", "nounpp_adv", "two_pp", "object_relative")
"""Those in which the subject's noun is the only word that its number changes."""

LEAST_EFFECT = 0.1
"""A unit is known to decide when replacing it costs this share of the intact log-odds."""


class NumberModel:
    """An LSTM that reads prefixes, and how much more probable the right verb is after them.

    A unit is taken out by setting its cell to its mean over all words of the prefixes, at every
    word.
    """

    def __init__(self, name: str, pairs: Sequence[MinimalPair]):
        loaded = nx.load_model(nx.embedded_path(f"models/{name}"), device="cpu")
        self.model, self.tokenizer = loaded.model, loaded.tokenizer
        self.sites = find_sites(self.model, "lstm_cell")
        # The LSTM predicts with its embeddings: log p(right) - log p(wrong) is linear in its state.
        embeddings = self.model.get_input_embeddings().weight.detach()
        right = embeddings[[self._token(pair.right) for pair in pairs]]
        self.direction = right - embeddings[[self._token(pair.wrong) for pair in pairs]]
        self.inputs = self._read(pairs)
        cells = self._cells(self.inputs)
        self.means = cells[self.inputs["attention_mask"].bool()].mean(0)
        self.intact = float(self._log_odds().mean())

    def _token(self, word: str) -> int:
        return self.tokenizer(f". {word}", add_special_tokens=False)["input_ids"][1]

    def _read(self, pairs: Sequence[MinimalPair]) -> dict[str, torch.Tensor]:
        texts = [" ".join(pair.prefix) for pair in pairs]
        encoded = self.tokenizer(texts, padding=True, return_tensors="pt")
        return {key: encoded[key] for key in ("input_ids", "attention_mask")}

    @torch.no_grad()
    def _cells(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Cells of both layers side by side, (n_prefixes, n_tokens, n_neurons)."""
        layers: dict[int, torch.Tensor] = {}
        with record(self.model, self.sites, layers.__setitem__):
            self.model(**inputs)
        return torch.cat([layers[layer] for layer in sorted(layers)], dim=-1)

    def last_cells(self, pairs: Sequence[MinimalPair]) -> np.ndarray:
        """Cells at the last word of each prefix, (n_prefixes, n_neurons)."""
        inputs = self._read(pairs)
        last = inputs["attention_mask"].sum(1) - 1
        return self._cells(inputs)[torch.arange(len(pairs)), last].numpy()

    @torch.no_grad()
    def _log_odds(self) -> torch.Tensor:
        states = self.model(**self.inputs).last_hidden_state[:, -1]
        return (states * self.direction).sum(1)

    def effect(self, columns: Sequence[int] | np.ndarray) -> float:
        """Share of the mean log-odds that is lost without some units."""
        chosen = torch.zeros(len(self.means), dtype=torch.bool)
        chosen[torch.as_tensor(columns, dtype=torch.long)] = True
        widths = list(self.sites.widths.values())
        layers = dict(enumerate(zip(chosen.split(widths), self.means.split(widths), strict=True)))

        def change(layer: int, position: int, states: torch.Tensor) -> torch.Tensor:
            is_out, mean = layers[layer]
            return torch.where(is_out, mean, states)

        changed = [layer for layer, (is_out, _) in layers.items() if is_out.any()]
        with rewrite(self.model, self.sites, change, changed):
            return 1 - float(self._log_odds().mean()) / self.intact


@dataclass(frozen=True)
class KnownUnits:
    """A model's activations labelled with the number of the subject, and what its units do.

    Attributes
    ----------
    planted : Planted
        Cells at the last word before the verb; the columns are the units that decide.
    sides : pair of (n_pairs, n_neurons) arrays
        The training rows again: both sides of each pair, which differ in the subject's number.
    model : NumberModel
    effects : (n_neurons,) array
        Of every unit alone.
    """

    planted: Planted
    sides: tuple[np.ndarray, np.ndarray]
    model: NumberModel
    effects: np.ndarray


def number_units(name: str, seed: int = 0) -> KnownUnits:
    """Every unit of an embedded LSTM taken out, one at a time, while it reads 600 number pairs."""
    pairs = [
        pair
        for pair in read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::2]
        if pair.template in TEMPLATES
    ]
    model = NumberModel(name, pairs)
    effects = np.array([model.effect([column]) for column in range(len(model.means))])
    sides = model.last_cells(pairs), model.last_cells([other_number(pair) for pair in pairs])
    number = np.array([pair.condition.split("_")[0] for pair in pairs])
    opposite = np.where(number == "singular", "plural", "singular")
    splits = {
        split: LabelledActivations(
            np.concatenate([side[chosen] for side in sides]),
            np.concatenate([number[chosen], opposite[chosen]]),
            np.arange(2 * len(chosen)),
            np.tile(np.arange(len(chosen)), 2),
        )
        for split, chosen in balanced_split(pairs, seed).items()
    }
    train = len(splits["train"].y) // 2
    return KnownUnits(
        Planted(LabelledSplits(**splits, left_out={}), np.flatnonzero(effects >= LEAST_EFFECT)),
        (splits["train"].X[:train], splits["train"].X[train:]),
        model,
        effects,
    )


def other_number(pair: MinimalPair) -> MinimalPair:
    """The pair with its first noun in the other number."""
    forms = {}
    for noun in Grammar().lexicon.people:
        forms |= {noun.singular: noun.plural, noun.plural: noun.singular}
    place = next(place for place, word in enumerate(pair.prefix) if word in forms)
    prefix = (*pair.prefix[:place], forms[pair.prefix[place]], *pair.prefix[place + 1 :])
    return replace(pair, prefix=prefix, right=pair.wrong, wrong=pair.right)


def balanced_split(pairs: Sequence[MinimalPair], seed: int) -> dict[str, np.ndarray]:
    """Half of the pairs of each template and condition for train, a quarter each for dev, test."""
    rng = np.random.default_rng(seed)
    kinds = np.array([f"{pair.template} {pair.condition}" for pair in pairs])
    parts: dict[str, list[np.ndarray]] = {"train": [], "dev": [], "test": []}
    for kind in np.unique(kinds):
        chosen = rng.permutation(np.flatnonzero(kinds == kind))
        ends = [len(chosen) // 2, len(chosen) * 3 // 4]
        for split, part in zip(parts, np.split(chosen, ends), strict=True):
            parts[split].append(part)
    return {split: np.concatenate(chosen) for split, chosen in parts.items()}


@cache
def embedded_cells(name: str, n_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of an embedded LSTM on the embedded corpus, (n_words, n_neurons), and the sentences."""
    corpus = nx.read_conllu(nx.embedded_path("corpora/english-train.conllu.gz"))
    loaded = nx.load_model(nx.embedded_path(f"models/{name}"), device="cpu")
    rows = np.arange(n_words)
    with (
        tempfile.TemporaryDirectory() as folder,
        nx.extract(loaded, corpus, Path(folder) / "store.h5", site="lstm_cell") as store,
    ):
        X = store.matrix(rows=rows)[:]
    return X, np.searchsorted(corpus.sentence_offsets, rows, side="right") - 1


def readout(name: str, seed: int, *, n_words: int = 5000) -> Planted:
    """Real activations, with a label that two units decide: whether their (signed) sum is large."""
    X, sentences = embedded_cells(name, n_words)
    rng = np.random.default_rng(seed)
    columns = rng.choice(X.shape[1], 2, replace=False)
    two = X[:, columns]
    total = (two - two.mean(0)) / two.std(0) @ rng.choice([-1, 1], 2)
    y = np.where(total > 0, "large", "small")
    # Whole sentences, in order.
    ends = np.searchsorted(sentences, sentences[[n_words * 3 // 5, n_words * 4 // 5]])
    parts = [
        LabelledActivations(X[rows], y[rows], rows, sentences[rows])
        for rows in np.split(np.arange(n_words), ends)
    ]
    return Planted(LabelledSplits(*parts, left_out={}), np.sort(columns))
