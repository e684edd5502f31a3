"""Texts as a model reads them: tokens, and which word each belongs to."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.arguments import strings
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.tokenization import SentenceTokenizer
from neurox_lite.interventions.pair_inputs import PairInputs
from neurox_lite.interventions.pair_tokens import check_vocabulary
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.vocabulary import check_texts
from neurox_lite.showing import short_repr

PRINTED = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
BYTE_OF_SIGN = {chr(byte): byte for byte in PRINTED} | {
    chr(0x100 + number): byte
    for number, byte in enumerate(byte for byte in range(0x100) if byte not in PRINTED)
}
"""How tokens of bytes are written since GPT-2: those that can be printed as in Latin-1."""


@dataclass(frozen=True)
class TextInputs:
    """Tokens of texts.

    Attributes
    ----------
    tokens : tuple of tuples of str
        As :func:`shown_tokens`, special tokens included.
    input_ids, attention_mask : (n_texts, n_tokens) int tensors
        Padded on the right.
    is_special : (n_texts, n_tokens) bool tensor
        Tokens that the tokenizer added, such as ``[CLS]``, masks, and padding.
    token_types : (n_texts, n_tokens) int tensor, optional
        Segment ids, of models that read them.
    words : tuple of tuples of int
        The word that each token belongs to, -1 for none, numbered over all sentences of a corpus,
        all texts or all prefixes of pairs; empty where a tokenizer gives no offsets.
    """

    tokens: tuple[tuple[str, ...], ...]
    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    is_special: torch.Tensor
    token_types: torch.Tensor | None = None
    words: tuple[tuple[int, ...], ...] = field(default=())

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def lengths(self) -> torch.Tensor:
        """Number of tokens of each text, (n_texts,)."""
        return self.attention_mask.sum(1)

    def batch(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """What a model is given to read some texts, (n_rows, n_tokens of the longest)."""
        longest = int(self.lengths[rows].max())
        parts = {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "token_type_ids": self.token_types,
        }
        return {key: part[rows, :longest] for key, part in parts.items() if part is not None}


def encode_texts(
    loaded: LoadedModel, texts: Sequence[str], contexts: Sequence[str] | None = None
) -> TextInputs:
    """Tokenise texts, or questions each with the context that holds its answer.

    Words are those between blanks, numbered text after text, of a question before its context.

    Raises
    ------
    InputError
        When there are no texts, one is empty or has more tokens than the model reads, there is not
        one context per question, or the tokenizer is another model's.
    """
    texts = strings(texts, "texts")
    given = [texts] if contexts is None else [texts, strings(contexts, "contexts")]
    if not texts:
        raise InputError("no texts; give at least one")
    if len(given[-1]) != len(texts):
        raise InputError(f"{len(given[-1])} contexts for {len(texts)} questions; give one for each")
    for some, kind in zip(given, ("text", "context"), strict=False):
        for number, text in enumerate(some, start=1):
            if not text.isascii() and re.search("[\ud800-\udfff]", text):
                raise InputError(f"{kind} {number} holds half of a surrogate pair; remove it")
    check_texts(loaded.tokenizer, [text for some in given for text in some], loaded.name)
    is_fast = loaded.tokenizer.is_fast
    encoded = loaded.tokenizer(
        *given, return_special_tokens_mask=True, return_offsets_mapping=is_fast, verbose=False
    )
    special = [[bool(each) for each in row] for row in encoded["special_tokens_mask"]]
    for number, (flags, *sides) in enumerate(zip(special, *given, strict=True), start=1):
        if all(flags) or not all(side.strip() for side in sides):
            empty = "context" if sides[0].strip() and len(sides) > 1 else "text"
            raise InputError(f"{empty} {number} is empty; leave it out")
    return _inputs(
        loaded,
        encoded["input_ids"],
        special,
        encoded.get("token_type_ids"),
        texts,
        _words_between_blanks(encoded, given) if is_fast else (),
    )


def _words_between_blanks(encoded: Any, given: Sequence[Sequence[str]]) -> tuple[Any, ...]:
    """The word of each token of texts, or of questions and contexts; -1 for special tokens."""
    found, first = [], 0
    for number, offsets in enumerate(encoded["offset_mapping"]):
        # Where words begin, and the number of the first, of each side.
        sides = []
        for texts in given:
            starts = [match.start() for match in re.finditer(r"\S+", texts[number])]
            sides.append((first, starts))
            first += len(starts)
        words = []
        for side, (start, stop) in zip(encoded.sequence_ids(number), offsets, strict=True):
            place = -1 if side is None else bisect_left(sides[side][1], max(stop, start + 1)) - 1
            words.append(-1 if place < 0 else sides[side or 0][0] + place)
        found.append(tuple(words))
    return tuple(found)


def encode_sentences(loaded: LoadedModel, corpus: TaggedCorpus) -> TextInputs:
    """Tokenise the sentences of a corpus; each token knows its word.

    Raises
    ------
    InputError
        When a sentence cannot be aligned with its tokens, or has more than the model reads.
    """
    where = [f"{corpus.source}, sentence {number + 1}" for number in range(len(corpus.sentences))]
    tokenize = SentenceTokenizer(loaded.tokenizer)
    aligned = tokenize(corpus.sentences, where, texts=corpus.texts)
    words, special = [], []
    for sentence, first in zip(aligned, corpus.sentence_offsets.tolist(), strict=False):
        word_of = dict.fromkeys(range(len(sentence.input_ids)), -1)
        for number, positions in enumerate(sentence.subwords):
            word_of |= dict.fromkeys(positions, first + number)
        words.append(tuple(word_of.values()))
        n_words_end = len(sentence.input_ids) - sentence.n_after
        special.append(
            [not sentence.n_before <= p < n_words_end for p in range(len(sentence.input_ids))]
        )
    types = [sentence.token_types for sentence in aligned]
    ids = [sentence.input_ids for sentence in aligned]
    return _inputs(loaded, ids, special, types if all(types) else None, where, tuple(words))


def from_pairs(loaded: LoadedModel, pairs: PairInputs) -> TextInputs:
    """What a model reads of minimal pairs: the prefix, of a masked model mask and suffix too.

    Words are those of the prefixes, numbered pair after pair.
    """
    real = pairs.attention_mask != 0
    rows = [ids[mask].tolist() for ids, mask in zip(pairs.input_ids, real, strict=True)]
    added = set(loaded.tokenizer.all_special_ids)
    special = [[token in added for token in row] for row in rows]
    words, first = [], 0
    for last_tokens, flags in zip(pairs.words, special, strict=True):
        numbers = [first + bisect_left(last_tokens, position) for position in range(len(flags))]
        first += len(last_tokens)
        words.append(
            tuple(
                -1 if is_added or number == first else number
                for number, is_added in zip(numbers, flags, strict=True)
            )
        )
    names = [" ".join(pair.prefix) for pair in pairs.pairs]
    return _inputs(loaded, rows, special, None, names, tuple(words))


def shown_tokens(tokenizer: Any, ids: Sequence[int]) -> tuple[str, ...]:
    """Tokens as the tokenizer shows them; of one that knows bytes only, letters are put together.

    So that ``Ġ`` marks a space, as it does there, but ``ĠÙħ`` is ``Ġم``. Of a token that is part of
    a letter the bytes are shown, ``<0xD9>``, as tokenizers do that have tokens for bytes.
    """
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(list(ids))]
    if tokenizer.convert_tokens_to_string(["Ã©"]) != "é":
        return tuple(tokens)
    return tuple(map(_with_letters, tokens))


def _with_letters(token: str) -> str:
    if token.isascii() or not set(token) <= set(BYTE_OF_SIGN):
        return token  # or added to the vocabulary as it is
    text = bytes(BYTE_OF_SIGN[sign] for sign in token).decode("utf-8", "surrogateescape")
    if text.isascii():
        return token
    return "".join(
        f"<0x{ord(letter) & 0xFF:02X}>" if "\udc80" <= letter <= "\udcff" else letter
        for letter in text.replace(" ", "Ġ")
    )


def _inputs(
    loaded: LoadedModel,
    rows: Sequence[Sequence[int]],
    special: Sequence[Sequence[bool]],
    token_types: Sequence[Sequence[int]] | None,
    names: Sequence[str],
    words: tuple[tuple[int, ...], ...] = (),
) -> TextInputs:
    for number, (name, row) in enumerate(zip(names, rows, strict=True), start=1):
        if not len(row):
            raise InputError(f"text {number}, '{name[:60]}': no tokens; leave it out")
        if loaded.max_tokens is not None and len(row) > loaded.max_tokens:
            raise InputError(
                f"text {number}, '{name[:60]}...': {len(row)} tokens, but {loaded.name} reads "
                f"{loaded.max_tokens}; shorten it or leave it out"
            )
        check_vocabulary(loaded, f"'{name[:60]}'", row)
    # Some classifiers find the last token of a text by this token, not by the attention mask.
    padding = getattr(loaded.model.config, "pad_token_id", None) or 0

    def pad(lists: Sequence[Sequence[int]], value: int) -> torch.Tensor:
        tensors = [torch.tensor(list(each), dtype=torch.long) for each in lists]
        return pad_sequence(tensors, batch_first=True, padding_value=value).to(loaded.model.device)

    mask = loaded.tokenizer.mask_token_id
    special = [
        [is_added or token == mask for is_added, token in zip(flags, row, strict=True)]
        for flags, row in zip(special, rows, strict=True)
    ]
    return TextInputs(
        tuple(shown_tokens(loaded.tokenizer, row) for row in rows),
        pad(rows, padding),
        pad([[1] * len(row) for row in rows], 0),
        pad([[int(each) for each in row] for row in special], 1).bool(),
        None if token_types is None else pad(token_types, 0),
        words,
    )
