"""How much noise each token bears before the output changes."""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

from neurox_lite.arguments import positive_number, whole_number
from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.attribution.optimising import fit_tokens
from neurox_lite.attribution.states import validate_state
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.seeds import validate_seed

START = -5.0
"""Of what softplus makes the standard deviation of the noise: nearly none."""


def noise(
    explained: ExplainedTexts,
    *,
    state: int = 0,
    entropy_weight: float = 1.0,
    n_steps: int = 500,
    seed: int = 0,
) -> TokenAttributions:
    """One over the standard deviation of the most noise that leaves the output alone.

    Noise ``N(0, sigma_i^2)`` is added to every unit of token i (Guan et al. 2019, eq. 5). Fitted
    for each text: least squared change of the log-probabilities, or of the neurons' activations,
    minus ``entropy_weight`` times the sum over tokens of ``log sigma_i``, the entropy of the noise
    but for a constant. ``n_steps`` forward and backward passes.

    Parameters
    ----------
    explained : ExplainedTexts
    state : int
        0 for the word embeddings, k for what block k - 1 reads.
    entropy_weight : float
    n_steps : int
    seed : int
        Of the noise.

    Raises
    ------
    InputError
        When an option is out of range, or the output does not depend on such a state.
    """
    check_explained(explained)
    state = validate_state(explained, state)
    entropy_weight = positive_number(entropy_weight, "entropy_weight")
    n_steps = whole_number(n_steps, "n_steps", least=1)
    seed = validate_seed(seed)

    def values_of(rows: torch.Tensor) -> torch.Tensor:
        mask = explained.inputs.batch(rows)["attention_mask"]
        states = explained.token_states(rows, state)[state]
        intact = explained.intact(rows)

        def loss(parameters: torch.Tensor, random: torch.Tensor) -> torch.Tensor:
            sigma = softplus(parameters)
            noisy = (states + sigma[..., None] * random).to(states.dtype)
            parts = explained.parts(rows, state, lambda _: noisy)
            changes = [
                ((part - whole) ** 2).sum(-1) for part, whole in zip(parts, intact, strict=True)
            ]
            return torch.stack(changes).sum(0) - entropy_weight * (sigma.log() * mask).sum(1)

        parameters = fit_tokens(
            explained,
            rows,
            loss,
            start=START,
            width=states.shape[-1],
            n_steps=n_steps,
            seed=seed,
        )
        return 1 / softplus(parameters)

    return attribute(
        explained,
        "noise",
        values_of,
        state=state,
        entropy_weight=entropy_weight,
        n_steps=n_steps,
        seed=seed,
    )
