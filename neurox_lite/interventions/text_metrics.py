"""What a model can still do with texts: predict their tokens, or classify them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.arguments import expect, expect_function, strings
from neurox_lite.errors import InputError
from neurox_lite.interventions.model_metric import ModelMetric, Scores, divergence, one_each
from neurox_lite.interventions.pair_inputs import reads_both_sides
from neurox_lite.interventions.pair_tokens import check_vocabulary
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.vocabulary import check_texts

LARGEST_LOSS = 700.0
"""In nats; the perplexity of more is not a float."""


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
        When the model is not a classifier, there are not as many labels as texts, or it does not
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
        return one_each((logits.argmax(-1) == targets[rows]).double())

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
    return divergence(InterventionRunner(loaded, ids, mask, where), mask)


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
    expect(name, str, "name", "a text")
    expect_function(function, "function", "a function of logits and the numbers of the texts")
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
        return one_each(found.double())

    return ModelMetric(name, runner, score)


TEXT_METRICS = {"perplexity": perplexity, "kl": kl_from_intact, "accuracy": token_accuracy}
"""By their names in the command; the first is the default."""


def _perplexity(name: str, runner: InterventionRunner, targets: torch.Tensor) -> ModelMetric:
    """Of the tokens to predict at each token, (n_inputs, n_tokens); -1 for none."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        found = logits.log_softmax(-1)
        expected = targets[rows, : logits.shape[1]]
        counted = expected >= 0
        chosen = found.gather(-1, expected.clamp(min=0)[..., None])[..., 0].double()
        return -(chosen * counted).sum(1), counted.sum(1).double()

    return ModelMetric(name, runner, score, lambda mean: math.exp(min(mean, LARGEST_LOSS)))


def _tokens(loaded: LoadedModel, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids of texts and which are real, (n_texts, n_tokens) both."""
    texts = strings(texts, "texts")
    if not texts:
        raise InputError("no texts; give at least one")
    encoded = loaded.tokenizer(texts)["input_ids"]
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
