"""Texts read by the model as they are, and while gates decide which tokens it sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch.nn.functional import pad

from neurox_lite.activations.moments import RunningMoments
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_outputs import Parts
from neurox_lite.interventions.token_states import Change, keep_tokens
from neurox_lite.masking.token_draws import Draw, Drawn, keeping

MOST_KEPT = 2**26
"""Numbers of intact outputs that are kept, and of states, 256 MB each; of more, each is computed
when it is needed."""


class IntactTexts:
    """What the model says of texts as they are, their states and the moments of these; one pass.

    Parameters
    ----------
    explained : ExplainedTexts
    states : sequence of int
        Those that are asked for.
    keep_states : bool
        Whether they are asked for again and again: kept where all of them are 256 MB at most.

    Attributes
    ----------
    explained : ExplainedTexts
    means, stds : lists of (width,) float32 tensors
        Of these states over all tokens. Units that hardly vary have the standard deviation that
        1 % of the variance of a unit would give.
    said : set of str
        All that the model says of texts.
    """

    def __init__(
        self, explained: ExplainedTexts, states: Sequence[int], *, keep_states: bool = False
    ):
        self.explained = explained
        self._kept: Parts | None = None
        self._states: dict[int, torch.Tensor] = {}
        lengths = explained.inputs.lengths
        self._starts = lengths.cumsum(0) - lengths
        n_numbers = int(lengths.sum()) * sum(explained.states.widths[k] for k in set(states))
        keep_states = keep_states and n_numbers <= MOST_KEPT
        self.said: set[str] = set()
        running = [RunningMoments() for _ in states]
        for rows in explained.batches():
            read, parts = explained.states_and_parts(rows)
            self._keep(rows, parts)
            self.said |= set(explained.output.said(parts, rows))
            real = explained.inputs.batch(rows)["attention_mask"] != 0
            for own, state in zip(running, states, strict=True):
                own.add(own.n_rows, read[state][real].double())
            if keep_states:
                self._keep_states(rows, real, {state: read[state] for state in states})
        self.means, self.stds = [], []
        for found in (own.moments() for own in running):
            variance = found.std**2
            least = 0.01 * variance.mean() + np.finfo(np.float32).tiny
            self.means.append(torch.from_numpy(found.mean).float())
            self.stds.append(torch.from_numpy(np.sqrt(variance.clip(min=least))).float())

    def _keep(self, rows: torch.Tensor, parts: Parts) -> None:
        n_texts = len(self.explained)
        if n_texts * sum(part.shape[1] for part in parts) > MOST_KEPT:
            return
        if self._kept is None:
            self._kept = tuple(part.new_empty(n_texts, part.shape[1]) for part in parts)
        for kept, part in zip(self._kept, parts, strict=True):
            kept[rows] = part

    def _keep_states(
        self, rows: torch.Tensor, real: torch.Tensor, read: Mapping[int, torch.Tensor]
    ) -> None:
        places = self._places(rows, real)
        n_tokens = int(self.explained.inputs.lengths.sum())
        for state, values in read.items():
            if state not in self._states:
                self._states[state] = values.new_empty(n_tokens, values.shape[-1])
            self._states[state][places] = values[real]

    def _places(self, rows: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Of the tokens of some texts among those of all."""
        tokens = torch.arange(real.shape[1], device=real.device)
        return (self._starts[rows][:, None] + tokens)[real]

    def states(self, rows: torch.Tensor, states: Sequence[int]) -> list[torch.Tensor]:
        """States of some texts as they are, (n_rows, n_tokens, width) each."""
        if not self._states:
            read = self.explained.token_states(rows, max(states))
            return [read[state] for state in states]
        real = self.explained.inputs.batch(rows)["attention_mask"] != 0
        places, found = self._places(rows, real), []
        for state in states:
            kept = self._states[state]
            padded = kept.new_zeros(*real.shape, kept.shape[-1])
            padded[real] = kept[places]
            found.append(padded)
        return found

    def __call__(self, rows: torch.Tensor) -> Parts:
        """The intact output of some texts."""
        if self._kept is None:
            return self.explained.intact(rows)
        return tuple(kept[rows] for kept in self._kept)


def masked_output(
    intact: IntactTexts,
    rows: torch.Tensor,
    states: Sequence[int],
    is_input: bool,
    locations: Callable[[Sequence[torch.Tensor]], torch.Tensor],
    placeholder: torch.Tensor,
    draw: Draw,
    at_random: tuple[torch.Tensor, Callable[[], torch.Tensor]] | None = None,
) -> tuple[Parts, Drawn]:
    """The output of some texts with tokens masked at a state, and the gates.

    Parameters
    ----------
    intact : IntactTexts
    rows : (n_rows,) int tensor
        Numbers of texts.
    states : sequence of int
        Those with gates, the last of them is the one in question.
    is_input : bool
        Whether word embeddings are masked, by gates that read all of the states of the texts as
        they are; or the last state, by what it is alone, in the one pass.
    locations : function
        Of h^0 and all of the states, or of the last state alone, (n_rows, n_tokens, width) each.
    placeholder : (width,) tensor
    draw : function
    at_random : (n_more,) int tensor and function, optional
        Texts to be read in the same pass behind the others, and what draws their gates,
        (n_more, n_tokens), of which no gradient is asked.

    Special tokens, such as ``[CLS]``, stay in place where word embeddings are masked: they are no
    words of the text, and what is kept of them could tell what the model said.
    """
    explained = intact.explained
    n_rows = len(rows)
    all_rows = rows if at_random is None else torch.cat([rows, at_random[0]])

    def keep(drawn: Drawn) -> Change:
        gates = drawn.gates
        if at_random is not None:
            more = at_random[1]()
            # A token of padding is what it is.
            padded = pad(more, (0, gates.shape[1] - more.shape[1]), value=1.0)
            gates = torch.cat([gates, padded])
        return _keep(gates, placeholder, drawn.n_exploring)

    if is_input:
        drawn = draw(locations(intact.states(rows, [0, *states])))
        drawn = keeping(drawn, explained.inputs.is_special[rows][:, : drawn.gates.shape[1]])
        return explained.parts(all_rows, 0, keep(drawn)), drawn
    found: list[Drawn] = []

    def change(state: torch.Tensor) -> torch.Tensor:
        state = state.detach()
        found.append(draw(locations([state[:n_rows]])))
        return keep(found[-1])(state)

    parts = explained.parts(all_rows, states[-1], change)
    return parts, found[-1]


def _keep(gates: torch.Tensor, placeholder: torch.Tensor, n_exploring: int) -> Change:
    """Tokens kept by their gates; texts that explore teach the placeholder nothing."""
    if not n_exploring:
        return keep_tokens(gates, placeholder)
    explores = torch.zeros(len(gates), 1, 1, dtype=torch.bool, device=placeholder.device)
    explores[:n_exploring] = True
    return keep_tokens(gates, torch.where(explores, placeholder.detach(), placeholder))
