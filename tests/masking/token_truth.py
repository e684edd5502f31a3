"""A classifier by hand, of which is known which token of a text decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_inputs import TextInputs
from neurox_lite.interventions.text_outputs import Choices
from neurox_lite.interventions.token_states import Batch, Change

NAMES = ("pad", "yes", "no", "a", "b", "c", "d", "e")
YES, NO = 1, 2
DECIDING = ("yes", "no")
"""Each text has one of them, and it alone decides; all other tokens are filler."""


class WordStates:
    """Two states: embeddings of width 6, and an image of them of width 3.

    The classes are those of the sum over tokens along one direction, in which fillers are 0.
    """

    def __init__(self) -> None:
        make = torch.Generator().manual_seed(0)
        self.table = torch.randn(8, 6, generator=make)
        self.table[:, 0] = torch.tensor([0.0, 3, -3, 0, 0, 0, 0, 0])
        others = torch.tensor([[0.0], [1], [1]]) * torch.randn(3, 6, generator=make)
        self.image = torch.eye(6)[:3] + 0.3 * others
        self.widths = (6, 3)
        self.placeholder = torch.zeros(6)
        self._changes: dict[int, Change] = {}
        self._found: list[torch.Tensor] = []

    def __len__(self) -> int:
        return 2

    def run(self, batch: Batch) -> torch.Tensor:
        states = self.table[batch["input_ids"]]
        for state in range(2):
            states = self._changes.get(state, lambda h: h)(states)
            self._found.append(states)
            states = states @ self.image.T if state == 0 else states
        score = (states[..., 0] * batch["attention_mask"]).sum(1)
        return torch.stack([score, -score], dim=1).log_softmax(-1)

    def read(self, run: Callable[[], Any], last: int, *, stop: bool) -> list[torch.Tensor]:
        self._found = []
        run()
        return self._found[: last + 1]

    @contextmanager
    def changing(self, state: int, change: Change) -> Iterator[None]:
        self._changes[state] = change
        try:
            yield
        finally:
            del self._changes[state]


def texts_of_words(ids: Sequence[Sequence[int]], **provenance: str) -> ExplainedTexts:
    """Texts of 5 tokens at most, 0 after the end."""
    states = WordStates()
    tokens = tuple(tuple(NAMES[token] for token in row if token) for row in ids)
    padded = torch.tensor(ids)
    inputs = TextInputs(tokens, padded, (padded > 0).long(), padded == 0)
    output = Choices(lambda batch, _: (states.run(batch),), lambda _, most: DECIDING[most[0]])
    return ExplainedTexts(inputs, states, output, provenance)  # type: ignore[arg-type]


def some_texts(n: int, seed: int = 0) -> list[list[int]]:
    """Of 2 to 5 tokens, one of which decides."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(3, 8, size=(n, 5))
    lengths = rng.integers(2, 6, size=n)
    rows[np.arange(5) >= lengths[:, None]] = 0
    rows[np.arange(n), (rng.random(n) * lengths).astype(int)] = rng.integers(1, 3, size=n)
    found: list[list[int]] = rows.tolist()
    return found


TEXTS = some_texts(200)
