"""Class balance by resampling: as many training words of every class, as NeuroX has it."""

from __future__ import annotations

import numpy as np

from neurox_lite.errors import InputError

BALANCES = ("under", "over")


def check_balance(balance: str | None) -> None:
    """Raise InputError unless ``balance`` is None or one of ``BALANCES``."""
    if balance is not None and balance not in BALANCES:
        raise InputError(f"balance is '{balance}'; give {' or '.join(BALANCES)}")


def balance_classes(labels: np.ndarray, balance: str, seed: int = 0) -> np.ndarray:
    """Positions of words such that every class has equally many.

    Parameters
    ----------
    labels : (n_words,) array
    balance : {"under", "over"}
        ``"under"`` draws from every class, without replacement, as many words as the rarest has;
        ``"over"`` keeps all words and repeats words of every class, each equally often but for one,
        until it has as many as the most frequent.
    seed : int

    Returns
    -------
    (n_balanced,) int array
        Ascending; with repeats where ``balance`` is ``"over"``.

    Raises
    ------
    InputError
        When ``balance`` is something else.
    """
    check_balance(balance)
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(labels, return_counts=True)
    size = counts.min() if balance == "under" else counts.max()
    chosen = []
    for label, count in zip(classes, counts, strict=True):
        positions = np.flatnonzero(labels == label)
        whole, rest = divmod(int(size), int(count))
        chosen.append(np.repeat(positions, whole))
        chosen.append(rng.choice(positions, rest, replace=False))
    return np.sort(np.concatenate(chosen))
