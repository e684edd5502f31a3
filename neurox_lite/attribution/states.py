"""The state of the model at which tokens are attributed."""

from __future__ import annotations

import torch

from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_outputs import Parts


def validate_state(explained: ExplainedTexts, state: int) -> int:
    """The state as an int; InputError unless the output depends on it."""
    number = whole_number(state, "state", least=0)
    if number >= explained.n_states:
        raise InputError(
            f"state is {number}; give one of 0 to {explained.n_states - 1}, on which the output "
            "depends"
        )
    return number


def erased_at(explained: ExplainedTexts, state: int) -> torch.Tensor:
    """What stands for no word at a state, (width,): a mask token's word embedding, later zeros."""
    if state == 0:
        return explained.states.placeholder
    return torch.zeros(explained.states.widths[state], device=explained.inputs.input_ids.device)


@torch.enable_grad()
def with_gradient(
    explained: ExplainedTexts, rows: torch.Tensor, state: int
) -> tuple[torch.Tensor, Parts]:
    """A state, (n_rows, n_tokens, width), and the intact output as a function of it."""
    found: list[torch.Tensor] = []

    def change(states: torch.Tensor) -> torch.Tensor:
        found.append(states.detach().requires_grad_())
        return found[-1].clone()  # some models change it in place

    parts = explained.parts(rows, state, change)
    return found[-1], parts
