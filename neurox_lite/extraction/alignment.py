"""Which subwords make up each word: aligned by character offsets, and checked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from neurox_lite.errors import InputError

SPACE_MARKS = ("\u2581", "\u0120")
# Characters that tokenizers' normalizers delete: control, format, private use, unassigned,
# surrogates, combining marks, spaces; and the replacement character, which BERT deletes.
DELETED_CATEGORIES = ("Cc", "Cf", "Co", "Cn", "Cs", "Mn", "Me", "Zs", "Zl", "Zp")


@dataclass(frozen=True)
class AlignedSentence:
    """A tokenised sentence and the subwords of each of its words.

    Attributes
    ----------
    input_ids : tuple of int
        Subword ids, special tokens included.
    subwords : tuple of tuples of int
        Positions in ``input_ids`` per word, ascending; empty for a word the tokenizer dropped.
    """

    input_ids: tuple[int, ...]
    subwords: tuple[tuple[int, ...], ...]


def align(
    words: Sequence[str],
    input_ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    where: str,
) -> AlignedSentence:
    """Assign every subword of ``" ".join(words)`` to the word whose characters it covers.

    Parameters
    ----------
    words : sequence of str
    input_ids : sequence of int
        Subword ids as the tokenizer gave them.
    offsets : sequence of (start, end)
        Character offsets per subword; equal for special tokens. A leading or trailing space
        inside an offset is ignored.
    where : str
        What an error message calls this sentence.

    Raises
    ------
    InputError
        When a subword lies in two words, or the subwords of a word miss one of its characters.
    """
    text = " ".join(words)
    word_at: list[int] = []
    for number, word in enumerate(words):
        word_at.extend([number] * len(word))
        word_at.append(-1)
    word_at = word_at[: len(text)]

    subwords: list[list[int]] = [[] for _ in words]
    covered = [False] * len(text)
    for position, (start, end) in enumerate(offsets):
        touched = {word_at[c] for c in range(start, end)} - {-1}
        if not touched:
            continue
        if len(touched) > 1:
            pieces = " and ".join(f"'{words[number]}'" for number in sorted(touched))
            raise InputError(
                f"{where}: subword '{text[start:end]}' lies in {pieces}; this tokenizer merges "
                "words, so they have no activations of their own: use another model"
            )
        subwords[touched.pop()].append(position)
        covered[start:end] = [True] * (end - start)

    for character, is_covered, number in zip(text, covered, word_at, strict=True):
        if not is_covered and number >= 0 and subwords[number] and not _is_deletable(character):
            raise InputError(
                f"{where}: the subwords of '{words[number]}' miss its character '{character}'; "
                "the tokenizer's offsets are wrong: use another model"
            )
    return AlignedSentence(tuple(input_ids), tuple(tuple(s) for s in subwords))


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


def _is_deletable(character: str) -> bool:
    return unicodedata.category(character) in DELETED_CATEGORIES or character == "\ufffd"
