"""Gates of each token of each text, free of all others: masks without amortisation."""

from __future__ import annotations

import torch

from neurox_lite.arguments import positive_number, whole_number
from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.attribution.optimising import fit_tokens
from neurox_lite.attribution.states import erased_at, validate_state
from neurox_lite.choices import unknown_choice
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.masking.gate_network import FIRST_LOCATION
from neurox_lite.masking.token_draws import ESTIMATORS, LOG_OPEN, SIZES, keeping
from neurox_lite.masking.token_objective import TokenObjective
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.seeds import validate_seed


def mask_each_text(
    explained: ExplainedTexts,
    method: str,
    estimator: str,
    *,
    state: int,
    epsilon: float,
    size: str,
    n_steps: int,
    seed: int,
) -> TokenAttributions:
    """Probability that each token is kept; see :func:`~neurox_lite.attribution.diffmask_per_text`.

    Parameters
    ----------
    explained, state, epsilon, size, n_steps, seed
        As there.
    method : str
        What the attributions are called.
    estimator : str
        Of the gradient, as of :class:`~neurox_lite.masking.TokenMask`.
    """
    check_explained(explained)
    state = validate_state(explained, state)
    epsilon = positive_number(epsilon, "epsilon")
    if size not in tuple(SIZES):
        raise unknown_choice("size", size, SIZES)
    n_steps = whole_number(n_steps, "n_steps", least=1)
    seed = validate_seed(seed)
    placeholder = erased_at(explained, state)

    def values_of(rows: torch.Tensor) -> torch.Tensor:
        mask = explained.inputs.batch(rows)["attention_mask"]
        is_kept = explained.inputs.is_special[rows][:, : mask.shape[1]] & (state == 0)
        intact = explained.intact(rows)
        objective = TokenObjective(epsilon, size, of_each_text=True)

        def loss(phi: torch.Tensor, random: torch.Tensor) -> torch.Tensor:
            noise = torch.special.ndtr(random[..., 0]).clamp(1e-6, 1 - 1e-6)
            drawn = keeping(ESTIMATORS[estimator](phi[:, None], noise[:, None]), is_kept)
            parts = explained.parts(rows, state, keep_tokens(drawn.gates, placeholder))
            return objective(drawn, explained.output.divergence(intact, parts), mask).loss

        phi = fit_tokens(
            explained, rows, loss, start=FIRST_LOCATION, width=1, n_steps=n_steps, seed=seed
        )
        return LOG_OPEN[estimator](phi).exp().masked_fill(is_kept, 1)

    return attribute(
        explained,
        method,
        values_of,
        state=state,
        epsilon=epsilon,
        size=size,
        n_steps=n_steps,
        seed=seed,
    )
