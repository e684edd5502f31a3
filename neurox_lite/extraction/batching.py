"""Which sentences run through the model together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def windows(n_words: Sequence[int], max_words: int) -> Iterator[range]:
    """Cut sentences into runs of neighbours with at most ``max_words`` words (at least one).

    Within such a window sentences may be reordered; its activations are held in memory and
    written in order.
    """
    start, total = 0, 0
    for sentence, count in enumerate(n_words):
        if sentence > start and total + count > max_words:
            yield range(start, sentence)
            start, total = sentence, 0
        total += count
    yield range(start, len(n_words))


def batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Group sentences of similar length so that a padded batch has at most ``max_tokens`` tokens.

    A sentence longer than ``max_tokens`` is a batch of its own.

    Parameters
    ----------
    lengths : sequence of int
        Subwords per sentence.
    max_tokens : int
        Budget, padding included.

    Yields
    ------
    list of int
        Positions in ``lengths``, longest first.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batch: list[int] = []
    for position in order:
        if batch and lengths[batch[0]] * (len(batch) + 1) > max_tokens:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch
