"""Minimal pairs as a language model reads them: tokens, and where the choice is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError
from neurox_lite.models.loading import LoadedModel


@dataclass(frozen=True)
class PairInputs:
    """Tokens of pairs. A causal model reads the prefix, a masked one a mask and the suffix too.

    Attributes
    ----------
    pairs : tuple of MinimalPair
    input_ids, attention_mask : (n_pairs, n_tokens) int tensors
        Padded on the right.
    answers : (n_pairs,) int tensor
        The token at which the model chooses: the last one of the prefix, or the mask.
    right, wrong : (n_pairs,) int tensors
        The tokens it chooses from.
    words : tuple of tuples of int
        For each word of a prefix its last token.
    """

    pairs: tuple[MinimalPair, ...]
    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    answers: torch.Tensor
    right: torch.Tensor
    wrong: torch.Tensor
    words: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.pairs)

    def log_odds(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """``log p(right) - log p(wrong)`` in nats, (n_rows,), of logits for these pairs."""
        each = torch.arange(len(rows), device=logits.device)
        at_answer = logits[each, self.answers[rows]]
        return at_answer[each, self.right[rows]] - at_answer[each, self.wrong[rows]]

    def word(self, number: int) -> torch.Tensor:
        """The last token of one word of each prefix, (n_pairs,); -1 is the last word.

        Raises
        ------
        InputError
            When a prefix has no such word.
        """
        places = []
        for words, pair in zip(self.words, self.pairs, strict=True):
            if not -len(words) <= number < len(words):
                raise InputError(
                    f"'{' '.join(pair.prefix)}' has {len(words)} words and no word {number}; give "
                    "one that every prefix has"
                )
            places.append(words[number])
        return torch.tensor(places, device=self.input_ids.device)

    def select(self, rows: Sequence[int] | torch.Tensor) -> PairInputs:
        """Some of the pairs."""
        index = torch.as_tensor(rows, dtype=torch.long, device=self.input_ids.device)
        chosen = index.tolist()
        return PairInputs(
            tuple(self.pairs[row] for row in chosen),
            self.input_ids[index],
            self.attention_mask[index],
            self.answers[index],
            self.right[index],
            self.wrong[index],
            tuple(self.words[row] for row in chosen),
        )


def encode_pairs(loaded: LoadedModel, pairs: Sequence[MinimalPair]) -> PairInputs:
    """Tokenise pairs, and check that the model can choose between their words.

    Parameters
    ----------
    loaded : LoadedModel
        With a language-model head (``load_model(..., head="language")``).
    pairs : sequence of MinimalPair

    Raises
    ------
    InputError
        When there are no pairs, a word is several tokens or none that the model knows, both words
        are the same token, or the tokenizer tells no character offsets. The pair is named.
    """
    if not pairs:
        raise InputError("no minimal pairs; give at least one")
    is_masked = _is_masked(loaded)
    tokenizer = loaded.tokenizer
    prefixes = [" ".join(pair.prefix) for pair in pairs]
    texts = prefixes
    if is_masked:
        mask = tokenizer.mask_token
        texts = [" ".join([*pair.prefix, mask, *pair.suffix]) for pair in pairs]
    encoded = tokenizer(texts, return_offsets_mapping=True, return_special_tokens_mask=True)
    rows, answers, words = [], [], []
    for number, (pair, text) in enumerate(zip(pairs, texts, strict=True)):
        ids = list(encoded["input_ids"][number])
        if is_masked:
            if ids.count(tokenizer.mask_token_id) != 1:
                raise InputError(f"'{text}': not one mask; leave masks out of pairs")
            answers.append(ids.index(tokenizer.mask_token_id))
        else:
            special = encoded["special_tokens_mask"][number]
            while len(ids) > 1 and special[len(ids) - 1]:  # what ends a text would end the prefix
                ids.pop()
            if not ids:
                raise InputError(f"{_name(pair)}: no tokens before the choice; add a word")
            answers.append(len(ids) - 1)
        rows.append(torch.tensor(ids))
        words.append(_last_tokens(pair, encoded["offset_mapping"][number][: len(ids)]))
    _check_length(loaded, rows, pairs)
    right, wrong = (
        _one_token(loaded, prefixes, [getattr(pair, side) for pair in pairs])
        for side in ("right", "wrong")
    )
    for pair, one, other in zip(pairs, right, wrong, strict=True):
        if one == other:
            raise InputError(f"{_name(pair)}: both words are the same token; leave the pair out")
    device = loaded.model.device
    return PairInputs(
        tuple(pairs),
        pad_sequence(rows, batch_first=True).to(device),
        pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device),
        torch.tensor(answers, device=device),
        torch.tensor(right, device=device),
        torch.tensor(wrong, device=device),
        tuple(words),
    )


def reads_both_sides(loaded: LoadedModel) -> bool:
    """Whether it is a masked language model.

    Raises
    ------
    InputError
        When it is no language model, or a masked one without a mask token.
    """
    kind = type(loaded.model).__name__
    if loaded.model.get_output_embeddings() is None or loaded.is_encoder_decoder:
        raise InputError(
            f"{loaded.name}: a {kind} predicts no words; load a causal or masked model with "
            'head="language"'
        )
    if not kind.endswith(("ForMaskedLM", "ForPreTraining")):
        return False
    if loaded.tokenizer.mask_token is None:
        raise InputError(f"{loaded.name}: its tokenizer has no mask token; give one that has")
    return True


def usable(loaded: LoadedModel, pairs: Sequence[MinimalPair]) -> list[MinimalPair]:
    """The pairs that :func:`encode_pairs` takes, such as those in a small model's vocabulary.

    Raises
    ------
    InputError
        When the model or its tokenizer will not do for any pair.
    """
    _is_masked(loaded)
    kept = []
    for pair in pairs:
        try:
            encode_pairs(loaded, [pair])
        except InputError:
            continue
        kept.append(pair)
    return kept


def _is_masked(loaded: LoadedModel) -> bool:
    is_masked = reads_both_sides(loaded)
    if not loaded.tokenizer.is_fast:
        raise InputError(f"{loaded.name}: its tokenizer tells no offsets; give one that is 'fast'")
    return is_masked


def _one_token(loaded: LoadedModel, prefixes: Sequence[str], words: Sequence[str]) -> list[int]:
    """The token of each word after its prefix."""
    tokenizer = loaded.tokenizer
    before = tokenizer(list(prefixes), add_special_tokens=False)["input_ids"]
    texts = [f"{prefix} {word}" for prefix, word in zip(prefixes, words, strict=True)]
    after = tokenizer(texts, add_special_tokens=False)["input_ids"]
    found = []
    for text, word, short, long in zip(texts, words, before, after, strict=True):
        tokens = long[len(short) :]
        if long[: len(short)] != short or len(tokens) != 1:
            raise InputError(
                f"'{text}': '{word}' is {len(tokens)} tokens for {loaded.name}; pairs need words "
                "of one token, leave this one out"
            )
        if tokens[0] == tokenizer.unk_token_id:
            raise InputError(f"'{text}': {loaded.name} does not know '{word}'; leave the pair out")
        found.append(tokens[0])
    return found


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


def _check_length(
    loaded: LoadedModel, rows: Sequence[torch.Tensor], pairs: Sequence[MinimalPair]
) -> None:
    most = loaded.max_tokens
    for row, pair in zip(rows, pairs, strict=True):
        if most is not None and len(row) > most:
            raise InputError(
                f"{_name(pair)}: {len(row)} tokens, but {loaded.name} reads {most}; shorten it"
            )


def _name(pair: MinimalPair) -> str:
    return f"'{' '.join(pair.prefix)}' {pair.right} / {pair.wrong}"
