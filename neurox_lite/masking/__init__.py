"""Which few neurons decide, and which input tokens? Masks, and rankings by effects in the model."""

from neurox_lite.masking.baselines import (
    rank_by_activation_difference,
    rank_by_integrated_gradients,
    rank_by_single_replacement,
)
from neurox_lite.masking.neuron_mask import fit_neuron_mask, rank_by_neuron_mask
from neurox_lite.masking.probe_mask import fit_probe_mask
from neurox_lite.masking.token_mask import TokenMask

__all__ = [
    "TokenMask",
    "fit_neuron_mask",
    "fit_probe_mask",
    "rank_by_activation_difference",
    "rank_by_integrated_gradients",
    "rank_by_neuron_mask",
    "rank_by_single_replacement",
]
