"""A model that is linear in the words of a text, about which everything is known."""

from __future__ import annotations

from contextlib import contextmanager

import torch

from neurox_lite.attribution import ExplainedTexts
from neurox_lite.interventions.text_inputs import TextInputs


class LinearModel:
    """Its states are word embeddings, its output ``sum_i s_i h_i . w``: both in one.

    The s_i are scales of the words.
    """

    n_states = 1
    changes = None

    def __init__(self, embeddings: torch.Tensor, weights: torch.Tensor, scales: torch.Tensor):
        self.embeddings, self.weights, self.scales = embeddings, weights, scales
        self.widths = (len(weights),)
        self.placeholder = torch.zeros(len(weights))

    def __len__(self):
        return 1

    def run(self, batch):
        states = self.embeddings[batch["input_ids"]]
        self.states = states if self.changes is None else self.changes(states)
        return self.states

    def read(self, run, last, *, stop):
        run()
        return [self.states]

    @contextmanager
    def changing(self, state, change):
        self.changes = change
        yield
        self.changes = None

    def forward(self, batch, rows):
        of_tokens = self.run(batch) @ self.weights * self.scales[batch["input_ids"]]
        return ((of_tokens * batch["attention_mask"]).sum(1, keepdim=True),)

    def divergence(self, intact, changed):
        return ((intact[0] - changed[0]) ** 2).sum(-1) / 2

    def score(self, intact, parts):
        return parts[0].sum(-1)

    def said(self, intact, rows):
        return [f"{value:.3f}" for value in intact[0][:, 0].tolist()]


def linear_texts(embeddings, weights, scales, lengths) -> ExplainedTexts:
    """Texts of words 0, 1, 2, ... up to their lengths."""
    ids = torch.arange(max(lengths)).repeat(len(lengths), 1)
    mask = (ids < torch.tensor(lengths)[:, None]).long()
    tokens = tuple(tuple(f"word{number}" for number in range(length)) for length in lengths)
    model = LinearModel(embeddings, weights, scales)
    return ExplainedTexts(TextInputs(tokens, ids * mask, mask, mask == 0), model, model)
