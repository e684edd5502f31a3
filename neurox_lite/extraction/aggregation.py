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
    words = [(s, w) for s, w in zip(sentence_of_word, subwords, strict=True) if w]
    if aggregation in ("first", "last"):
        pick = 0 if aggregation == "first" else -1
        sentences = torch.tensor([s for s, _ in words], device=states.device)
        positions = torch.tensor([w[pick] for _, w in words], device=states.device)
        return states[sentences, positions]
    sentences = torch.tensor([s for s, w in words for _ in w], device=states.device)
    positions = torch.tensor([p for _, w in words for p in w], device=states.device)
    word = torch.tensor([i for i, (_, w) in enumerate(words) for _ in w], device=states.device)
    counts = torch.tensor([len(w) for _, w in words], device=states.device)
    total = torch.zeros(len(words), states.shape[-1], device=states.device)
    total.index_add_(0, word, states[sentences, positions].float())
    return total / counts[:, None]
