"""Whether a tokenizer knows the words of a text, and is the one that belongs to a model."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.json_files import hash_json

logger = logging.getLogger(__name__)

WARN_SHARE = 0.05
"""Share of unknown words from which it is said: in English treebanks it is below 0.001."""

REFUSE_SHARE = 0.8
"""Share from which there is nothing to learn; in any text some words are numbers or stops."""

WARN_SPLIT = 0.5
"""Share of split words from which it is said: of a language that a tokenizer was made for, most
words are in its vocabulary."""

LEAST_TOKENS = 0.97
"""Share of a model's embeddings that its tokenizer has; models round them up by 2 % at most."""


def unknown_tokens(tokenizer: Any) -> dict[int, str]:
    """The tokens that stand for what a tokenizer does not know, and how they are written.

    A fast tokenizer has one of its own, also where transformers was not told which. One that knows
    all bytes has none, or never gives it.
    """
    ids = {tokenizer.unk_token_id}
    if tokenizer.is_fast:
        model = tokenizer.backend_tokenizer.model
        if hasattr(model, "unk_token"):
            ids.add(model.token_to_id(model.unk_token) if model.unk_token else None)
        else:  # Unigram tells it in its file only
            ids.add(json.loads(tokenizer.backend_tokenizer.to_str())["model"].get("unk_id"))
    return {i: tokenizer.convert_ids_to_tokens(i) for i in ids if i is not None}


def holds_unknown(word: str, ids: Sequence[int], unknown: Mapping[int, str]) -> bool:
    """Whether a word was read as an unknown token, but not written so."""
    return not unknown.keys().isdisjoint(ids) and word not in unknown.values()


def tokenizer_hash(tokenizer: Any) -> str:
    """What identifies a tokenizer in memory."""
    content = [type(tokenizer).__name__, tokenizer.get_vocab(), str(tokenizer.special_tokens_map)]
    if tokenizer.is_fast:
        content.append(tokenizer.backend_tokenizer.to_str())
    return hash_json(content)


def check_unknown(n_unknown: int, n_words: int, text: str, model: str) -> None:
    """Refuse a text of words that a model's tokenizer does not know, or say how many they are."""
    share = n_unknown / max(n_words, 1)
    said = (
        f"{text}: the tokenizer of {model} does not know {n_unknown:,} of {n_words:,} words "
        f"({100 * share:.0f} % hold its unknown token)"
    )
    if share >= REFUSE_SHARE:
        raise InputError(f"{said}; give a model of this language, with its own tokenizer")
    if share >= WARN_SHARE:
        logger.warning("%s; what a model does with them says little about them", said)


def check_split(n_split: int, n_words: int, text: str, model: str) -> None:
    """Say when a model's tokenizer splits most of the words."""
    share = n_split / max(n_words, 1)
    if share >= WARN_SPLIT:
        logger.warning(
            "%s: the tokenizer of %s splits %s of %s words (%.0f %%) into several subwords; it may "
            "have been made for another language",
            text,
            model,
            f"{n_split:,}",
            f"{n_words:,}",
            100 * share,
        )


def check_texts(tokenizer: Any, texts: Sequence[str], model: str) -> None:
    """:func:`check_unknown` of texts whose words are between spaces, each tokenised by itself."""
    unknown = unknown_tokens(tokenizer)
    if not unknown:
        return
    counts = Counter(word for text in texts for word in text.split())
    words = list(counts)
    read = tokenizer(words, add_special_tokens=False)["input_ids"] if words else []
    n_unknown = sum(
        counts[word]
        for word, ids in zip(words, read, strict=True)
        if holds_unknown(word, ids, unknown)
    )
    check_unknown(n_unknown, counts.total(), "texts", model)


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
