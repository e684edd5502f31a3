"""Sentences as a model's tokenizer sees them, with the subwords of every word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import (
    SPACE_MARKS,
    AlignedSentence,
    align,
    align_pieces,
    without_space_marks,
)

MAX_PIECES = 100_000
"""Distinct words whose subwords are remembered."""

PROBE = "a 1 ."
"""Text that every tokenizer reads as something, whatever it does with a sentence of odd words."""


class SentenceTokenizer:
    """Tokenises and aligns sentences.

    A word that spells a special token, such as ``[SEP]``, is read as text wherever the tokenizer
    can (Unigram cannot: its special tokens are pieces like any other).

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        A fast one is aligned by its character offsets; one without offsets word by word.
    target : bool
        Use the target side of a translation model's tokenizer.
    """

    def __init__(self, tokenizer: Any, target: bool = False):
        self.tokenizer = tokenizer
        self.text = "text_target" if target else "text"
        self._pieces: dict[str, tuple[int, ...]] = {}

    def __call__(
        self, sentences: Sequence[Sequence[str]], where: Sequence[str]
    ) -> list[AlignedSentence]:
        """Align sentences; ``where`` is what error messages call each.

        Raises
        ------
        InputError
            When a sentence cannot be aligned.
        """
        if self.tokenizer.is_fast:
            return self._by_offsets(sentences, where)
        return [
            self._word_by_word(words, place) for words, place in zip(sentences, where, strict=True)
        ]

    def _encode(self, text: str | list[str], **options: Any) -> Any:
        return self.tokenizer(
            **{self.text: text},
            truncation=False,
            padding=False,
            return_attention_mask=False,
            verbose=False,
            split_special_tokens=True,
            **options,
        )

    def _by_offsets(
        self, sentences: Sequence[Sequence[str]], where: Sequence[str]
    ) -> list[AlignedSentence]:
        texts = [" ".join(words) for words in sentences]
        encoding = self._encode(texts, return_offsets_mapping=True, return_special_tokens_mask=True)
        token_types = encoding.get("token_type_ids", [()] * len(texts))
        aligned = []
        for i, (words, text) in enumerate(zip(sentences, texts, strict=True)):
            ids, special = encoding["input_ids"][i], encoding["special_tokens_mask"][i]
            offsets = [
                (0, 0) if added else span
                for added, span in zip(special, encoding["offset_mapping"][i], strict=True)
            ]
            if self._has_space_marks:
                subwords = self.tokenizer.convert_ids_to_tokens(ids)
                offsets = without_space_marks(text, subwords, offsets)
            n_before = special.index(0) if 0 in special else self._n_before
            n_after = special[::-1].index(0) if 0 in special else len(ids) - n_before
            found = align(words, offsets, where[i])
            self._check_dropped(words, found, where[i])
            aligned.append(
                AlignedSentence(tuple(ids), found, n_before, n_after, tuple(token_types[i]))
            )
        return aligned

    def _check_dropped(
        self, words: Sequence[str], found: Sequence[tuple[int, ...]], where: str
    ) -> None:
        """A word without subwords is dropped, not missed by offsets that are wrong."""
        for word, positions in zip(words, found, strict=True):
            if not positions:
                alone = self.tokenizer.convert_ids_to_tokens(self._alone(word))
                if not set(alone) <= set(SPACE_MARKS):
                    raise InputError(
                        f"{where}: no subword covers '{word}', which the tokenizer reads when "
                        "alone; its offsets are wrong: use another model"
                    )

    def _word_by_word(self, words: Sequence[str], where: str) -> AlignedSentence:
        text = " ".join(words)
        encoding = self._encode(text)
        ids = encoding["input_ids"]
        bare = self._encode(text, add_special_tokens=False)["input_ids"]
        n_before = _position(bare, ids) if bare else self._n_before
        if n_before is None:
            raise InputError(
                f"{where}: its tokenizer gives no character offsets and puts special tokens "
                "between words; use a model with a fast tokenizer (tokenizer.json)"
            )
        # The first word has no space before it.
        pieces = [self._alone(words[0]), *(self._alone(" " + word) for word in words[1:])]
        found = align_pieces(words, pieces, bare, where)
        subwords = [
            tuple(
                p + n_before
                for p in positions
                if not self._is_mark(bare[p], word, number > 0 and p == positions[0])
            )
            for number, (word, positions) in enumerate(zip(words, found, strict=True))
        ]
        return AlignedSentence(
            tuple(ids),
            tuple(subwords),
            n_before,
            len(ids) - len(bare) - n_before,
            tuple(encoding.get("token_type_ids", ())),
        )

    def _alone(self, word: str) -> tuple[int, ...]:
        if word not in self._pieces:
            if len(self._pieces) == MAX_PIECES:
                self._pieces.clear()
            self._pieces[word] = tuple(self._encode(word, add_special_tokens=False)["input_ids"])
        return self._pieces[word]

    @cached_property
    def _has_space_marks(self) -> bool:
        ids = self.tokenizer.convert_tokens_to_ids(list(SPACE_MARKS))
        unknown = (None, self.tokenizer.unk_token_id)
        return any(i not in unknown for i in ids)

    @cached_property
    def _n_before(self) -> int:
        """Number of special tokens before a sentence, for one without any subword that tells."""
        ids = self._encode(PROBE)["input_ids"]
        return _position(self._encode(PROBE, add_special_tokens=False)["input_ids"], ids) or 0

    def _is_mark(self, subword: int, word: str, follows_a_space: bool) -> bool:
        """Whether a subword is only the space before a word, as in :func:`without_space_marks`."""
        token = self.tokenizer.convert_ids_to_tokens(subword)
        if token not in SPACE_MARKS:
            return False
        return token not in word or (
            follows_a_space and len(self._alone(" " + word)) > len(self._alone(word))
        )


def _position(part: Sequence[int], whole: Sequence[int]) -> int | None:
    """Where a run of numbers first stands in another; None when it does not."""
    starts = range(len(whole) - len(part) + 1)
    return next((i for i in starts if list(whole[i : i + len(part)]) == list(part)), None)
