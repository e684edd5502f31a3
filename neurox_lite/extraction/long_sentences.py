"""Sentences longer than the model takes: cut, or read through overlapping windows."""

from __future__ import annotations

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
        default.

    Returns
    -------
    list of AlignedSentence
        Each with the special tokens around it and, in ``subwords``, only the words that are taken
        from it. A word longer than a window is in none.
    """
    length = len(sentence.input_ids)
    if length <= size:
        return [sentence]
    room = size - sentence.n_before - sentence.n_after
    first, last = sentence.n_before, length - sentence.n_after
    starts = list(range(first, last - room, stride or max(1, room // 2)))
    # The last window ends with the sentence, so that its words have as much context as can be.
    starts.append(last - room)
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
    context = {
        number: min(word[0] - start, start + room - 1 - word[-1])
        for number, start in enumerate(starts)
        if word and start <= word[0] and word[-1] < start + room
    }
    return max(context, key=lambda number: (context[number], -number), default=None)


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
    return AlignedSentence(
        cut(sentence.input_ids),
        subwords,
        sentence.n_before,
        sentence.n_after,
        cut(sentence.token_types) if sentence.token_types else (),
    )
