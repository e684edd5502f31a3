"""What a language model can still do with minimal pairs."""

from __future__ import annotations

import torch

from neurox_lite.errors import InputError
from neurox_lite.interventions.model_metric import ModelMetric, Scores, divergence, one_each
from neurox_lite.interventions.pair_inputs import PairInputs
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.loading import Model
from neurox_lite.models.location import Location


def pair_accuracy(model: Model, inputs: PairInputs, where: Location = Location()) -> ModelMetric:
    """Share of minimal pairs whose right word is more probable.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
    inputs : PairInputs
    where : Location
        The neurons that may change.
    """
    return accuracy_of(InterventionRunner.of_pairs(model, inputs, where), inputs)


def accuracy_of(runner: InterventionRunner, inputs: PairInputs) -> ModelMetric:
    """:func:`pair_accuracy` of a runner's pairs."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        return one_each((inputs.log_odds(logits, rows) > 0).double())

    return ModelMetric("pair accuracy", runner, score, inputs=inputs)


def pair_log_odds(model: Model, inputs: PairInputs, where: Location = Location()) -> ModelMetric:
    """Mean of ``log p(right) - log p(wrong)`` over minimal pairs, in nats."""
    return log_odds_of(InterventionRunner.of_pairs(model, inputs, where), inputs)


def log_odds_of(runner: InterventionRunner, inputs: PairInputs) -> ModelMetric:
    """:func:`pair_log_odds` of a runner's pairs."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        return one_each(inputs.log_odds(logits, rows).double())

    return ModelMetric("log odds", runner, score, inputs=inputs)


def pair_changes(model: Model, inputs: PairInputs, where: Location = Location()) -> ModelMetric:
    """Share of minimal pairs of which the intact model would choose the other word."""
    return changes_of(InterventionRunner.of_pairs(model, inputs, where), inputs)


def changes_of(runner: InterventionRunner, inputs: PairInputs) -> ModelMetric:
    """:func:`pair_changes` of a runner's pairs."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        each, index = torch.unique(rows, return_inverse=True)
        intact = inputs.log_odds(runner.intact_logits(each), each)[index] > 0
        return one_each(((inputs.log_odds(logits, rows) > 0) != intact).double())

    return ModelMetric("choices changed", runner, score)


def kl_elsewhere(model: Model, inputs: PairInputs, where: Location = Location()) -> ModelMetric:
    """:func:`kl_from_intact` at the tokens of pairs other than where the choice is made.

    Raises
    ------
    InputError
        When no pair has another token.
    """
    runner = InterventionRunner.of_pairs(model, inputs, where, every_token=True)
    counted = inputs.attention_mask.clone()
    counted[torch.arange(len(inputs), device=counted.device), inputs.prediction_positions] = 0
    if not counted.any():
        raise InputError("the pairs have no token but where the choice is made; give longer ones")
    return divergence(runner, counted)


PAIR_METRICS = {"log-odds": pair_log_odds, "accuracy": pair_accuracy}
"""By their names in the command; the first is the default."""
