"""What a model can still do, or how far it is from the intact one: metrics of pairs and of text."""

from neurox_lite.interventions.model_metric import ModelMetric, evaluate, evaluate_additions
from neurox_lite.interventions.pair_metrics import (
    PAIR_METRICS,
    kl_elsewhere,
    pair_accuracy,
    pair_changes,
    pair_log_odds,
)
from neurox_lite.interventions.text_metrics import (
    TEXT_METRICS,
    classification_accuracy,
    custom_metric,
    kl_from_intact,
    perplexity,
    token_accuracy,
)

__all__ = [
    "PAIR_METRICS",
    "TEXT_METRICS",
    "ModelMetric",
    "classification_accuracy",
    "custom_metric",
    "evaluate",
    "evaluate_additions",
    "kl_elsewhere",
    "kl_from_intact",
    "pair_accuracy",
    "pair_changes",
    "pair_log_odds",
    "perplexity",
    "token_accuracy",
]
