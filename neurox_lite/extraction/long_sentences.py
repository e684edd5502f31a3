"""Sentences longer than the model takes: cut, or read through overlapping windows."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from neurox_lite.extraction.alignment import AlignedSentence


def truncate(sentence: AlignedSentence, limit: int | None) -> AlignedSentence:
    """Cut a sentence to ``limit`` subwords, keeping the special tokens at its end.

    A word that loses any subword loses all of them: half a word is not its activation.
    """
    if limit is None or len(sentence.input_ids) <= limit:
        return sentence
    return _span(sentence, sentence.n_before, limit - sentence.n_after)


def windows(sentence: AlignedSentence, size: int, stride: int | None) -> list[AlignedSentence]:
    """Cut a sentence into overlapping windows, every word in the one with most of its context.

    Parameters
    ----------
    sentence : AlignedSentence
    size : int
        Subwords per window, special tokens included.
    stride : int, optional
        Subwords from one window's start to the next; half of the words' part of a window by
        default. A word that the end of every window cuts gets a window of its own.

    Returns
    -------
    list of AlignedSentence
        Each with the special tokens around it and, in ``subwords``, only the words that are taken
        from it. Only a word longer than a window is in none.
    """
    length = len(sentence.input_ids)
    if length <= size:
        return [sentence]
    room = size - sentence.n_before - sentence.n_after
    first, last = sentence.n_before, length - sentence.n_after
    # The last window ends with the sentence, so that its words have as much context as can be.
    starts = [*range(first, last - room, stride or max(1, room // 2)), last - room]
    for word in sentence.subwords:
        if word and word[-1] - word[0] < room and _best_window(word, starts, room) is None:
            middle = (word[0] + word[-1] + 1 - room) // 2
            starts.append(min(max(first, middle), last - room))
            starts.sort()
    best = [_best_window(word, starts, room) for word in sentence.subwords]
    return [
        _span(
            sentence,
            start,
            start + room,
            keep=tuple(window == number for window in best),
        )
        for number, start in enumerate(starts)
    ]


def _best_window(word: tuple[int, ...], starts: list[int], room: int) -> int | None:
    """The window with most context on the word's poorer side, the first of equals."""
    if not word:
        return None

    def context(number: int) -> int:
        return min(word[0] - starts[number], starts[number] + room - 1 - word[-1])

    # It is one of the two around the window that has the word in its middle.
    after = bisect_right(starts, (word[0] + word[-1] + 1 - room) // 2)
    near = [number for number in (after - 1, after) if 0 <= number < len(starts)]
    best = max(near, key=context)
    return best if context(best) >= 0 else None


def _span(
    sentence: AlignedSentence, start: int, stop: int, keep: tuple[bool, ...] | None = None
) -> AlignedSentence:
    """The subwords from ``start`` to ``stop`` between the special tokens."""

    def cut(values: tuple[int, ...]) -> tuple[int, ...]:
        end = len(values) - sentence.n_after
        return values[: sentence.n_before] + values[start:stop] + values[end:]

    shift = sentence.n_before - start
    keep = keep or (True,) * len(sentence.subwords)
    subwords = tuple(
        tuple(p + shift for p in word) if kept and word and word[-1] < stop else ()
        for word, kept in zip(sentence.subwords, keep, strict=True)
    )
    token_types = cut(sentence.token_types) if sentence.token_types else ()
    ids = cut(sentence.input_ids)
    return replace(sentence, input_ids=ids, subwords=subwords, token_types=token_types)
