"""How sure the intact model is of the right word of minimal pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import MinimalPair, as_pairs
from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_inputs import PairInputs, encode_pairs
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.interventions.sentence_scores import sentence_log_odds
from neurox_lite.models.loading import Model, as_loaded


def score_pairs(
    model: Model, pairs: Sequence[MinimalPair], *, tokenizer: Any = None, unit: str = "word"
) -> np.ndarray:
    """``log p(right) - log p(wrong)`` of every pair, in nats; above 0 the model is right.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A causal or masked language model, with its head.
    pairs : sequence of MinimalPair
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.
    unit : {"word", "sentence"}
        ``"word"``: of the two words, each one token, after the prefix (a masked model reads the
        suffix, too). ``"sentence"``: of the whole sentences, however they differ, which only a
        causal model can say.

    Returns
    -------
    (n_pairs,) float64 array

    Raises
    ------
    InputError
        When the model cannot choose between the words or sentences of a pair, which is named.
    """
    if unit not in ("word", "sentence"):
        raise unknown_choice("unit", unit, ("word", "sentence"))
    loaded = as_loaded(model, tokenizer, head="language")
    if unit == "sentence":
        return sentence_log_odds(loaded, as_pairs(pairs))
    inputs = encode_pairs(loaded, pairs)
    return intact_log_odds(InterventionRunner.of_pairs(loaded, inputs), inputs)


def intact_log_odds(runner: InterventionRunner, inputs: PairInputs) -> np.ndarray:
    """:func:`score_pairs` of a runner's pairs, (n_pairs,) float64."""
    odds = torch.empty(len(inputs), device=runner.device)
    for rows in runner.batches():
        odds[rows] = inputs.log_odds(runner.intact_logits(rows), rows)
    return odds.double().cpu().numpy()


def select_right(
    runner: InterventionRunner,
    inputs: PairInputs,
    log_odds: np.ndarray,
    include_incorrect: bool = False,
) -> tuple[InterventionRunner, PairInputs, tuple[MinimalPair, ...]]:
    """A runner of the pairs that the intact model gets right, or of all; and the former."""
    rows = torch.from_numpy(np.flatnonzero(log_odds > 0)).to(runner.device)
    right = inputs.select(rows)
    if include_incorrect:
        return runner, inputs, right.pairs
    if not len(right):
        raise InputError(
            f"{runner.loaded.name} gets all {len(inputs)} pairs wrong; give others, or use them as "
            "they are by include_incorrect=True (--include-incorrect)"
        )
    return runner.select(rows), right, right.pairs
