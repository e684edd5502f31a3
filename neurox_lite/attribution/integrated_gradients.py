"""What each token adds to the score on the way from a baseline to the text."""

from __future__ import annotations

import torch

from neurox_lite.arguments import whole_number
from neurox_lite.attribution.collecting import check_explained
from neurox_lite.attribution.states import validate_state
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import TOKENS_AT_ONCE, ExplainedTexts
from neurox_lite.interventions.text_attributions import collect_attributions
from neurox_lite.interventions.text_outputs import Parts
from neurox_lite.results.token_attributions import TokenAttributions


def integrated_gradients(
    explained: ExplainedTexts, *, state: int = 0, baseline: str = "zero", n_points: int = 50
) -> TokenAttributions:
    """Integrated gradients of the score of what the model said, by captum.

    With h the state of a token, b the baseline and S the score, all tokens on their way together
    (Sundararajan et al. 2017, eq. 1):

        IG = sum_d (h_d - b_d) * integral over a from 0 to 1 of dS/dh_d (b + a (h - b))

    The values of a text sum to its score less that of the baseline; they are negative where a token
    speaks against. ``n_points`` forward and backward passes.

    Parameters
    ----------
    explained : ExplainedTexts
    state : int
        0 for the word embeddings, k for what block k - 1 reads.
    baseline : {"zero", "placeholder"}
        Zeros, or the word embedding of the mask token for every token.
    n_points : int
        Points of the integral (Gauss-Legendre).

    Raises
    ------
    InputError
        When captum is not installed, the output does not depend on such a state, or a placeholder
        is asked for at another than 0.
    """
    check_explained(explained)
    state = validate_state(explained, state)
    n_points = whole_number(n_points, "n_points", least=1)
    if baseline not in ("zero", "placeholder"):
        raise unknown_choice("baseline", baseline, ("zero", "placeholder"))
    if baseline == "placeholder" and state:
        raise InputError(f"a placeholder is a word embedding; for state {state} give baseline zero")
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise InputError(
            "integrated gradients need captum; pip install 'neurox-lite[captum]'"
        ) from None

    def read(rows: torch.Tensor) -> tuple[torch.Tensor, Parts]:
        states, intact = explained.token_states(rows, state)[state], explained.intact(rows)

        def score(given: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
            # Some models change their states in place.
            parts = explained.parts(rows[numbers], state, lambda _: given.clone())
            return explained.output.score(tuple(part[numbers] for part in intact), parts)

        start = explained.states.placeholder if baseline == "placeholder" else states.new_zeros(1)
        gradients = IntegratedGradients(score).attribute(
            states,
            start.to(states.dtype).expand_as(states),
            additional_forward_args=torch.arange(len(rows), device=rows.device),
            n_steps=n_points,
            internal_batch_size=max(len(rows), TOKENS_AT_ONCE // states.shape[1]),
        )
        return gradients.double().sum(-1), intact

    return collect_attributions(
        explained,
        "integrated-gradients",
        read,
        state=state,
        baseline=baseline,
        n_points=n_points,
    )
