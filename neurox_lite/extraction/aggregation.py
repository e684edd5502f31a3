"""From subword vectors to one vector per word."""

from __future__ import annotations

from collections.abc import Sequence

import torch

AGGREGATIONS = ("last", "first", "average")


def aggregate(
    states: torch.Tensor,
    sentence_of_word: Sequence[int],
    subwords: Sequence[Sequence[int]],
    aggregation: str,
) -> torch.Tensor:
    """One vector per word that has subwords.

    Parameters
    ----------
    states : (n_sentences, n_subwords, width) tensor
    sentence_of_word : sequence of int
        Which sentence each word belongs to.
    subwords : sequence of sequences of int
        Positions of each word's subwords; words without any are passed over.
    aggregation : {"last", "first", "average"}

    Returns
    -------
    (n_words_with_subwords, width) tensor
    """

    def index(values: list[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=states.device)

    words = [(s, w) for s, w in zip(sentence_of_word, subwords, strict=True) if w]
    if aggregation in ("first", "last"):
        pick = 0 if aggregation == "first" else -1
        return states[index([s for s, _ in words]), index([w[pick] for _, w in words])]
    subword_states = states[
        index([s for s, w in words for _ in w]), index([p for _, w in words for p in w])
    ]
    word = index([i for i, (_, w) in enumerate(words) for _ in w])
    total = torch.zeros(len(words), states.shape[-1], device=states.device)
    total.index_add_(0, word, subword_states.float())
    return total / index([len(w) for _, w in words])[:, None]
