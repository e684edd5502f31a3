"""How probable a causal language model finds whole sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_inputs import reads_both_sides
from neurox_lite.interventions.pair_tokens import check_vocabulary
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.loading import LoadedModel


def sentence_log_odds(loaded: LoadedModel, pairs: Sequence[MinimalPair]) -> np.ndarray:
    """``log p(right sentence) - log p(wrong sentence)``, in nats, (n_pairs,) float64.

    The probability of a sentence is that of its tokens one after another; where the model has a
    token that begins a text, the first is counted too.
    """
    if reads_both_sides(loaded):
        raise InputError(
            f"{loaded.name}: a masked model gives no probability to whole sentences; give a causal "
            "model, or unit='word'"
        )
    texts = [text for pair in pairs for text in pair.both_sentences()]
    rows = [torch.tensor(_tokens(loaded, text)) for text in texts]
    begins = loaded.tokenizer.bos_token_id
    if begins is not None and loaded.n_embeddings is not None and begins >= loaded.n_embeddings:
        begins = None
    for right, wrong, text in zip(rows[::2], rows[1::2], texts[::2], strict=True):
        if begins is None and right[0] != wrong[0]:
            raise InputError(
                f"'{text}': differs from the other sentence in its first token, which "
                f"{loaded.name} predicts from nothing, having no token that begins a text; leave "
                "the pair out"
            )
    if begins is not None:
        rows = [
            row if row[0] == begins else torch.cat([torch.tensor([begins]), row]) for row in rows
        ]
    for row, text in zip(rows, texts, strict=True):
        if loaded.max_tokens is not None and len(row) > loaded.max_tokens:
            raise InputError(
                f"'{text}': {len(row)} tokens, but {loaded.name} reads {loaded.max_tokens}; "
                "shorten it"
            )
    scores = _log_probabilities(loaded, rows)
    return scores[::2] - scores[1::2]


def _tokens(loaded: LoadedModel, text: str) -> list[int]:
    """Tokens of a sentence, less what ends a text."""
    encoded = loaded.tokenizer(text, return_special_tokens_mask=True)
    ids, special = list(encoded["input_ids"]), encoded["special_tokens_mask"]
    while len(ids) > 1 and special[len(ids) - 1]:
        ids.pop()
    if not ids:
        raise InputError(f"'{text}': no tokens; leave the pair out")
    check_vocabulary(loaded, f"'{text}'", ids)
    if loaded.tokenizer.unk_token_id in [i for i, s in zip(ids, special, strict=False) if not s]:
        raise InputError(f"'{text}': {loaded.name} does not know a word of it; leave the pair out")
    return ids


def _log_probabilities(loaded: LoadedModel, rows: Sequence[torch.Tensor]) -> np.ndarray:
    device = loaded.model.device
    ids = pad_sequence(list(rows), batch_first=True).to(device)
    mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device)
    runner = InterventionRunner(loaded, ids, mask)
    scores = torch.empty(len(rows), dtype=torch.float64)
    for batch in runner.batches():
        logits = runner.intact_logits(batch)  # of as many tokens as the longest of them has
        read, is_token = (each[batch][:, 1 : logits.shape[1]] for each in (ids, mask))
        logits = logits[:, :-1]
        chosen = logits.gather(2, read[:, :, None])[:, :, 0]
        each = (chosen - logits.logsumexp(2)).double() * is_token
        scores[batch.cpu()] = each.sum(dim=1).cpu()
    return scores.numpy()
