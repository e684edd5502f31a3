"""The toy task of De Cao et al. (2020, section 4): are there more m than n in a string?

A query of two symbols is asked of a string of symbols; which symbols decide is known. The query is
no token: it is given with the string, and is never masked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_inputs import TextInputs
from neurox_lite.interventions.text_outputs import Choices, Parts
from neurox_lite.interventions.token_states import Batch, Change

N_SYMBOLS, MOST_TOKENS, WIDTH = 10, 10, 64
N_TRAIN, N_VALIDATION = 9000, 1000
EMBEDDINGS, ENCODER = "embeddings", "encoder"
"""Where attributions begin: at the embeddings of symbols, or at what the encoder makes of them."""


@dataclass(frozen=True)
class Examples:
    """Strings of symbols with their queries.

    Attributes
    ----------
    queries : (n, 2) int tensor
        Symbols m and n.
    symbols : (n, 10) int tensor
        0 after the end.
    real : (n, 10) int tensor
        1 up to the end.
    """

    queries: torch.Tensor
    symbols: torch.Tensor
    real: torch.Tensor

    def __len__(self) -> int:
        return len(self.queries)

    def __getitem__(self, rows: slice | torch.Tensor) -> Examples:
        return Examples(self.queries[rows], self.symbols[rows], self.real[rows])

    @property
    def labels(self) -> torch.Tensor:
        """Whether there are more m than n, (n,) of 0 and 1."""
        m, n = (self.equal(which).sum(1) for which in (0, 1))
        return (m > n).long()

    def equal(self, which: int) -> torch.Tensor:
        """Tokens equal to m (0) or n (1), (n, 10) of bool."""
        return (self.symbols == self.queries[:, which, None]) & (self.real == 1)

    @property
    def truth(self) -> list[np.ndarray]:
        """The tokens that decide, those equal to m or n: (n_tokens,) of bool of each string."""
        return self.of_each(self.equal(0) | self.equal(1))

    @property
    def one_that_suffices(self) -> list[np.ndarray]:
        """What exact erasure leaves: the first m where there are more of them, or else the first n.

        (n_tokens,) of each string; zeros where there is none.
        """
        more_m = self.labels[:, None] == 1
        enough = torch.where(more_m, self.equal(0), self.equal(1))
        return self.of_each((enough & (enough.cumsum(1) == 1)).double())

    def of_each(self, values: torch.Tensor) -> list[np.ndarray]:
        """Values (n, 10) up to the end of each string."""
        lengths = self.real.sum(1).tolist()
        return [row[:length].numpy() for row, length in zip(values, lengths, strict=True)]


def draw_examples(count: int, seed: int) -> Examples:
    """Queries of two symbols; strings of 1 to 10, a quarter m, a quarter n."""
    rng = np.random.default_rng(seed)
    m = rng.integers(N_SYMBOLS, size=count)
    n = (m + 1 + rng.integers(N_SYMBOLS - 1, size=count)) % N_SYMBOLS
    queries = np.stack([m, n], axis=1)
    probabilities = np.full((count, N_SYMBOLS), 0.5 / (N_SYMBOLS - 2))
    np.put_along_axis(probabilities, queries, 0.25, axis=1)
    drawn = rng.random((count, MOST_TOKENS, 1))
    symbols = (drawn > probabilities.cumsum(1)[:, None, :-1]).sum(-1)
    real = np.arange(MOST_TOKENS) < rng.integers(1, MOST_TOKENS + 1, size=(count, 1))
    return Examples(
        *(torch.from_numpy(each.astype(int)) for each in (queries, symbols * real, real))
    )


def train_and_validation(seed: int) -> tuple[Examples, Examples]:
    """9,000 examples and 1,000."""
    every = draw_examples(N_TRAIN + N_VALIDATION, seed)
    return every[:N_TRAIN], every[N_TRAIN:]


class ToyModel(nn.Module):
    """An encoder of each symbol with the query, a GRU over what it says, and one logit."""

    def __init__(self) -> None:
        super().__init__()
        self.query_embeddings = nn.Embedding(N_SYMBOLS, WIDTH)
        self.embeddings = nn.Embedding(N_SYMBOLS, WIDTH)
        self.encoder = nn.Sequential(nn.Linear(3 * WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 2))
        self.gru = nn.GRU(2, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH, 1)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, query_ids: torch.Tensor
    ) -> torch.Tensor:
        """The log odds that there are more m than n, (n,)."""
        query = self.query_embeddings(query_ids).flatten(1)[:, None]
        query = query.expand(-1, input_ids.shape[1], -1)
        encoded = self.encoder(torch.cat([query, self.embeddings(input_ids)], dim=-1))
        states, _ = self.gru(encoded)
        rows = torch.arange(len(input_ids), device=input_ids.device)
        return self.head(states[rows, attention_mask.sum(1) - 1])[:, 0]


def train_toy(examples: Examples, seed: int, *, epochs: int = 30) -> ToyModel:
    """Cross-entropy by Adam, in batches of 128."""
    torch.manual_seed(seed)
    model = ToyModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for rows in torch.randperm(len(examples)).split(128):
            batch = examples[rows]
            logits = model(batch.symbols, batch.real, batch.queries)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return model.eval().requires_grad_(False)


def accuracy(model: ToyModel, examples: Examples) -> float:
    logits = model(examples.symbols, examples.real, examples.queries)
    return ((logits > 0) == examples.labels).double().mean().item()


@dataclass(frozen=True)
class ToyInputs(TextInputs):
    """Strings with their queries, (n_texts, 2)."""

    queries: torch.Tensor = field(kw_only=True)

    def batch(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        return {**super().batch(rows), "query_ids": self.queries[rows]}


class ToyStates:
    """States of the toy model: embeddings (width 64) and encoder output (width 2), or that alone.

    Has what :class:`~neurox_lite.interventions.token_states.TokenStates` has. Placeholders are the
    mean over all tokens of some examples.
    """

    def __init__(self, model: ToyModel, at: str, examples: Examples):
        self.model = model
        self._modules = [model.embeddings, model.encoder][[EMBEDDINGS, ENCODER].index(at) :]
        batch = {
            "input_ids": examples.symbols,
            "attention_mask": examples.real,
            "query_ids": examples.queries,
        }
        found = self.read(lambda: self.run(batch), len(self) - 1, stop=True)
        self.means = [states[examples.real == 1].mean(0) for states in found]
        self.widths = tuple(len(mean) for mean in self.means)

    def __len__(self) -> int:
        return len(self._modules)

    def run(self, batch: Batch) -> object:
        return self.model(**batch)

    def read(self, run: Callable[[], object], last: int, *, stop: bool) -> list[torch.Tensor]:
        """``stop`` saves nothing worth while here."""
        found: list[torch.Tensor] = []
        with ExitStack() as hooks:
            for module in self._modules[: last + 1]:
                hook = module.register_forward_hook(lambda _, __, out: found.append(out))
                hooks.callback(hook.remove)
            run()
        return found

    @contextmanager
    def changing(self, state: int, change: Change) -> Iterator[None]:
        hook = self._modules[state].register_forward_hook(lambda _, __, out: change(out))
        try:
            yield
        finally:
            hook.remove()

    @property
    def placeholder(self) -> torch.Tensor:
        return self.means[0]


def explained_toy(
    model: ToyModel, examples: Examples, *, at: str, train: Examples
) -> ExplainedTexts:
    """The classifier's choice for each string, explained from the embeddings or the encoder output.

    Parameters
    ----------
    model : ToyModel
    examples : Examples
        To be explained.
    at : {"embeddings", "encoder"}
        What state 0 is. A gate that reads embeddings alone cannot see the query; that of state 1,
        the encoder output, can. At "encoder" there is that state only.
    train : Examples
        Whose mean states are placeholders.
    """
    inputs = ToyInputs(
        tuple(tuple(map(str, row.tolist())) for row in examples.of_each(examples.symbols)),
        examples.symbols,
        examples.real,
        examples.real == 0,
        queries=examples.queries,
    )

    def forward(batch: Batch, rows: torch.Tensor) -> Parts:
        logits = model(**batch)
        both = torch.stack([-logits, logits], dim=-1)
        return (nn.functional.logsigmoid(both),)

    def name(row: int, most: list[int]) -> str:
        m, n = examples.queries[row].tolist()
        return (f"no more {m} than {n}", f"more {m} than {n}")[most[0]]

    return ExplainedTexts(
        inputs,
        ToyStates(model, at, train),  # type: ignore[arg-type]
        Choices(forward, name),
        {"model": "toy task", "explained": "class"},
    )
