"""A model whose answer is a sum over tokens, so that the best attribution is known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.attribution import ExplainedTexts
from neurox_lite.interventions.text_inputs import TextInputs
from neurox_lite.interventions.text_outputs import Choices

BIAS = 0.3


class SumStates:
    """One state: the embedding, which is the weight of the token itself; 0 when erased."""

    widths = (1,)
    placeholder = torch.zeros(1)
    change = None

    def __len__(self):
        return 1

    @contextmanager
    def changing(self, state, change):
        self.change = change
        yield
        self.change = None

    def total(self, weights, batch):
        states = weights[batch["input_ids"]][..., None]
        states = states if self.change is None else self.change(states)
        return (states[..., 0] * batch["attention_mask"]).sum(1)


class SumOutput:
    """The score is the sum of what the tokens weigh, and a bias."""

    n_states = None

    def __init__(self, states, weights):
        self.states, self.weights = states, weights

    def forward(self, batch, rows):
        return (self.states.total(self.weights, batch)[:, None] + BIAS,)

    def divergence(self, intact, changed):
        return (intact[0] - changed[0])[:, 0].abs()

    def score(self, intact, parts):
        return parts[0][:, 0]

    def said(self, intact, rows):
        return [f"{value:.2f}" for value in intact[0][:, 0].tolist()]


def texts_of_sums(rows: Sequence[Sequence[float]], *, logistic: bool = False) -> ExplainedTexts:
    """Texts of a special token that weighs 100, and tokens of these weights.

    The output is the sum, or with ``logistic`` the two classes sigmoid(sum) and its rest.
    """
    flat = [100.0, *(weight for row in rows for weight in row)]
    weights = torch.tensor(flat)
    ids, first = [], 1
    for row in rows:
        ids.append(torch.tensor([0, *range(first, first + len(row))]))
        first += len(row)
    padded = pad_sequence(ids, batch_first=True)
    mask = pad_sequence([torch.ones_like(each) for each in ids], batch_first=True)
    special = (mask == 0).clone()
    special[:, 0] = True
    tokens = tuple(("[S]", *map(str, row)) for row in rows)
    states = SumStates()
    if not logistic:
        output = SumOutput(states, weights)
    else:

        def forward(batch, rows):
            # The special token is always read: 100 is taken off again.
            total = states.total(weights, batch) - 100
            return (torch.stack([total, torch.zeros_like(total)], dim=1).log_softmax(-1),)

        output = Choices(forward, lambda _, most: f"class {most[0]}")
    inputs = TextInputs(tokens, padded, mask, special)
    return ExplainedTexts(inputs, states, output, {"model": "sum"})
