"""What of a model's output is explained: probabilities of choices, or neurons.

An output reads a batch in one forward pass and gives its parts, (n_texts, n_choices) each; says
how far those of a changed model are from the intact one, in nats; and scores what the intact model
said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_inputs import PairInputs
from neurox_lite.interventions.text_inputs import TextInputs, shown_tokens
from neurox_lite.interventions.token_states import Batch
from neurox_lite.models.hooks import record
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.predictions import predict
from neurox_lite.models.sites import Sites
from neurox_lite.neurons import NeuronSpace
from neurox_lite.showing import short_repr

Parts = tuple[torch.Tensor, ...]


class Output(Protocol):
    """What is explained. Rows are numbers of texts, (n,)."""

    @property
    def n_states(self) -> int | None:
        """How many states it depends on, where these are not all."""

    def forward(self, batch: Batch, rows: torch.Tensor) -> Parts:
        """One forward pass; gradients flow through it."""

    def divergence(self, intact: Parts, changed: Parts) -> torch.Tensor:
        """How far the changed model is from the intact one, in nats; (n,)."""

    def score(self, intact: Parts, parts: Parts) -> torch.Tensor:
        """How much there is of what the intact model said; (n,)."""

    def said(self, intact: Parts, rows: torch.Tensor) -> list[str]:
        """What the intact model said of each text, in words."""


@dataclass(frozen=True)
class Choices:
    """Log-probabilities of choices: classes, tokens, or where an answer begins and where it ends.

    Attributes
    ----------
    forward : function of (batch, rows)
        Gives the log-probabilities.
    name : function of (row, choices)
        What a text's most probable choices, one of each part, are called.
    """

    forward: Callable[[Batch, torch.Tensor], Parts]
    name: Callable[[int, list[int]], str]

    __repr__ = short_repr
    n_states = None

    def divergence(self, intact: Parts, changed: Parts) -> torch.Tensor:
        """``KL(p || p~)``, summed over the parts."""
        return torch.stack(
            [(p.exp() * (p - q)).sum(-1) for p, q in zip(intact, changed, strict=True)]
        ).sum(0)

    def score(self, intact: Parts, parts: Parts) -> torch.Tensor:
        """Log-probability of the intact model's choices, summed over the parts."""
        return torch.stack(
            [
                part.gather(-1, whole.argmax(-1, keepdim=True))[:, 0]
                for whole, part in zip(intact, parts, strict=True)
            ]
        ).sum(0)

    def said(self, intact: Parts, rows: torch.Tensor) -> list[str]:
        """The names of the most probable choices."""
        most = torch.stack([part.argmax(-1) for part in intact], dim=1).tolist()
        return [self.name(row, each) for row, each in zip(rows.tolist(), most, strict=True)]


def check_classifier(loaded: LoadedModel) -> None:
    """Raise InputError when a model has one output (a regression), or no padding token."""
    config = loaded.model.config
    if (config.num_labels or 0) < 2:
        raise InputError(
            f"{loaded.name}: has {config.num_labels} output; give a classifier of two classes or "
            "more"
        )
    if config.pad_token_id is None:
        raise InputError(
            f"{loaded.name}: its configuration names no pad_token_id; add it to config.json"
        )


def classes(loaded: LoadedModel) -> Choices:
    """The classes of a text."""
    names: dict[int, str] = loaded.model.config.id2label or {}  # type: ignore[assignment]

    def forward(batch: Batch, rows: torch.Tensor) -> Parts:
        return (loaded.model(**batch).logits.float().log_softmax(-1),)

    return Choices(forward, lambda _, most: str(names.get(most[0], most[0])))


def tokens_at(loaded: LoadedModel, positions: torch.Tensor) -> Choices:
    """The token predicted at a position of each text, (n_texts,)."""

    def forward(batch: Batch, rows: torch.Tensor) -> Parts:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        logits = predict(loaded.model, ids, mask, positions[rows])
        return (logits[:, 0].log_softmax(-1),)

    return Choices(forward, lambda _, most: shown_tokens(loaded.tokenizer, most)[0])


def right_or_wrong(loaded: LoadedModel, pairs: PairInputs) -> Choices:
    """The choice between the two words of each minimal pair, right first."""

    def forward(batch: Batch, rows: torch.Tensor) -> Parts:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        logits = predict(loaded.model, ids, mask, pairs.prediction_positions[rows])[:, 0]
        both = torch.stack([pairs.right[rows], pairs.wrong[rows]], dim=1)
        return (logits.gather(1, both).log_softmax(-1),)

    def name(row: int, most: list[int]) -> str:
        pair = pairs.pairs[row]
        return (pair.right, pair.wrong)[most[0]]

    return Choices(forward, name)


def answers(loaded: LoadedModel, inputs: TextInputs) -> Choices:
    """Where the answer begins, and where it ends, among the tokens of each text."""
    n_tokens = inputs.input_ids.shape[1]

    def forward(batch: Batch, rows: torch.Tensor) -> Parts:
        found = loaded.model(**batch)
        is_padding = batch["attention_mask"] == 0

        def over_tokens(logits: torch.Tensor) -> torch.Tensor:
            # Not minus infinity, whose differences are NaN.
            least = torch.finfo(torch.float32).min / 4
            of_tokens = logits.float().masked_fill(is_padding, least).log_softmax(-1)
            added = n_tokens - of_tokens.shape[1]
            return torch.nn.functional.pad(of_tokens, (0, added), value=least)

        return over_tokens(found.start_logits), over_tokens(found.end_logits)

    def name(row: int, most: list[int]) -> str:
        first, last = most
        ids = inputs.input_ids[row, first : last + 1].tolist()
        return str(loaded.tokenizer.decode(ids)) or inputs.tokens[row][first]

    return Choices(forward, name)


@dataclass(frozen=True)
class NeuronActivations:
    """Activations of neurons, each at one token of a text, in standard deviations.

    Their score is the sum. Distances are those of normal distributions of variance 1, in nats:
    ``sum_j (a_j - a~_j)^2 / 2``.

    Attributes
    ----------
    loaded, sites
    space : NeuronSpace
        Of the layers that are read.
    columns : (n_neurons,) int tensor
    positions : (n_texts,) int tensor
    tokens : (n_texts,) tuple of str
        What stands there.
    mean, std : (n_neurons,) tensors
    """

    loaded: LoadedModel
    sites: Sites
    space: NeuronSpace
    columns: torch.Tensor
    positions: torch.Tensor
    tokens: tuple[str, ...]
    mean: torch.Tensor
    std: torch.Tensor

    __repr__ = short_repr

    @property
    def n_states(self) -> int:
        """Word embeddings, and what blocks read up to the layer."""
        return max(self.space.layers) + 2

    def forward(self, batch: Batch, rows: torch.Tensor) -> Parts:
        """Of (n, n_neurons); the model is run no further than the last layer."""
        states = neuron_states(self.loaded, self.sites, self.space, self.columns, batch)
        each = torch.arange(len(rows), device=states.device)
        return ((states[each, self.positions[rows]] - self.mean) / self.std,)

    def divergence(self, intact: Parts, changed: Parts) -> torch.Tensor:
        """Half the squared distance."""
        return ((intact[0] - changed[0]) ** 2).sum(-1) / 2

    def score(self, intact: Parts, parts: Parts) -> torch.Tensor:
        """The sum over neurons."""
        return parts[0].sum(-1)

    def said(self, intact: Parts, rows: torch.Tensor) -> list[str]:
        """The intact activation, in standard deviations, and at which token."""
        values = intact[0].sum(-1).tolist()
        return [
            f"{value:.2f} std at {self.tokens[row]}"
            for row, value in zip(rows.tolist(), values, strict=True)
        ]


def neuron_states(
    loaded: LoadedModel, sites: Sites, space: NeuronSpace, columns: torch.Tensor, batch: Batch
) -> torch.Tensor:
    """Activations of some columns at all tokens, (n_texts, n_tokens, n_columns) float32."""
    found: dict[int, torch.Tensor] = {}
    with record(loaded.model, sites, found.__setitem__, space.layers, stop=True):
        loaded.model(**batch)
    return torch.cat([found[layer] for layer in space.layers], dim=-1)[..., columns].float()


def find_masks(loaded: LoadedModel, inputs: TextInputs, texts: Sequence[str]) -> torch.Tensor:
    """The one mask token of each text, (n_texts,); InputError where there is not one."""
    is_mask = inputs.input_ids == loaded.tokenizer.mask_token_id
    for text, count in zip(texts, is_mask.sum(1).tolist(), strict=True):
        if count != 1:
            raise InputError(
                f"'{text[:60]}': {count} mask tokens; write {loaded.tokenizer.mask_token} once, "
                "where a word is to be predicted"
            )
    return is_mask.int().argmax(1)


def last_tokens(inputs: TextInputs) -> torch.Tensor:
    """The last token of each text that its tokenizer did not add, (n_texts,)."""
    numbers = torch.arange(inputs.input_ids.shape[1], device=inputs.input_ids.device)
    last = torch.where(inputs.is_special, -1, numbers).amax(1)
    return torch.where(last < 0, inputs.lengths - 1, last)
