"""DiffMask without amortisation: gates of its own for each text."""

from __future__ import annotations

from neurox_lite.attribution.mask_each_text import mask_each_text
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions


def diffmask_per_text(
    explained: ExplainedTexts,
    *,
    state: int = 0,
    epsilon: float = 0.1,
    size: str = "log",
    n_steps: int = 500,
    seed: int = 0,
) -> TokenAttributions:
    """Probability that each token is kept, of the fewest that leave the output of its text alone.

    De Cao et al. 2020 with a free location for each token in the place of gate networks: what they
    call non-amortised. Each text has a multiplier of its own, and gates see how it ends: they may
    keep one of several tokens that each suffice. Tokens are replaced by the mask token's embedding,
    at later states by zeros. Special tokens stay in place among word embeddings, and have the value
    1. ``n_steps`` forward and backward passes.

    Parameters
    ----------
    explained : ExplainedTexts
    state : int
        0 for the word embeddings, k for what block k - 1 reads.
    epsilon : float
        Divergence allowed for each text, in nats.
    size : {"log", "count"}
        What is least, see :class:`~neurox_lite.masking.TokenMask`.
    n_steps : int
    seed : int
        Of the gates that are drawn.

    Raises
    ------
    InputError
        When an option is out of range, or the output does not depend on such a state.
    """
    return mask_each_text(
        explained,
        "diffmask-per-text",
        "hard-concrete",
        state=state,
        epsilon=epsilon,
        size=size,
        n_steps=n_steps,
        seed=seed,
    )
