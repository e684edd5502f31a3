"""A model and its inputs, run with a neuron mask or addition of its own for every input."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from functools import cached_property

import torch

from neurox_lite.arguments import expect
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.interventions.activation_range import ActivationRange
from neurox_lite.interventions.addition import adding_to_neurons
from neurox_lite.interventions.intervene import replacing_neurons
from neurox_lite.interventions.pair_inputs import PairInputs
from neurox_lite.models.hooks import record
from neurox_lite.models.loading import Model, as_loaded
from neurox_lite.models.location import Location, Positions
from neurox_lite.models.neuron_spaces import resolve_space, sites_at
from neurox_lite.models.predictions import check_padding, predict
from neurox_lite.models.sites import Sites
from neurox_lite.neurons import NeuronSpace

BATCH_TOKENS = 8192
BATCH_OUTPUTS = 2**26
"""At most so many tokens, and tokens times size of the vocabulary (256 MB), at once."""

A_LOCATION = 'a Location, as nx.Location("hidden_states", [3])'


class InterventionRunner:
    """Runs a model on some of its inputs while their neurons are replaced or added to.

    Without a site or layers, where its neurons are is found out when they are first asked for, so
    that models whose neurons nobody finds can be read.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        With a head.
    input_ids, attention_mask : (n_inputs, n_tokens) int tensors
        Padded on the right.
    where : Location
        The neurons that may change, and at which tokens: "all", "last", one of each input, or
        (n_inputs, n_tokens) bools.
    predict_at : (n_inputs,) int tensor, optional
        The only token of each input whose prediction is needed. Logits are then of one token, which
        saves most of the time of a large vocabulary.

    Attributes
    ----------
    space : NeuronSpace
    n_runs : int
        How many inputs the model has read so far; each mask of an input counts.

    Raises
    ------
    InputError
        When the model has no such site or layer, is in training mode, or its predictions depend on
        padding, a position is not a token of its input, or an input is not padded on the right.
    """

    def __init__(
        self,
        model: Model,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        where: Location = Location(),
        *,
        predict_at: torch.Tensor | None = None,
    ):
        expect(where, Location, "where", A_LOCATION)
        loaded = as_loaded(model, reads_text=False, head="language")
        self.loaded, self.predict_at = loaded, predict_at
        self.input_ids, self.attention_mask = input_ids, attention_mask
        self._where = where
        self.lengths = attention_mask.sum(1)
        self.n_runs = 0
        numbers = torch.arange(input_ids.shape[1], device=input_ids.device)
        is_real = numbers < self.lengths[:, None]
        if not (self.lengths.all() and torch.equal(attention_mask != 0, is_real)):
            raise InputError("inputs of one token or more are needed; pad every input on the right")
        self.positions = self._tokens(where.positions)
        if loaded.model.training:
            raise InputError(
                f"{loaded.name} is in training mode, where dropout changes every run; call "
                "model.eval()"
            )
        check_padding(loaded, input_ids, attention_mask)
        if where.site is not None or where.layers is not None:
            _ = self.space  # refused now, not where it is first used

    @classmethod
    def of_pairs(
        cls,
        model: Model,
        inputs: PairInputs,
        where: Location = Location(),
        *,
        every_token: bool = False,
    ) -> InterventionRunner:
        """Inputs that are minimal pairs, where positions may be the number of a word.

        Their only prediction is that of the choice, unless that of every token is needed.
        """
        expect(
            inputs, PairInputs, "inputs", "PairInputs, as nx.interventions.encode_pairs gives them"
        )
        expect(where, Location, "where", A_LOCATION)
        if not isinstance(where.positions, torch.Tensor):
            where = replace(where, positions=inputs.resolve_positions(where.positions))
        predict_at = None if every_token else inputs.prediction_positions
        ids, mask = inputs.input_ids, inputs.attention_mask
        return cls(model, ids, mask, where, predict_at=predict_at)

    def select(self, rows: torch.Tensor) -> InterventionRunner:
        """Some of the inputs, (n_rows,) ints, that need no check again."""
        some = copy(self)
        some.input_ids, some.attention_mask = self.input_ids[rows], self.attention_mask[rows]
        some.lengths, some.n_runs = self.lengths[rows], 0
        if self.predict_at is not None:
            some.predict_at = self.predict_at[rows]
        if self.positions is not None:
            some.positions = self.positions[rows]
        return some

    def everywhere(self) -> InterventionRunner:
        """The same inputs, whose neurons change at every token."""
        other = copy(self)
        other.positions, other.n_runs = None, 0
        return other

    @cached_property
    def sites(self) -> Sites:
        """Where the neurons are in the model."""
        return sites_at(self.loaded, self._where)

    @cached_property
    def space(self) -> NeuronSpace:
        """The neurons that may change."""
        return resolve_space(self.sites, self._where.layers, self.loaded)

    def __repr__(self) -> str:
        return f"InterventionRunner({len(self)} inputs, {self.space.n_neurons} neurons)"

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def dtype(self) -> torch.dtype:
        return next(self.loaded.model.parameters()).dtype

    @property
    def tokens_at_once(self) -> int:
        """How many tokens, copies counted, one forward pass is given at most."""
        outputs = self.loaded.model.get_output_embeddings()
        one_token = outputs is None or self.predict_at is not None
        return min(BATCH_TOKENS, BATCH_OUTPUTS // (1 if one_token else outputs.weight.shape[0]))

    @property
    def device(self) -> torch.device:
        return self.input_ids.device

    def logits(self, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """What the model outputs for some inputs, (n_rows, n_tokens of the longest, n_outputs).

        Of one token only with ``predict_at``. Gates and values are (n_neurons,) or (n_rows,
        n_neurons). An input may occur several times among the rows, with another mask.
        """
        positions = self._positions(rows)
        with replacing_neurons(
            self.loaded.model, self.sites, self.space, gates, values, positions=positions
        ):
            return self._run(rows)

    def logits_with_addition(self, shifts: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """:meth:`logits` with numbers added to neurons instead."""
        with adding_to_neurons(
            self.loaded.model, self.sites, self.space, shifts, positions=self._positions(rows)
        ):
            return self._run(rows)

    @torch.no_grad()
    def intact_logits(self, rows: torch.Tensor) -> torch.Tensor:
        """:meth:`logits` of the model as it is."""
        return self._run(rows)

    def batches(self, n_copies: int = 1) -> list[torch.Tensor]:
        """All inputs, shortest first, in batches that fit when each is read in some copies."""
        return length_batches(self.lengths, self.tokens_at_once, n_copies)

    def activations(self) -> torch.Tensor:
        """Activations at the replaced tokens, (n_replaced_tokens, n_neurons), input after input.

        Memory: three times these float32 numbers; :meth:`activation_range` holds a batch only.
        """
        found = [(owners, torch.cat(layers, dim=-1)) for owners, layers in self._states()]
        owners, states = (torch.cat(part) for part in zip(*found, strict=True))
        return states[torch.argsort(owners, stable=True)]

    def activation_range(self) -> ActivationRange:
        """Mean, standard deviation, minimum and maximum of every neuron at the replaced tokens.

        Streamed: memory is that of a batch of at most 8,192 tokens, of one layer in float64.
        """
        batches = (layers for _, layers in self._states())
        return ActivationRange.of(self.space, batches, self.device)

    def _run(self, rows: torch.Tensor) -> torch.Tensor:
        self.n_runs += len(rows)
        tokens = None if self.predict_at is None else self.predict_at[rows]
        return predict(self.loaded.model, *self._inputs(rows), tokens)

    def _tokens(self, positions: Positions | int) -> torch.Tensor | None:
        """At which tokens neurons change: one of each input, (n_inputs,), or bools; None is all."""
        if isinstance(positions, str) and positions not in ("all", "last"):
            raise unknown_choice("positions", positions, ("all", "last"), "or one per input")
        if isinstance(positions, str):
            return None if positions == "all" else self.lengths - 1
        tokens = torch.as_tensor(positions, device=self.device)
        shape = tuple(tokens.shape)
        if tokens.dtype == torch.bool and shape == tuple(self.input_ids.shape):
            if (tokens & (self.attention_mask == 0)).any() or not tokens.any(1).all():
                raise InputError("positions: an input has none, or padding; give tokens of each")
            return tokens
        is_int = tokens.dtype in (torch.int32, torch.int64)
        if shape != (len(self),) or not (
            is_int and ((tokens >= 0) & (tokens < self.lengths)).all()
        ):
            raise InputError(f"positions of shape {shape}; give a token of every input")
        return tokens

    def _positions(self, rows: torch.Tensor) -> Positions:
        if self.positions is None:
            return "all"
        found = self.positions[rows]
        return found if found.dim() == 1 else found[:, : int(self.lengths[rows].max())]

    @torch.no_grad()
    def _states(self) -> Iterator[tuple[torch.Tensor, list[torch.Tensor]]]:
        """Per batch the input of each replaced token, and its states, (n, width) of each layer."""
        for rows in self.batches():
            found: dict[int, torch.Tensor] = {}
            ids, mask = self._inputs(rows)
            with record(
                self.loaded.model, self.sites, found.__setitem__, self.space.layers, stop=True
            ):
                self.loaded.model(input_ids=ids, attention_mask=mask)
            chosen = mask != 0
            positions = self._positions(rows)
            if isinstance(positions, torch.Tensor):
                numbers = torch.arange(ids.shape[1], device=self.device)
                is_int = positions.dim() == 1
                chosen = numbers == positions[:, None] if is_int else positions
            for layer, of_layer in found.items():
                if of_layer.shape[:2] != ids.shape:
                    raise InputError(
                        f"{self.loaded.name}: layer {layer} at '{self.sites.site}' has states of "
                        f"{of_layer.shape[1]} tokens, its input {ids.shape[1]}; use another site"
                    )
            states = [found[layer][chosen].float() for layer in self.space.layers]
            yield rows[:, None].expand_as(ids)[chosen], states

    def _inputs(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        longest = int(self.lengths[rows].max())
        return self.input_ids[rows, :longest], self.attention_mask[rows, :longest]


def length_batches(
    lengths: torch.Tensor, tokens_at_once: int, n_copies: int = 1
) -> list[torch.Tensor]:
    """Numbers of inputs, shortest first, in batches of so many tokens, padding and copies counted.

    An input of more is a batch by itself.
    """
    order = torch.argsort(lengths, stable=True)
    batches, start = [], 0
    while start < len(order):
        stop = start + 1
        while (
            stop < len(order)
            and (stop + 1 - start) * int(lengths[order[stop]]) * n_copies <= tokens_at_once
        ):
            stop += 1
        batches.append(order[start:stop])
        start = stop
    return batches
