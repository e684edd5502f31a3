"""Does the model use them? Neurons of the running model replaced or added to."""

from neurox_lite.interventions import metrics
from neurox_lite.interventions.ablation import ablate_in_model
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.interventions.intervene import intervene
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.pair_scores import score_pairs
from neurox_lite.interventions.side_effects import side_effects
from neurox_lite.interventions.steering import steer
from neurox_lite.models.location import Location

__all__ = [
    "Location",
    "ablate_in_model",
    "add_to_neurons",
    "encode_pairs",
    "intervene",
    "metrics",
    "score_pairs",
    "side_effects",
    "steer",
]
