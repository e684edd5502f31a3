"""What a tokenizer makes of minimal pairs, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.vocabulary import unknown_tokens


@dataclass(frozen=True)
class PairTokens:
    """One pair, see :class:`~neurox_lite.interventions.pair_inputs.PairInputs`."""

    ids: list[int]
    prediction_position: int
    right: int
    wrong: int
    words: tuple[int, ...]


def tokens_of_pairs(
    loaded: LoadedModel, pairs: Sequence[MinimalPair], is_masked: bool
) -> list[PairTokens | InputError]:
    """Every pair, or what is wrong with it; the tokenizer is called three times for all of them.

    A masked model reads a mask between prefix and suffix, others the prefix only.
    """
    tokenizer = loaded.tokenizer
    if not tokenizer.is_fast:
        raise InputError(f"{loaded.name}: its tokenizer gives no offsets; give one that is 'fast'")
    if not pairs:
        return []
    prefixes = [" ".join(pair.prefix) for pair in pairs]
    texts = prefixes
    if is_masked:
        mask = tokenizer.mask_token
        texts = [" ".join([*pair.prefix, mask, *pair.suffix]) for pair in pairs]
    encoded = tokenizer(texts, return_offsets_mapping=True, return_special_tokens_mask=True)
    before = tokenizer(prefixes, add_special_tokens=False)["input_ids"]
    chosen = [
        f"{prefix} {word}"
        for pair, prefix in zip(pairs, prefixes, strict=True)
        for word in (pair.right, pair.wrong)
    ]
    after = tokenizer(chosen, add_special_tokens=False)["input_ids"]
    max_tokens, unknown = loaded.max_tokens, unknown_tokens(tokenizer)
    found: list[PairTokens | InputError] = []
    for number, (pair, text) in enumerate(zip(pairs, texts, strict=True)):
        ids = list(encoded["input_ids"][number])
        try:
            if is_masked:
                prediction_position = _mask_position(loaded, text, ids)
            else:
                ids = _without_end(pair, ids, encoded["special_tokens_mask"][number])
                prediction_position = len(ids) - 1
            offsets = encoded["offset_mapping"][number][: len(ids)]
            _check_known(loaded, pair, text, ids, offsets, unknown)
            words = _last_tokens(pair, offsets)
            if max_tokens is not None and len(ids) > max_tokens:
                raise InputError(
                    f"{_name(pair)}: {len(ids)} tokens, but {loaded.name} reads {max_tokens}; "
                    "shorten it"
                )
            right, wrong = (
                _one_token(loaded, pair, word, before[number], after[2 * number + side], unknown)
                for side, word in enumerate((pair.right, pair.wrong))
            )
            check_vocabulary(loaded, f"{_name(pair)}", [*ids, right, wrong])
            if right == wrong:
                raise InputError(
                    f"{_name(pair)}: both words are the same token; leave the pair out"
                )
            found.append(PairTokens(ids, prediction_position, right, wrong, words))
        except InputError as error:
            found.append(error)
    return found


def check_vocabulary(loaded: LoadedModel, text: str, ids: Sequence[int]) -> None:
    """Raise InputError when a tokenizer gives a token that the model has no embedding of."""
    known = loaded.n_embeddings
    if known is not None and max(ids) >= known:
        raise InputError(
            f"{text}: the tokenizer gives token {max(ids)}, but {loaded.name} has {known} "
            "embeddings; give the tokenizer that belongs to the model"
        )


def _mask_position(loaded: LoadedModel, text: str, ids: list[int]) -> int:
    mask = loaded.tokenizer.mask_token_id
    if ids.count(mask) != 1:
        raise InputError(f"'{text}': not one mask; leave masks out of pairs")
    return ids.index(mask)


def _without_end(pair: MinimalPair, ids: list[int], special: Sequence[int]) -> list[int]:
    """Tokens of a prefix less what ends a text."""
    while len(ids) > 1 and special[len(ids) - 1]:
        ids = ids[:-1]
    if not ids:
        raise InputError(f"{_name(pair)}: no tokens before the choice; add a word")
    return ids


def _check_known(
    loaded: LoadedModel,
    pair: MinimalPair,
    text: str,
    ids: list[int],
    offsets: Sequence[Any],
    unknown: Mapping[int, str],
) -> None:
    """Refuse a text with a word that is read as the unknown token, but not written so."""
    for token, (first, stop) in zip(ids, offsets, strict=True):
        if token in unknown and stop > first:
            word = text[text.rfind(" ", 0, first + 1) + 1 :].split(" ")[0]
            if word != unknown[token]:
                raise InputError(
                    f"{_name(pair)}: {loaded.name} does not know '{word}'; leave the pair out"
                )


def _one_token(
    loaded: LoadedModel,
    pair: MinimalPair,
    word: str,
    before: list[int],
    after: list[int],
    unknown: Mapping[int, str],
) -> int:
    """The token of a word after its prefix."""
    text = " ".join([*pair.prefix, word])
    tokens = after[len(before) :]
    if after[: len(before)] != before or len(tokens) != 1:
        raise InputError(
            f"'{text}': '{word}' is {len(tokens)} tokens for {loaded.name}; pairs need words of "
            "one token, leave this one out"
        )
    if tokens[0] in unknown:
        raise InputError(f"'{text}': {loaded.name} does not know '{word}'; leave the pair out")
    return tokens[0]


def _last_tokens(pair: MinimalPair, offsets: Sequence[Any]) -> tuple[int, ...]:
    """For each word of the prefix its last token."""
    last, start = [], 0
    for word in pair.prefix:
        end = start + len(word)
        inside = [n for n, (first, stop) in enumerate(offsets) if first < end and stop > start]
        if not inside:
            raise InputError(f"{_name(pair)}: the tokenizer drops '{word}'; leave the pair out")
        last.append(inside[-1])
        start = end + 1
    return tuple(last)


def _name(pair: MinimalPair) -> str:
    return f"'{' '.join(pair.prefix)}' {pair.right} / {pair.wrong}"
