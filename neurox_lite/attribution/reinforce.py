"""Gates of 0 and 1 for each token of each text, by the score function."""

from __future__ import annotations

from neurox_lite.attribution.mask_each_text import mask_each_text
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions


def reinforce(
    explained: ExplainedTexts,
    *,
    state: int = 0,
    epsilon: float = 0.1,
    size: str = "log",
    n_steps: int = 500,
    seed: int = 0,
) -> TokenAttributions:
    """Probability that each token is kept, of the fewest that leave the output of its text alone.

    As :func:`~neurox_lite.attribution.diffmask_per_text`, with gates that are 0 or 1 and gradients
    by REINFORCE (Williams 1992): the divergence less its moving average, times the multiplier,
    which the code of De Cao et al. 2020 left out, times the log-probability of the gates.

    Parameters
    ----------
    explained, state, epsilon, size, n_steps, seed
        As there.

    Raises
    ------
    InputError
        As there.
    """
    return mask_each_text(
        explained,
        "reinforce",
        "reinforce",
        state=state,
        epsilon=epsilon,
        size=size,
        n_steps=n_steps,
        seed=seed,
    )
