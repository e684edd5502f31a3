"""Sentences as a model's tokenizer sees them, with the subwords of every word."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

from neurox_lite.corpora.sentence_text import SentenceText
from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import (
    SPACE_MARKS,
    AlignedSentence,
    align,
    align_in_text,
    align_pieces,
    subwords_in,
    without_space_marks,
)
from neurox_lite.models.vocabulary import holds_unknown, unknown_tokens

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
        self,
        sentences: Sequence[Sequence[str]],
        where: Sequence[str],
        counted: Sequence[Sequence[str]] | None = None,
        texts: Sequence[SentenceText] = (),
    ) -> list[AlignedSentence]:
        """Align sentences.

        Parameters
        ----------
        sentences : sequence of sequences of str
        where : sequence of str
            What error messages call each.
        counted : sequence of sequences of str, optional
            The words of each sentence, which are counted as unknown or split, where ``sentences``
            has each as one word.
        texts : sequence of SentenceText, optional
            Each as it was written, with the places of the words that are counted; by default words
            are joined by single spaces.

        Raises
        ------
        InputError
            When a sentence cannot be aligned.
        """
        counted = sentences if counted is None else counted
        if self.tokenizer.is_fast:
            return self._by_offsets(sentences, where, counted, texts)
        if texts:
            raise InputError(
                f"{where[0]}: its tokenizer gives no character offsets, which reading text='raw' "
                "needs; use a model with a fast tokenizer (tokenizer.json), or join words by spaces"
            )
        return [self._word_by_word(*each) for each in zip(sentences, where, counted, strict=True)]

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
        self,
        sentences: Sequence[Sequence[str]],
        where: Sequence[str],
        counted: Sequence[Sequence[str]],
        written: Sequence[SentenceText] = (),
    ) -> list[AlignedSentence]:
        texts = [each.text for each in written] or [" ".join(words) for words in sentences]
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
            try:
                if written and counted[i] is words:
                    found = align_in_text(written[i], offsets, where[i])
                else:
                    found = align(words, offsets, where[i])
                self._check_dropped(words, found, where[i])
            except InputError as error:
                raise InputError(f"{error}{self._added_token(ids)}") from None
            if counted[i] is words:
                read = [[ids[p] for p in positions] for positions in found]
            elif written:
                read = [[ids[p] for p in each] for each in subwords_in(written[i], offsets)]
            else:
                read = _tokens_between_spaces(text, counted[i], ids, offsets)
            aligned.append(
                AlignedSentence(
                    tuple(ids),
                    found,
                    n_before,
                    n_after,
                    tuple(token_types[i]),
                    *self._unknown_and_split(counted[i], read),
                )
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

    def _added_token(self, ids: Sequence[int]) -> str:
        """What to change where a sentence has a token that was added to the vocabulary.

        With add_prefix_space, the offsets after such a token are wrong by one, unless a space
        stands there.
        """
        added = getattr(self.tokenizer, "added_tokens_decoder", {})
        token = next((added[i] for i in ids if i in added and not added[i].special), None)
        if token is None:
            return ""
        if " " in token.content.strip():
            return f", or remove its added token '{token.content}', which has a space"
        settings = ("single_word", "lstrip", "rstrip", "normalized")
        told = ", ".join(f"{name}={getattr(token, name)}" for name in settings)
        return (
            f", or change its added token '{token.content}' ({told}): where the tokenizer has "
            "add_prefix_space, it needs single_word=True and rstrip=False in tokenizer.json"
        )

    def _unknown_and_split(
        self, words: Sequence[str], read: Sequence[Sequence[int]]
    ) -> tuple[int, int]:
        """How many words hold the unknown token, and how many are several tokens."""
        n_unknown = sum(
            holds_unknown(word, ids, self._unknown) for word, ids in zip(words, read, strict=True)
        )
        return n_unknown, sum(len(ids) > 1 for ids in read)

    @cached_property
    def _unknown(self) -> dict[int, str]:
        return unknown_tokens(self.tokenizer)

    def _word_by_word(
        self, words: Sequence[str], where: str, counted: Sequence[str]
    ) -> AlignedSentence:
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
        if counted is words:
            read = [[ids[p] for p in positions] for positions in subwords]
        else:
            read = [
                [i for i in self._alone(" " + word) if not self._is_mark(i, word, True)]
                for word in counted
            ]
        return AlignedSentence(
            tuple(ids),
            tuple(subwords),
            n_before,
            len(ids) - len(bare) - n_before,
            tuple(encoding.get("token_type_ids", ())),
            *self._unknown_and_split(counted, read),
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


def _tokens_between_spaces(
    text: str, words: Sequence[str], ids: Sequence[int], offsets: Sequence[tuple[int, int]]
) -> list[list[int]]:
    """The tokens that begin in each word of a text, also where some lie in several."""
    ends = list(accumulate(len(word) + 1 for word in words))
    read: list[list[int]] = [[] for _ in words]
    for token, (first, last) in zip(ids, offsets, strict=True):
        place = first + len(text[first:last]) - len(text[first:last].lstrip(" "))
        if place < last:
            read[bisect_right(ends, place)].append(token)
    return read


def _position(part: Sequence[int], whole: Sequence[int]) -> int | None:
    """Where a run of numbers first stands in another; None when it does not."""
    starts = range(len(whole) - len(part) + 1)
    return next((i for i in starts if list(whole[i : i + len(part)]) == list(part)), None)
