"""Where a model looks up the embeddings of its words, before positions and normalisation."""

from __future__ import annotations

from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.models.calls import is_padded, is_per_token, is_transposed
from neurox_lite.models.sites import HookPoint, Sites
from neurox_lite.models.trace import trace

WORD_EMBEDDINGS = "word_embeddings"


def find_word_embeddings(model: Any) -> Sites:
    """The output of a model's table of embeddings, as a site of one layer, 0.

    Parameters
    ----------
    model : PreTrainedModel
        With or without a head.

    Raises
    ------
    InputError
        When it has no such table, or does not look up every token in it once.
    """
    kind = type(model).__name__
    try:
        table = model.get_input_embeddings()
    except NotImplementedError:  # CLIP and CANINE
        table = None
    name = next((name for name, module in model.named_modules() if module is table), None)
    if name is None:
        raise InputError(f"a {kind} has no table of word embeddings; give a model that has one")
    calls = [call for call in trace(model).calls if call.module is table]
    states = calls[0].written if len(calls) == 1 else None
    if states is None or not is_per_token(states):
        raise InputError(
            f"a {kind} does not look up each token once in {name}; give a model that does"
        )
    width = states.shape[-1]
    point = HookPoint(
        name, "output", (0,), is_transposed(states), False, is_padded(states), 0, width
    )
    return Sites(WORD_EMBEDDINGS, "", (point,), {0: width})
