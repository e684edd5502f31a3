"""Which subwords make up each word: proved from character offsets, or word by word."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from neurox_lite.corpora.sentence_text import SentenceText, join_words
from neurox_lite.errors import InputError

SPACE_MARKS = ("\u2581", "\u0120", " ")
# Characters that tokenizers' normalizers delete: control, format, private use, unassigned,
# surrogates, combining marks, spaces; the replacement character, which BERT deletes; and the space
# mark, which SentencePiece takes for a space.
DELETED_CATEGORIES = ("Cc", "Cf", "Co", "Cn", "Cs", "Mn", "Mc", "Me", "Zs", "Zl", "Zp")
DELETED_CHARACTERS = ("\ufffd", "\u2581")
# Quotes in the manner of the Penn Treebank, of which ALBERT and XLNet make one character.
QUOTES = ("``", "''")


@dataclass(frozen=True)
class AlignedSentence:
    """A tokenised sentence and the subwords of each of its words.

    Attributes
    ----------
    input_ids : tuple of int
        Subword ids, special tokens included.
    subwords : tuple of tuples of int
        Positions in ``input_ids`` per word, ascending; empty for a word the tokenizer dropped.
    n_before, n_after : int
        Number of special tokens that the tokenizer put before and after the words.
    token_types : tuple of int
        Segment ids, where the tokenizer gives them.
    n_unknown, n_split : int
        How many of its words hold the tokenizer's unknown token, or are several subwords.
    """

    input_ids: tuple[int, ...]
    subwords: tuple[tuple[int, ...], ...]
    n_before: int = 0
    n_after: int = 0
    token_types: tuple[int, ...] = ()
    n_unknown: int = 0
    n_split: int = 0

    @property
    def n_shared(self) -> int:
        """How many of its words share a subword with another."""
        words_of: Counter[int] = Counter(p for positions in self.subwords for p in set(positions))
        return sum(any(words_of[p] > 1 for p in positions) for positions in self.subwords)


def align(
    words: Sequence[str], offsets: Sequence[tuple[int, int]], where: str
) -> tuple[tuple[int, ...], ...]:
    """Assign every subword of ``" ".join(words)`` to the word whose characters it covers.

    Parameters
    ----------
    words : sequence of str
    offsets : sequence of (start, end)
        Character offsets per subword; equal for special tokens. A leading or trailing space
        inside an offset is ignored.
    where : str
        What an error message calls this sentence.

    Returns
    -------
    tuple of tuples of int
        Positions in ``offsets`` per word.

    Raises
    ------
    InputError
        When a subword lies in two words, or the subwords of a word miss one of its characters.
    """
    # Characters are counted in one pass over words and subwords, both in ascending order; a
    # subword that starts before its predecessor (never seen) begins the search anew.
    starts, ends = zip(*join_words(words).spans, strict=True)
    subwords: list[list[int]] = [[] for _ in words]
    covered: list[list[tuple[int, int]]] = [[] for _ in words]
    number = 0
    for subword, (start, end) in enumerate(offsets):
        if start >= end:
            continue
        while number and start < starts[number]:
            number -= 1
        while number < len(words) - 1 and start >= ends[number]:
            number += 1
        if end <= starts[number] or start >= ends[number]:
            continue  # only the space between words
        if number + 1 < len(words) and end > starts[number + 1]:
            text = " ".join(words)
            raise InputError(
                f"{where}: subword '{text[start:end]}' spans '{words[number]}' and "
                f"'{words[number + 1]}'; this tokenizer merges words, so they have no activations "
                "of their own: use another model"
            )
        subwords[number].append(subword)
        covered[number].append((start, end))

    for number, spans in enumerate(covered):
        if spans and spans != [(starts[number], ends[number])]:
            _check_covered(words[number], starts[number], spans, where)
    return tuple(map(tuple, subwords))


def align_in_text(
    words: SentenceText, offsets: Sequence[tuple[int, int]], where: str
) -> tuple[tuple[int, ...], ...]:
    """Assign every subword of a text to the words it covers characters of, which may be several.

    As :func:`align`, of a text and where its words are in it: ascending, but that several may be in
    one place. Raises InputError when the subwords of a word miss one of its characters.
    """
    found = subwords_in(words, offsets)
    for (start, end), subwords in zip(words.spans, found, strict=True):
        spans = [offsets[subword] for subword in subwords]
        if spans and spans != [(start, end)]:
            _check_covered(words.text[start:end], start, spans, where)
    return found


def subwords_in(
    words: SentenceText, offsets: Sequence[tuple[int, int]]
) -> tuple[tuple[int, ...], ...]:
    """The subwords that cover a character of each word of a text."""
    found, first = [], 0
    for start, end in words.spans:
        while first < len(offsets) and offsets[first][1] <= start:
            first += 1
        subword, subwords = first, []
        while subword < len(offsets) and offsets[subword][0] < end:
            if max(start, offsets[subword][0]) < min(end, offsets[subword][1]):
                subwords.append(subword)
            subword += 1
        found.append(tuple(subwords))
    return tuple(found)


def _check_covered(word: str, first: int, spans: list[tuple[int, int]], where: str) -> None:
    position = first
    for start, end in sorted(spans):
        for missed in range(position, start):
            _check_deletable(word, missed - first, where)
        position = max(position, end)
    for missed in range(position, first + len(word)):
        _check_deletable(word, missed - first, where)


def _check_deletable(word: str, position: int, where: str) -> None:
    # Some characters, such as the acute accent by itself, are a space and a combining mark.
    parts = unicodedata.normalize("NFKD", word[position])
    if all(_is_deleted(part) for part in parts) or _is_composed(word, position):
        return
    if any(quotes in word[max(0, position - 1) : position + 2] for quotes in QUOTES):
        return
    raise InputError(
        f"{where}: the subwords of '{word}' miss its character '{word[position]}'; the "
        "tokenizer's offsets are wrong: use another model"
    )


def _is_deleted(character: str) -> bool:
    return unicodedata.category(character) in DELETED_CATEGORIES or character in DELETED_CHARACTERS


def _is_composed(word: str, position: int) -> bool:
    """Whether normalization makes one character of this one and those before it.

    Such as the parts of a Korean syllable; the offsets then are those of the first.
    """
    before, after = word[:position], word[: position + 1]
    return len(unicodedata.normalize("NFKC", after)) <= len(unicodedata.normalize("NFKC", before))


def without_space_marks(
    text: str, subwords: Sequence[str], offsets: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Empty the offsets of subwords that are only a space mark, of SentencePiece or byte-level BPE.

    The mark before the first word has no space of its own in ``text``, so the tokenizer gives it
    the first character; before every other word it covers only the space. It is part of neither.
    """
    return [
        (start, start) if subword in SPACE_MARKS and subword != text[start:end] else (start, end)
        for subword, (start, end) in zip(subwords, offsets, strict=True)
    ]


def align_pieces(
    words: Sequence[str], pieces: Sequence[Sequence[int]], bare: Sequence[int], where: str
) -> tuple[tuple[int, ...], ...]:
    """Align a sentence whose tokenizer gives no offsets, by comparing it with its words alone.

    Parameters
    ----------
    words : sequence of str
    pieces : sequence of sequences of int
        Subword ids of each word on its own.
    bare : sequence of int
        Subword ids of the sentence, without special tokens; the result is positions in them. It is
        an InputError when they are not those of its words one after another.
    where : str
    """
    position, found = 0, []
    for word, ids in zip(words, pieces, strict=True):
        if list(bare[position : position + len(ids)]) != list(ids):
            raise InputError(
                f"{where}: its tokenizer gives no character offsets, and it reads '{word}' "
                "differently alone and in the sentence; use a model with a fast tokenizer "
                "(tokenizer.json)"
            )
        found.append(tuple(range(position, position + len(ids))))
        position += len(ids)
    if position != len(bare):
        raise InputError(
            f"{where}: its tokenizer gives no character offsets, and it reads the sentence with "
            "subwords that no word has alone; use a model with a fast tokenizer (tokenizer.json)"
        )
    return tuple(found)
