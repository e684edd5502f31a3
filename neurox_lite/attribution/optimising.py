"""One parameter per token, fitted under noise: many texts side by side, each for itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.attribution.generators import generators
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.progress import trange

LEARNING_RATE = 0.1
"""Falls to 0 in a straight line, so that what the noise adds to the parameters averages out."""


def fit_tokens(
    explained: ExplainedTexts,
    rows: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    start: float,
    width: int,
    n_steps: int,
    seed: int,
) -> torch.Tensor:
    """Parameters (n_rows, n_tokens) of least loss, by Adam; one forward and backward pass a step.

    No text changes another's: losses are summed, Adam treats each parameter by itself, and noise
    depends on the seed and the text.

    Parameters
    ----------
    explained, rows
        As for :meth:`~neurox_lite.attribution.ExplainedTexts.parts`.
    loss : function of (parameters, noise)
        Noise is standard normal, (n_rows, n_tokens, width). Gives (n_rows,).
    start : float
        What all parameters begin at.
    width, n_steps, seed : int
    """
    inputs = explained.inputs
    shape, device = inputs.batch(rows)["input_ids"].shape, inputs.input_ids.device
    parameters = torch.full(shape, start, device=device, requires_grad=True)
    adam = torch.optim.Adam([parameters], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / n_steps)
    of_texts = generators(inputs, rows, seed)
    lengths = inputs.lengths[rows].tolist()
    for _ in trange(n_steps, desc="fit", unit="step", disable=None, delay=2, leave=False):
        noise = [
            torch.randn((length, width), generator=own)
            for length, own in zip(lengths, of_texts, strict=True)
        ]
        with torch.enable_grad():
            total = loss(parameters, pad_sequence(noise, batch_first=True).to(device)).sum()
            # Not backward(), which would leave gradients in the model.
            (parameters.grad,) = torch.autograd.grad(total, parameters)
        adam.step()
        schedule.step()
    return parameters.detach()
