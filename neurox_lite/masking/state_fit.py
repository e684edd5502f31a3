"""How the gates of one state do, on texts they were not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from neurox_lite.intervals import Interval, mean_interval
from neurox_lite.interventions.explained_texts import TOKENS_AT_ONCE, ExplainedTexts
from neurox_lite.interventions.runner import length_batches
from neurox_lite.masking.gate_network import TokenGates
from neurox_lite.masking.masked_texts import IntactTexts, masked_output
from neurox_lite.masking.token_draws import Draw, cut_at_half, erase_all, mean_over_tokens
from neurox_lite.masking.token_search import History
from neurox_lite.showing import short_repr

STATUSES = ("needs no token", "infeasible", "masks no token", "not converged", "holds")
"""Of a state; the first that is so."""

SETTLED_SHARE, SETTLED_DIVERGENCE = 0.02, 0.5
"""How far the share of tokens kept may have moved in the last fifth of the steps, and by how much
more than allowed the output, as a share of it."""


@dataclass(frozen=True)
class StateFit:
    """Whether the output stays what it is when gates of a state mask the tokens.

    Attributes
    ----------
    state : int
    name : str
        As ``"block 3"``.
    epsilon : float
        Divergence that was allowed, in nats.
    divergence : Interval
        Mean over texts that were held out, with gates drawn; 95 % interval over texts.
    cut_divergence : float
        With gates cut at one half: tokens are kept or replaced.
    erased_divergence : float
        With every token replaced.
    kept : float
        Mean share of the tokens of a text that are rather kept than not. Special tokens count; they
        are always kept where word embeddings are masked.
    converged : bool
        Whether the share kept and the divergence had settled when the search ended.
    sizes, divergences, multipliers : tuples of float
        Of the texts trained on, step by step.
    """

    state: int
    name: str
    epsilon: float
    divergence: Interval
    cut_divergence: float
    erased_divergence: float
    kept: float
    converged: bool
    sizes: tuple[float, ...]
    divergences: tuple[float, ...]
    multipliers: tuple[float, ...]

    __repr__ = short_repr

    @property
    def infeasible(self) -> bool:
        """Whether the output moves further than was allowed, beyond chance."""
        return self.divergence.low > self.epsilon

    @property
    def needs_no_token(self) -> bool:
        """Whether the output stays what it is without any token."""
        return self.erased_divergence <= self.epsilon

    @property
    def masks_no_token(self) -> bool:
        """Whether nearly all tokens are kept: gates have not begun to close, or all are needed."""
        return self.kept > 1 - SETTLED_SHARE

    @property
    def status(self) -> str:
        """Such as ``holds``, see :data:`STATUSES`."""
        if self.needs_no_token:
            return "needs no token"
        if self.infeasible:
            return "infeasible"
        if self.masks_no_token:
            return "masks no token"
        return "holds" if self.converged else "not converged"

    def __str__(self) -> str:
        return (
            f"{self.name}: {100 * self.kept:.3g} % of tokens kept, KL {self.divergence}, "
            f"cut at one half {self.cut_divergence:.3g}: {self.status}"
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StateFit:
        """As ``dataclasses.asdict`` and JSON make it."""
        lists = {key: tuple(data[key]) for key in ("sizes", "divergences", "multipliers")}
        return cls(**{**data, **lists, "divergence": Interval(**data["divergence"])})


@torch.no_grad()
def score_state(
    explained: ExplainedTexts,
    gates: TokenGates,
    states: Sequence[int],
    name: str,
    intact: IntactTexts,
    rows: torch.Tensor,
    history: History,
    *,
    epsilon: float,
    draw: Draw,
) -> StateFit:
    """The gates of the last of some states, on texts by their numbers."""
    number = len(states) - 1
    drawn: list[float] = []
    cut: list[float] = []
    erased: list[float] = []
    kept: list[float] = []
    for part in length_batches(explained.inputs.lengths[rows], TOKENS_AT_ONCE):
        some = rows[part]
        mask = explained.inputs.batch(some)["attention_mask"]
        whole = intact(some)
        for found, draw_as in (
            (drawn, draw),
            (cut, lambda phi: cut_at_half(draw(phi))),
            (erased, lambda phi: erase_all(draw(phi))),
        ):
            output, gate = masked_output(
                intact,
                some,
                states,
                gates.is_input,
                partial(gates.locations, number),
                gates.placeholder(number),
                draw_as,
            )
            found += explained.output.divergence(whole, output).tolist()
        kept += mean_over_tokens(cut_at_half(gate).gates, mask).tolist()
    # Nothing is known of others by one text; it is taken for what it is.
    mean = float(np.mean(drawn))
    interval = mean_interval(drawn, range(len(drawn))) if len(drawn) > 1 else None
    return StateFit(
        states[-1],
        name,
        epsilon,
        interval or Interval(mean, mean, mean),
        float(np.mean(cut)),
        float(np.mean(erased)),
        float(np.mean(kept)),
        _settled(history, epsilon),
        tuple(history.sizes),
        tuple(history.divergences),
        tuple(history.multipliers),
    )


def _settled(history: History, epsilon: float) -> bool:
    """Whether in the last fifth of the steps the divergence was there and as much was kept."""
    if len(history.kept) < 2:
        return False
    fifth = max(1, len(history.kept) // 5)
    before, last = slice(-2 * fifth, -fifth), slice(-fifth, None)
    moved = abs(np.mean(history.kept[last]) - np.mean(history.kept[before]))
    divergence = np.mean(history.divergences[last])
    return bool(moved <= SETTLED_SHARE and divergence <= (1 + SETTLED_DIVERGENCE) * epsilon)
