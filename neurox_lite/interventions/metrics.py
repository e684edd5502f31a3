"""What a language model can still do: metrics for neurons replaced in the running model.

A metric holds the inputs and says how to score what the model puts out for them. Scores of inputs
are summed with weights (a sentence's words, say), and :attr:`ModelMetric.finish` turns the mean
into the number that is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_inputs import PairInputs, reads_both_sides
from neurox_lite.interventions.pair_tokens import check_vocabulary
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.neuron_spaces import check_fits
from neurox_lite.models.vocabulary import check_texts
from neurox_lite.showing import short_repr

Scores = tuple[torch.Tensor, torch.Tensor]

LARGEST_LOSS = 700.0
"""In nats; the perplexity of more is no float."""


@dataclass(frozen=True)
class ModelMetric:
    """How well a model does on its inputs, or how far it is from the intact one.

    Attributes
    ----------
    name : str
    runner : InterventionRunner
        With the inputs.
    score : function
        Of logits (n_rows, n_tokens, n_outputs) and the numbers of the inputs (n_rows,); gives the
        sum and the weight of each row, (n_rows,) both.
    finish : function
        Of the weighted mean.
    inputs : PairInputs, optional
        Of a task that the model may be right or wrong in.
    """

    name: str
    runner: InterventionRunner
    score: Callable[[torch.Tensor, torch.Tensor], Scores]
    finish: Callable[[float], float] = float
    inputs: PairInputs | None = None

    __repr__ = short_repr


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
        return _each((inputs.log_odds(logits, rows) > 0).double())

    return ModelMetric("pair accuracy", runner, score, inputs=inputs)


def pair_log_odds(model: Model, inputs: PairInputs, where: Location = Location()) -> ModelMetric:
    """Mean of ``log p(right) - log p(wrong)`` over minimal pairs, in nats."""
    return log_odds_of(InterventionRunner.of_pairs(model, inputs, where), inputs)


def log_odds_of(runner: InterventionRunner, inputs: PairInputs) -> ModelMetric:
    """:func:`pair_log_odds` of a runner's pairs."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        return _each(inputs.log_odds(logits, rows).double())

    return ModelMetric("log odds", runner, score, inputs=inputs)


def pair_changes(model: Model, inputs: PairInputs, where: Location = Location()) -> ModelMetric:
    """Share of minimal pairs of which the intact model would choose the other word."""
    return changes_of(InterventionRunner.of_pairs(model, inputs, where), inputs)


def changes_of(runner: InterventionRunner, inputs: PairInputs) -> ModelMetric:
    """:func:`pair_changes` of a runner's pairs."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        each, index = torch.unique(rows, return_inverse=True)
        intact = inputs.log_odds(runner.intact_logits(each), each)[index] > 0
        return _each(((inputs.log_odds(logits, rows) > 0) != intact).double())

    return ModelMetric("choices changed", runner, score)


def perplexity(
    model: Model,
    texts: Sequence[str],
    where: Location = Location(),
    *,
    tokenizer: Any = None,
) -> ModelMetric:
    """Perplexity per token of texts; of a masked model pseudo-perplexity (Salazar et al. 2020).

    A causal model predicts every token but the first from those before. For a masked model, one
    token of each text at a time is masked and predicted from all others.
    """
    loaded = as_loaded(model, tokenizer, head="language")
    name = "pseudo-perplexity" if reads_both_sides(loaded) else "perplexity"
    return _perplexity(name, *_predicted(loaded, texts, where))


def kl_and_perplexity(
    loaded: LoadedModel, texts: Sequence[str], where: Location
) -> tuple[ModelMetric, ModelMetric]:
    """:func:`kl_from_intact` and :func:`perplexity`; a causal model has one runner for both."""
    kl = kl_from_intact(loaded, texts, where)
    if reads_both_sides(loaded):
        return kl, perplexity(loaded, texts, where)
    targets = _next_tokens(kl.runner.input_ids, kl.runner.attention_mask)
    return kl, _perplexity("perplexity", kl.runner, targets)


def token_accuracy(
    model: Model,
    texts: Sequence[str],
    where: Location = Location(),
    *,
    tokenizer: Any = None,
) -> ModelMetric:
    """Share of tokens predicted exactly: the next ones, or of a masked model masked ones."""
    loaded = as_loaded(model, tokenizer, head="language")
    runner, targets = _predicted(loaded, texts, where)

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        expected = targets[rows, : logits.shape[1]]
        counted = expected >= 0
        right = (logits.argmax(-1) == expected) & counted
        return right.sum(1).double(), counted.sum(1).double()

    name = "masked-token accuracy" if reads_both_sides(loaded) else "next-token accuracy"
    return ModelMetric(name, runner, score)


def classification_accuracy(
    model: Model,
    texts: Sequence[str],
    labels: Sequence[int | str],
    where: Location = Location(),
    *,
    tokenizer: Any = None,
) -> ModelMetric:
    """Share of texts that a classifier gives their label, a number or a name it knows.

    Raises
    ------
    InputError
        When the model is no classifier, there are not as many labels as texts, or it does not
        know one.
    """
    loaded = as_loaded(model, tokenizer, head="classification")
    config = loaded.model.config
    kind = type(loaded.model).__name__
    if not kind.endswith("ForSequenceClassification"):
        raise InputError(
            f"{loaded.name}: a {kind} classifies no texts; load a classifier with "
            'head="classification"'
        )
    if config.pad_token_id is None:
        raise InputError(
            f"{loaded.name}: its configuration names no pad_token_id; add it to config.json"
        )
    known: dict[Any, Any] = {number: number for number in range(config.num_labels or 0)}
    known |= config.label2id or {}
    unknown = [label for label in labels if label not in known]
    if unknown or len(labels) != len(texts):
        what = f"no label '{unknown[0]}'" if unknown else f"{len(labels)} labels"
        raise InputError(
            f"{loaded.name}: {what} for {len(texts)} texts; give one it knows for each"
        )
    ids, mask = _tokens(loaded, texts)
    check_texts(loaded.tokenizer, texts, loaded.name)
    targets = torch.tensor([known[label] for label in labels], device=ids.device)
    runner = InterventionRunner(loaded, ids, mask, where)

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        return _each((logits.argmax(-1) == targets[rows]).double())

    return ModelMetric("classification accuracy", runner, score)


def kl_from_intact(
    model: Model,
    texts: Sequence[str],
    where: Location = Location(),
    *,
    tokenizer: Any = None,
) -> ModelMetric:
    """Mean over tokens of ``KL(p || p~)`` in nats, from the intact model's prediction p."""
    loaded = as_loaded(model, tokenizer, head="language")
    reads_both_sides(loaded)  # refuses what predicts no words
    ids, mask = _tokens(loaded, texts)
    check_texts(loaded.tokenizer, texts, loaded.name)
    return _divergence(InterventionRunner(loaded, ids, mask, where), mask)


def kl_elsewhere(model: Model, inputs: PairInputs, where: Location = Location()) -> ModelMetric:
    """:func:`kl_from_intact` at the tokens of pairs other than where the choice is made.

    Raises
    ------
    InputError
        When no pair has another token.
    """
    counted = inputs.attention_mask.clone()
    counted[torch.arange(len(inputs), device=counted.device), inputs.prediction_positions] = 0
    if not counted.any():
        raise InputError("the pairs have no token but where the choice is made; give longer ones")
    return _divergence(InterventionRunner.of_pairs(model, inputs, where, every_token=True), counted)


PAIR_METRICS = {"log-odds": pair_log_odds, "accuracy": pair_accuracy}
TEXT_METRICS = {"perplexity": perplexity, "kl": kl_from_intact, "accuracy": token_accuracy}


def custom_metric(
    name: str,
    model: Model,
    texts: Sequence[str],
    function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    where: Location = Location(),
    *,
    tokenizer: Any = None,
) -> ModelMetric:
    """A metric of your own.

    Parameters
    ----------
    name : str
    model : LoadedModel, name or path, or PreTrainedModel
    texts : sequence of str
    function : function
        Of logits (n_rows, n_tokens, n_outputs) and the numbers of the texts (n_rows,); gives a
        number for each row, which are averaged.
    where : Location
        The neurons that may change.
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.
    """
    loaded = as_loaded(model, tokenizer, head="language")
    ids, mask = _tokens(loaded, texts)
    check_texts(loaded.tokenizer, texts, loaded.name)
    runner = InterventionRunner(loaded, ids, mask, where)

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        found = function(logits, rows)
        if not isinstance(found, torch.Tensor) or found.shape != rows.shape:
            shape = tuple(getattr(found, "shape", ()))
            raise InputError(f"metric '{name}': numbers of shape {shape} for {len(rows)} texts")
        if not torch.isfinite(found).all():
            raise InputError(f"metric '{name}': NaN or infinite; give finite numbers")
        return _each(found.double())

    return ModelMetric(name, runner, score)


def evaluate(
    metric: ModelMetric,
    gates: np.ndarray,
    values: np.ndarray,
    *,
    by_input: bool = False,
    per_input: bool = False,
    masks_at_once: int = 32,
) -> np.ndarray:
    """A metric under each of many masks, several of them in every batch.

    Parameters
    ----------
    metric : ModelMetric
    gates : (n_masks, n_neurons) array
    values : (n_neurons,) or (n_masks, n_neurons) array
        Replacements, the same for all masks or of each.
    by_input : bool
        ``values`` are (n_inputs, n_neurons) instead: replacements of each input.
    per_input : bool
        Give the score of every input instead, (n_masks, n_inputs); NaN where it counts nothing.
    masks_at_once : int

    Returns
    -------
    (n_masks,) array

    Raises
    ------
    InputError
        When a shape does not fit, a gate is not in [0, 1] or a value is not finite.
    """
    runner = metric.runner
    n_masks, n_neurons = len(gates), runner.space.n_neurons
    fitting = [(len(runner), n_neurons)] if by_input else [(n_masks, n_neurons), (n_neurons,)]
    if not n_masks or gates.shape != (n_masks, n_neurons) or values.shape not in fitting:
        raise InputError(
            f"gates of shape {gates.shape}, values of shape {values.shape} for "
            f"{n_neurons} neurons and {len(runner)} inputs"
        )
    if not ((gates >= 0) & (gates <= 1)).all():
        raise InputError("a gate is not between 0 and 1")
    if not np.isfinite(values).all():
        raise InputError("a replacement is NaN or infinite; give finite numbers")
    touched = gates > 0 if values.ndim == 2 and not by_input else (gates > 0).any(0)
    all_gates = torch.as_tensor(gates, dtype=torch.float32, device=runner.device)
    all_values = torch.as_tensor(
        np.where(touched, values, 0), dtype=torch.float32, device=runner.device
    )
    check_fits(all_values, runner.dtype, "a replacement")

    def logits(masks: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        own = all_values
        if own.dim() == 2:
            own = own[inputs if by_input else masks]
        return runner.logits(all_gates[masks], own, inputs)

    return _evaluate(metric, logits, n_masks, per_input, masks_at_once)


def evaluate_additions(
    metric: ModelMetric,
    shifts: np.ndarray,
    *,
    per_input: bool = False,
    shifts_at_once: int = 32,
) -> np.ndarray:
    """:func:`evaluate` with numbers added to neurons instead.

    Parameters
    ----------
    metric : ModelMetric
    shifts : (n_shifts, n_neurons) array
    per_input, shifts_at_once
        As for :func:`evaluate`.

    Returns
    -------
    (n_shifts,) array

    Raises
    ------
    InputError
        When the shape does not fit or a shift is not finite.
    """
    runner = metric.runner
    if not len(shifts) or shifts.shape != (len(shifts), runner.space.n_neurons):
        raise InputError(f"shifts of shape {shifts.shape} for {runner.space.n_neurons} neurons")
    all_shifts = torch.as_tensor(shifts, dtype=torch.float32, device=runner.device)
    check_fits(all_shifts, runner.dtype, "a shift")

    def logits(numbers: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        return runner.logits_with_addition(all_shifts[numbers], inputs)

    return _evaluate(metric, logits, len(shifts), per_input, shifts_at_once)


@torch.no_grad()
def _evaluate(
    metric: ModelMetric,
    logits: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    n_changes: int,
    per_input: bool,
    at_once: int,
) -> np.ndarray:
    """A metric under each of many changes; ``logits`` takes their numbers and those of inputs."""
    runner = metric.runner
    at_once = max(1, min(at_once, runner.tokens_at_once // int(runner.lengths.max())))
    found = torch.zeros((2, n_changes, len(runner)), dtype=torch.float64, device=runner.device)
    for some in torch.arange(n_changes, device=runner.device).split(at_once):
        for rows in runner.batches(len(some)):
            changes, inputs = some.repeat_interleave(len(rows)), rows.repeat(len(some))
            scores = metric.score(logits(changes, inputs), inputs)
            for each, score in zip(found, scores, strict=True):
                each[some[:, None], rows] = score.double().view(len(some), len(rows))
    sums, weights = found if per_input else found.sum(2)
    means = (sums / weights).cpu().numpy()
    finished = [metric.finish(float(mean)) for mean in means.ravel()]
    return np.reshape(finished, means.shape)


def _each(values: torch.Tensor) -> Scores:
    return values, torch.ones_like(values)


def _perplexity(name: str, runner: InterventionRunner, targets: torch.Tensor) -> ModelMetric:
    """Of the tokens to predict at each token, (n_inputs, n_tokens); -1 for none."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        found = logits.log_softmax(-1)
        expected = targets[rows, : logits.shape[1]]
        counted = expected >= 0
        chosen = found.gather(-1, expected.clamp(min=0)[..., None])[..., 0].double()
        return -(chosen * counted).sum(1), counted.sum(1).double()

    return ModelMetric(name, runner, score, lambda mean: math.exp(min(mean, LARGEST_LOSS)))


def _divergence(runner: InterventionRunner, counted: torch.Tensor) -> ModelMetric:
    """Mean of ``KL(p || p~)`` over the tokens that are counted, (n_inputs, n_tokens)."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        each, index = torch.unique(rows, return_inverse=True)
        intact = runner.intact_logits(each).log_softmax(-1)[index][:, : logits.shape[1]]
        difference = intact.exp() * (intact - logits.log_softmax(-1))
        weights = counted[rows, : logits.shape[1]].double()
        return (difference.sum(-1).double() * weights).sum(1), weights.sum(1)

    return ModelMetric("KL from intact", runner, score)


def _tokens(loaded: LoadedModel, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids of texts and which are real, (n_texts, n_tokens) both."""
    if isinstance(texts, str):
        raise InputError("texts are one string; give a list of strings")
    if not texts:
        raise InputError("no texts; give at least one")
    encoded = loaded.tokenizer(list(texts))["input_ids"]
    rows = [torch.tensor(ids, dtype=torch.long) for ids in encoded]
    for text, row in zip(texts, rows, strict=True):
        if not len(row):
            raise InputError(f"'{text}': no tokens; leave the text out")
        if loaded.max_tokens is not None and len(row) > loaded.max_tokens:
            raise InputError(
                f"'{text[:60]}...': {len(row)} tokens, but {loaded.name} reads "
                f"{loaded.max_tokens}; shorten it"
            )
        check_vocabulary(loaded, f"'{text[:60]}'", row.tolist())
    device = loaded.model.device
    # Some classifiers find the last token of a text by this token, not by the attention mask.
    padding = getattr(loaded.model.config, "pad_token_id", None) or 0
    ids = pad_sequence(rows, batch_first=True, padding_value=padding).to(device)
    mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device)
    return ids, mask


def _predicted(
    loaded: LoadedModel, texts: Sequence[str], where: Location
) -> tuple[InterventionRunner, torch.Tensor]:
    """The inputs, and at each token the one to predict there, -1 for none.

    Of a masked model only the masked token is predicted, and targets are (n_inputs, 1).
    """
    ids, mask = _tokens(loaded, texts)
    if not reads_both_sides(loaded):
        targets = _next_tokens(ids, mask)
        check_texts(loaded.tokenizer, texts, loaded.name)
        return InterventionRunner(loaded, ids, mask, where), targets
    special = torch.tensor(loaded.tokenizer.all_special_ids, device=ids.device)
    rows, positions = torch.nonzero((mask != 0) & ~torch.isin(ids, special), as_tuple=True)
    if not len(rows):
        raise InputError("texts of special or unknown tokens only; there is nothing to predict")
    check_texts(loaded.tokenizer, texts, loaded.name)
    each = torch.arange(len(rows), device=ids.device)
    hidden = ids[rows].clone()
    hidden[each, positions] = loaded.tokenizer.mask_token_id
    runner = InterventionRunner(loaded, hidden, mask[rows], where, predict_at=positions)
    return runner, ids[rows, positions][:, None]


def _next_tokens(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """At each token the one after it, -1 for none, (n_texts, n_tokens)."""
    targets = torch.full_like(ids, -1)
    targets[:, :-1] = torch.where(mask[:, 1:] != 0, ids[:, 1:], -1)
    if not (targets >= 0).any():
        raise InputError("every text is one token; there is nothing to predict")
    return targets
