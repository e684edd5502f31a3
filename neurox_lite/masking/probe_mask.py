"""The smallest set of neurons that decides what a probe predicts; no model runs.

1. Draw a sample of rows, and leave out copies.
2. The effect of replaced neurons is what they do to the probe's log-probabilities
   (:class:`~neurox_lite.masking.effects.ReadoutEffect`).
3. Search, round and score a mask as for a model (:func:`~neurox_lite.masking.fitting.fit_mask`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from neurox_lite.activations.access import check_finite, load, require_finite, space_of, take_rows
from neurox_lite.activations.inputs import validate_activations
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.arguments import shown, whole_number
from neurox_lite.errors import InputError
from neurox_lite.masking.effects import ReadoutEffect
from neurox_lite.masking.fitting import N_STEPS, fit_mask
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.neurons import NeuronSpace
from neurox_lite.seeds import validate_seed

BATCH_SIZE = 256


class Probe(Protocol):
    """A fitted linear classifier, as :class:`~neurox_lite.probing.probe.ElasticNetProbe`."""

    space_: NeuronSpace

    def raw_weights(self) -> tuple[np.ndarray, np.ndarray]: ...


def fit_probe_mask(
    probe: Probe,
    X: Any,
    *,
    objective: str = "flip",
    alpha: float | None = None,
    success: float | None = None,
    held_out: float = 0.25,
    n_rows: int = 5000,
    n_steps: int = N_STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
) -> MaskFit:
    """Fewest neurons that turn, or that keep, a probe's predictions on stored activations.

    :func:`~neurox_lite.masking.neuron_mask.fit_neuron_mask` with a probe instead of the model
    (De Cao et al. 2022). Replacements stay in the range of their neuron on the rows used: a linear
    probe could otherwise be turned by any one neuron that has a weight.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted.
    X : (n, n_neurons) array-like
        Activations: an array, a tensor or a store's matrix. To flip, rows of one class: their
        replacements are the same.
    objective : {"flip", "sufficiency"}
        - flip: few neurons to replace, ``log p(any other class) - log p(z)`` of the class z that
          is predicted for a row.
        - sufficiency: few neurons to keep while all others are replaced, ``-KL(p || p~)`` in nats.
    n_rows : int
        Size of the random sample of rows, which is loaded into memory, three times. Rows that are
        alike count once, so that no copy of a row is held out.
    alpha, success, held_out, n_steps, batch_size, seed
        See :func:`~neurox_lite.masking.fitting.fit_mask`.

    Raises
    ------
    InputError
        When the probe is of other neurons, the objective is unknown, an option is out of range, or
        an activation is NaN or infinite.
    """
    if not hasattr(probe, "raw_weights") or not hasattr(probe, "space_"):
        raise InputError(f"probe is {shown(probe)}; give a fitted ElasticNetProbe")
    n_rows, X = whole_number(n_rows, "n_rows", least=1), validate_activations(X)
    if isinstance(X, ActivationMatrix) and X.space != probe.space_:
        raise InputError("the probe has other neurons than X; give those it was fitted on")
    seed = validate_seed(seed)
    require_finite(X)  # an array, whose own rows it names; a store is checked below
    sample = np.sort(np.random.default_rng(seed).permutation(len(X))[: int(n_rows)])
    chosen = take_rows(X, sample)
    values = load(chosen)
    check_finite(values, 0, space_of(X), chosen)
    _, distinct = np.unique(values, axis=0, return_index=True)
    effect = ReadoutEffect(*probe.raw_weights(), values[np.sort(distinct)], objective=objective)
    effect.space = space_of(X)
    fit = fit_mask(
        effect,
        alpha=alpha,
        success=success,
        held_out=held_out,
        n_steps=n_steps,
        batch_size=batch_size,
        seed=seed,
    )
    copies = len(values) - len(distinct)
    return replace(fit, counts={**fit.counts, "left out as copies": copies})
