"""What `compare` says of masks: the neurons they share, and what chance would give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def is_mask(path: str) -> bool:
    """Whether it is a folder from `mask`."""
    return (Path(path) / "mask.json").is_file()


def compare_masks(
    paths: Sequence[str], out: str, table_format: str | None = None
) -> dict[str, Any]:
    """Write ``overlaps.json``, and a table if one is asked for; returns what is shown."""
    from dataclasses import replace

    from neurox_lite.errors import InputError
    from neurox_lite.figures import save_result
    from neurox_lite.masking.mask_overlaps import MaskOverlaps
    from neurox_lite.public_names import public_names
    from neurox_lite.results.neuron_mask import NeuronMask

    if len({Path(path).resolve() for path in paths}) < len(paths):
        raise InputError(f"{' '.join(paths)}: a mask is given twice; give each once")
    # All of them may be by one method; their folders tell them apart.
    masks = zip(paths, public_names(paths), strict=True)
    found = MaskOverlaps.of([replace(NeuronMask.load(path), method=name) for path, name in masks])
    save_result(found, Path(out) / "overlaps.json", table_format=table_format)
    rows = {
        f"{overlap.first} and {overlap.second}": {
            "both": len(overlap.both),
            "by chance": overlap.expected,
            "p of so many": overlap.p_at_least,
            "p of so few": overlap.p_at_most,
            "only the first": len(overlap.only_first),
            "only the second": len(overlap.only_second),
        }
        for overlap in found.overlaps
    }
    chance = "independent sets; masks of the same pairs share more, whatever they find"
    shown = {"overlaps": out, "neurons": found.n_neurons, "sizes": found.sizes}
    return {**shown, **rows, "chance is of": chance}
