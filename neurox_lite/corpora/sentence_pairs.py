"""Minimal pairs of two sentences, as those of BLiMP: what differs, and what is around it."""

from __future__ import annotations

import re

FINAL = re.compile(r"(?<=\w)[.?!]+$")


def differing_words(
    good: str, bad: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Words before the difference, the different words of either sentence, and the words after it.

    Both differences have at least one word: where one sentence has only words more than the other,
    a word they share is taken in. The full stop, question or exclamation mark of both sentences is
    a word of its own when their last words differ. Raises ValueError when the sentences do not
    differ, or one is empty.
    """
    first, second = good.split(), bad.split()
    if first == second:
        raise ValueError("the sentences are equal")
    if not first or not second:
        raise ValueError("a sentence is empty")
    ends = [FINAL.search(words[-1]) for words in (first, second)]
    if first[-1] != second[-1] and ends[0] and ends[1] and ends[0][0] == ends[1][0]:
        for words, end in ((first, ends[0]), (second, ends[1])):
            words[-1:] = [words[-1][: end.start()], end[0]]
    shorter = min(len(first), len(second))
    before = next((i for i in range(shorter) if first[i] != second[i]), shorter)
    most = shorter - before
    after = next((i for i in range(most) if first[-1 - i] != second[-1 - i]), most)
    if before + after == shorter:  # nothing of one sentence is left
        if after:
            after -= 1
        else:
            before -= 1
    return (
        tuple(first[:before]),
        tuple(first[before : len(first) - after]),
        tuple(second[before : len(second) - after]),
        tuple(first[len(first) - after :]),
    )
