"""Whether a tokenizer knows the words of a text, and is the one that belongs to a model."""

from __future__ import annotations

import json
import logging
from typing import Any

from neurox_lite.errors import InputError

logger = logging.getLogger(__name__)

WARN_SHARE = 0.05
"""Share of unknown words from which it is said: in English treebanks it is below 0.001."""

REFUSE_SHARE = 0.8
"""Share from which there is nothing to learn; in any text some words are numbers or stops."""

LEAST_TOKENS = 0.97
"""Share of a model's embeddings that its tokenizer has; models round them up by 2 % at most."""


def unknown_ids(tokenizer: Any) -> frozenset[int]:
    """The tokens that stand for what a tokenizer does not know; none of one that knows all bytes.

    A fast tokenizer has one of its own, also where transformers was not told which.
    """
    ids = {tokenizer.unk_token_id}
    if tokenizer.is_fast:
        model = tokenizer.backend_tokenizer.model
        if hasattr(model, "unk_token"):
            ids.add(model.token_to_id(model.unk_token) if model.unk_token else None)
        else:  # Unigram tells it in its file only
            ids.add(json.loads(tokenizer.backend_tokenizer.to_str())["model"].get("unk_id"))
    return frozenset(i for i in ids if i is not None)


def check_unknown(n_unknown: int, n_words: int, text: str, model: str) -> None:
    """Refuse a text of words that a model's tokenizer does not know, or say how many they are.

    Parameters
    ----------
    n_unknown, n_words : int
    text, model : str
        What messages call them.

    Raises
    ------
    InputError
        When nearly all words hold the unknown token.
    """
    share = n_unknown / max(n_words, 1)
    said = (
        f"{text}: the tokenizer of {model} does not know {n_unknown:,} of {n_words:,} words "
        f"({share:.0%} hold its unknown token)"
    )
    if share >= REFUSE_SHARE:
        raise InputError(f"{said}; give a model of this language, with its own tokenizer")
    if share >= WARN_SHARE:
        logger.warning("%s; their activations say little about them", said)


def check_not_empty(tokenizer: Any, name: str) -> None:
    """Raise InputError when a vocabulary has nothing but special tokens."""
    if not getattr(tokenizer, "vocab_files_names", None):  # of all bytes or characters
        return
    special = {*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens}
    # Some have one more from the start, such as the space mark.
    if len(set(tokenizer.get_vocab()) - special) < 2:
        raise InputError(
            f"{name}: its tokenizer knows no words, since its files are missing or empty "
            "(tokenizer.json, or such as vocab.txt); save the tokenizer of this model there"
        )


def check_sizes(tokenizer: Any, n_embeddings: int | None, name: str) -> None:
    """Say when a tokenizer has another number of tokens than its model has embeddings."""
    n_tokens = len(tokenizer) if hasattr(tokenizer, "__len__") else None
    if not (n_tokens and n_embeddings) or LEAST_TOKENS * n_embeddings <= n_tokens <= n_embeddings:
        return
    logger.warning(
        "%s: the tokenizer has %s tokens, but the model embeddings for %s; make sure that it is "
        "the model's own",
        name,
        f"{n_tokens:,}",
        f"{n_embeddings:,}",
    )
