"""The fewest tokens that the model needs: every subset of them is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, islice

import torch

from neurox_lite.arguments import real_number, whole_number
from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.attribution.states import erased_at, validate_state
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InapplicableError, InputError
from neurox_lite.interventions.explained_texts import TOKENS_AT_ONCE, ExplainedTexts
from neurox_lite.interventions.text_outputs import NeuronActivations
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.results.token_attributions import TokenAttributions

ROUNDING = 1e-6
"""Up to this difference, in nats, the output moves equally; the first of such subsets is taken."""

Subset = tuple[int, tuple[int, ...]]
"""The place of a text in a batch, and the tokens of it that are kept."""


def exact_erasure(
    explained: ExplainedTexts,
    *,
    state: int = 0,
    keep: str = "prediction",
    epsilon: float = 0.1,
    max_tokens: int = 12,
) -> TokenAttributions:
    """1 for the smallest set of tokens with which the output stays, 0 for all others.

    Of several sets of that size, that with which the output moves least (erasure as De Cao et al.
    2020, section 2, define it: the fewest tokens that have to be kept). All others are erased, as
    by :func:`leave_one_out`; special tokens stay and have 0. Where the model says the same of a
    text without a token, all are 0. Up to ``2 ** n`` forward passes for n tokens.

    Parameters
    ----------
    explained : ExplainedTexts
    state : int
        0 for the word embeddings, k for what block k - 1 reads.
    keep : {"prediction", "output"}
        What has to stay: what the model says, or its output within ``epsilon``.
    epsilon : float
        Divergence from the intact output, in nats.
    max_tokens : int
        The most that a text may have, special tokens not counted.

    Raises
    ------
    InputError
        When a text has more tokens, a prediction is asked of neurons, or the output does not depend
        on such a state.
    """
    check_explained(explained)
    state = validate_state(explained, state)
    epsilon = real_number(epsilon, "epsilon")
    max_tokens = whole_number(max_tokens, "max_tokens", least=1)
    if keep not in ("prediction", "output"):
        raise unknown_choice("keep", keep, ("prediction", "output"))
    if keep == "prediction" and isinstance(explained.output, NeuronActivations):
        raise InapplicableError("neurons predict nothing; give keep output and an epsilon")
    if not 0 <= epsilon < float("inf"):
        raise InputError(f"epsilon is {epsilon}; give a number of nats from 0")
    free = [(~special).nonzero()[:, 0].tolist() for special in explained.inputs.is_special]
    for number, positions in enumerate(free):
        if len(positions) > max_tokens:
            n = len(positions)
            raise InapplicableError(
                f"text {number + 1}: {n} tokens have {2**n} subsets; leave it out, or give "
                f"max_tokens {n} and time"
            )
    placeholder = erased_at(explained, state)

    @torch.no_grad()
    def values_of(rows: torch.Tensor) -> torch.Tensor:
        mask = explained.inputs.batch(rows)["attention_mask"]
        intact = explained.intact(rows)
        said = explained.output.said(intact, rows)
        own = [free[row] for row in rows.tolist()]
        erased = torch.ones(mask.shape, device=mask.device)
        for at, positions in enumerate(own):
            erased[at, positions] = 0

        def movements(subsets: list[Subset]) -> Iterator[tuple[Subset, float]]:
            """Those with which the output stays, and how far it moves."""
            places = torch.tensor([at for at, _ in subsets], device=rows.device)
            kept = torch.tensor([kept for _, kept in subsets], device=rows.device).long()
            longest = int(explained.inputs.lengths[rows[places]].max())
            gates = erased[places, :longest].scatter(1, kept, 1)
            changed = explained.parts(rows[places], state, keep_tokens(gates, placeholder))
            of_places = tuple(part[places] for part in intact)
            moved = explained.output.divergence(of_places, changed).tolist()
            says = explained.output.said(changed, rows[places])
            for subset, distance, word in zip(subsets, moved, says, strict=True):
                at, kept_tokens = subset
                is_near = distance <= epsilon + ROUNDING
                stays = word == said[at] if keep == "prediction" else is_near
                # With all its tokens a text is what it was, but for rounding.
                if stays or len(kept_tokens) == len(own[at]):
                    yield subset, distance

        values = torch.zeros(mask.shape, device=mask.device)
        pending = list(range(len(own)))
        size = 0
        while pending:
            best: dict[int, tuple[float, tuple[int, ...]]] = {}
            subsets = ((at, kept) for at in pending for kept in combinations(own[at], size))
            for some in in_batches(subsets, max(1, TOKENS_AT_ONCE // mask.shape[1])):
                for (at, kept), distance in movements(some):
                    if at not in best or distance < best[at][0] - ROUNDING:
                        best[at] = (distance, kept)
            for at, (_, kept) in best.items():
                values[at, list(kept)] = 1
            pending = [at for at in pending if at not in best]
            size += 1
        return values

    return attribute(
        explained,
        "exact-erasure",
        values_of,
        state=state,
        keep=keep,
        epsilon=epsilon,
        max_tokens=max_tokens,
    )


def in_batches(subsets: Iterable[Subset], size: int) -> Iterator[list[Subset]]:
    """As many at a time."""
    remaining = iter(subsets)
    while some := list(islice(remaining, size)):
        yield some
