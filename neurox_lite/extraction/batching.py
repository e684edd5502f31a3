"""Which sentences run through the model together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SIMILAR = 0.8
"""A sentence shorter than this share of the longest starts another batch."""

FULL_ENOUGH = 0.25
"""Unless the batch has less than this share of the tokens it may have."""


def split_into_shards(n_words: Sequence[int], max_words: int) -> Iterator[range]:
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

    A sentence longer than ``max_tokens`` is a batch of its own. Batches that are full enough to
    compute at speed end where sentences get much shorter, which saves padding.

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
        if batch:
            longest, n_tokens = lengths[batch[0]], lengths[batch[0]] * len(batch)
            is_full = n_tokens + longest > max_tokens
            is_shorter = lengths[position] < SIMILAR * longest
            if is_full or (is_shorter and n_tokens >= FULL_ENOUGH * max_tokens):
                yield batch
                batch = []
        batch.append(position)
    if batch:
        yield batch
