"""DiffMask, fitted to texts and explaining them in one call."""

from __future__ import annotations

from collections.abc import Sequence

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.masking.token_mask import TokenMask
from neurox_lite.results.token_attributions import TokenAttributions


def diffmask(
    explained: ExplainedTexts,
    *,
    variant: str = "input",
    size: str = "log",
    epsilon: float = 0.1,
    placeholder: str = "learned",
    n_steps: int = 500,
    batch_size: int = 64,
    seed: int = 0,
    states: Sequence[int] | None = None,
) -> TokenAttributions:
    """How likely each token is to be kept by gates read off its states, by state.

    See :class:`~neurox_lite.masking.TokenMask` (De Cao et al. 2020), which is fitted to these
    texts: values depend on all of them, and want some hundreds. To explain others by the same
    gates, fit it yourself.

    Parameters
    ----------
    explained : ExplainedTexts
    variant, size, epsilon, placeholder, n_steps, batch_size, seed, states
        As there.

    Raises
    ------
    InputError
        When an option is out of range, or the output does not depend on a state.
    """
    mask = TokenMask(
        variant,
        size=size,
        epsilon=epsilon,
        placeholder=placeholder,
        n_steps=n_steps,
        batch_size=batch_size,
        seed=seed,
        states=states,
    )
    return mask.fit(explained).explain(explained)
