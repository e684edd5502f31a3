"""How much of each token's information the model needs to say what it says."""

from __future__ import annotations

import torch
from torch.nn.functional import logsigmoid

from neurox_lite.activations.moments import Moments, RunningMoments
from neurox_lite.arguments import expect, positive_number, whole_number
from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.attribution.optimising import fit_tokens
from neurox_lite.attribution.states import validate_state
from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.seeds import validate_seed

START = 5.0
"""Where alpha begins: nearly all information passes."""


def information_bottleneck(
    explained: ExplainedTexts,
    *,
    state: int = 0,
    kl_weight: float = 10.0,
    n_steps: int = 500,
    seed: int = 0,
    moments: Moments | None = None,
) -> TokenAttributions:
    """Share of each token's state that is kept when as much as possible is noise.

    Of every token a share ``lambda = sigmoid(alpha)`` is kept, and the rest replaced by what tokens
    are on average (Schulz et al. 2020, eq. 3):

        z ~ N(lambda h + (1 - lambda) mu, (sigma (1 - lambda))^2)

    Fitted for each text: least minus the score of what the model said, plus ``kl_weight`` times the
    mean over tokens and units of ``KL(z || N(mu, sigma^2))``. ``n_steps`` forward and backward
    passes.

    Parameters
    ----------
    explained : ExplainedTexts
    state : int
        0 for the word embeddings, k for what block k - 1 reads.
    kl_weight : float
    n_steps : int
    seed : int
        Of the noise.
    moments : Moments, optional
        mu and sigma of the state's units, by :func:`state_moments`; of all tokens of these texts if
        not given, which is all that a text's values depend on in other texts.

    Raises
    ------
    InputError
        When an option is out of range, the moments are of another width, or the output does not
        depend on such a state.
    """
    check_explained(explained)
    state = validate_state(explained, state)
    kl_weight = positive_number(kl_weight, "kl_weight")
    n_steps = whole_number(n_steps, "n_steps", least=1)
    seed = validate_seed(seed)
    if moments is None:
        moments = state_moments(explained, state)
    expect(moments, Moments, "moments", "what state_moments returns")
    width = explained.states.widths[state]
    if moments.mean.shape != (width,):
        raise InputError(
            f"moments of {len(moments.mean)} units; give those of state {state}, {width}"
        )
    device = explained.inputs.input_ids.device
    mean, std, scale = (
        torch.from_numpy(part).float().to(device)
        for part in (moments.mean, moments.std, moments.scale)
    )

    def values_of(rows: torch.Tensor) -> torch.Tensor:
        mask = explained.inputs.batch(rows)["attention_mask"]
        states = explained.token_states(rows, state)[state]
        intact = explained.intact(rows)
        difference = states.float() - mean
        squares = (difference * scale).square().mean(-1)

        def loss(alpha: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
            kept = alpha.sigmoid()[..., None]
            z = mean + kept * difference + (1 - kept) * std * noise
            parts = explained.parts(rows, state, lambda _: z.to(states.dtype))
            information = (kl_divergence(alpha, squares) * mask).sum(1) / mask.sum(1)
            return kl_weight * information - explained.output.score(intact, parts)

        alpha = fit_tokens(
            explained, rows, loss, start=START, width=width, n_steps=n_steps, seed=seed
        )
        return alpha.sigmoid()

    return attribute(
        explained,
        "information-bottleneck",
        values_of,
        state=state,
        kl_weight=kl_weight,
        n_steps=n_steps,
        seed=seed,
    )


def kl_divergence(alpha: torch.Tensor, squares: torch.Tensor) -> torch.Tensor:
    """``KL(N(lambda h + (1 - lambda) mu, (sigma (1 - lambda))^2) || N(mu, sigma^2))``, in nats.

    Mean over units; ``squares`` is the mean of ``((h - mu) / sigma)^2``, of each token as alpha is.
    """
    kept = alpha.sigmoid()
    return ((1 - kept) ** 2 + kept**2 * squares - 1) / 2 - logsigmoid(-alpha)


def state_moments(explained: ExplainedTexts, state: int = 0) -> Moments:
    """Mean and standard deviation of the units of a state, (width,), over the tokens of texts."""
    check_explained(explained)
    state = validate_state(explained, state)
    running = RunningMoments()
    for rows in explained.batches():
        real = explained.inputs.batch(rows)["attention_mask"] != 0
        states = explained.token_states(rows, state)[state]
        running.add(running.n_rows, states[real].double())
    return running.moments()
