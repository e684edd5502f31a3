"""What each token adds to the score, to first order."""

from __future__ import annotations

import torch

from neurox_lite.attribution.collecting import check_explained
from neurox_lite.attribution.states import validate_state, with_gradient
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_attributions import collect_attributions
from neurox_lite.interventions.text_outputs import Parts
from neurox_lite.results.token_attributions import TokenAttributions


def gradient_times_input(explained: ExplainedTexts, *, state: int = 0) -> TokenAttributions:
    """Gradient of the score of what the model said in a token's state h, times h.

    ``sum_d h_d dS/dh_d`` (Denil et al. 2014, "Extraction of Salient Sentences from Labelled
    Documents"), negative where the token speaks against. One forward and one backward pass.

    Parameters
    ----------
    explained : ExplainedTexts
    state : int
        0 for the word embeddings, k for what block k - 1 reads.

    Raises
    ------
    InputError
        When the output does not depend on such a state.
    """
    check_explained(explained)
    state = validate_state(explained, state)

    def read(rows: torch.Tensor) -> tuple[torch.Tensor, Parts]:
        states, parts = with_gradient(explained, rows, state)
        intact = tuple(part.detach() for part in parts)
        score = explained.output.score(intact, parts)
        (gradient,) = torch.autograd.grad(score.sum(), states)
        return (states.detach().double() * gradient.double()).sum(-1), intact

    return collect_attributions(explained, "gradient-times-input", read, state=state)
