"""Drawing sentences to train, dev and test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from neurox_lite.arguments import numbers
from neurox_lite.errors import InputError
from neurox_lite.seeds import validate_seed

SPLITS = ("train", "dev", "test")
SHARES = (0.8, 0.1, 0.1)


def draw_splits(
    items: Iterable[str], seed: int, shares: Sequence[float] = SHARES
) -> dict[str, str]:
    """Draw every distinct string to a split; their order and number do not matter."""
    distinct = sorted(set(items))
    order = np.random.default_rng(seed).permutation(len(distinct))
    ends = np.round(np.cumsum(shares) * len(distinct)).astype(int)
    return {
        distinct[index]: SPLITS[int(np.searchsorted(ends, position, side="right"))]
        for position, index in enumerate(order)
    }


def split_at_random(
    sentences: Sequence[Sequence[str]], seed: int, shares: Sequence[float], source: str
) -> tuple[str, ...]:
    """A split for every sentence; equal sentences have the same.

    Raises InputError when the shares do not add up to 1 or a split would be empty.
    """
    seed, found = validate_seed(seed), numbers(shares, "shares")
    if len(found) != 3 or not min(found) >= 0 or not np.isclose(sum(found), 1):
        raise InputError(
            f"{source}: the shares {found} do not add up to 1; "
            "give those of train, dev and test, such as (0.8, 0.1, 0.1)"
        )
    # By their words, so that the split is the same however the text is read.
    texts = [" ".join(words) for words in sentences]
    split_of = draw_splits(texts, seed, found)
    splits = tuple(split_of[text] for text in texts)
    if any(share and name not in splits for name, share in zip(SPLITS, found, strict=True)):
        raise InputError(
            f"{source}: {len(split_of)} distinct sentences are too few to split into "
            "train, dev and test; give more sentences or separate files"
        )
    return splits


def take_dev_from_train(
    sentences: Sequence[Sequence[str]], splits: Sequence[str], seed: int, source: str
) -> tuple[str, ...]:
    """The same splits with a tenth of the train sentences as dev; equal ones stay together.

    Raises InputError when train is too small.
    """
    seed = validate_seed(seed)
    texts = [" ".join(words) for words in sentences]
    in_train = [text for text, split in zip(texts, splits, strict=True) if split == "train"]
    drawn = draw_splits(in_train, seed, (0.9, 0.1, 0.0))
    if "dev" not in drawn.values() or "train" not in drawn.values():
        raise InputError(f"{source}: train is too small to take dev from it; give dev=FILE")
    return tuple(
        drawn[text] if split == "train" else split
        for text, split in zip(texts, splits, strict=True)
    )
