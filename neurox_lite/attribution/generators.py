"""Random numbers of a text that depend on its tokens and a seed, and on no other text."""

from __future__ import annotations

from hashlib import sha256

import torch

from neurox_lite.interventions.text_inputs import TextInputs


def generators(inputs: TextInputs, rows: torch.Tensor, seed: int) -> list[torch.Generator]:
    """One for each of some texts; texts of the same tokens have the same numbers."""
    found = []
    for row in rows.tolist():
        ids = inputs.input_ids[row, : len(inputs.tokens[row])].tolist()
        digest = sha256(repr((seed, ids)).encode()).digest()
        found.append(torch.Generator().manual_seed(int.from_bytes(digest[:8])))
    return found
