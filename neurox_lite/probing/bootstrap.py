"""Options of resampling sentences, checked."""

from __future__ import annotations

from neurox_lite.errors import InputError
from neurox_lite.intervals import check_level


def check_resampling(n_resamples: int, level: float) -> None:
    """Raise InputError unless there is a resample and the level is a probability."""
    if n_resamples < 1:
        raise InputError(f"n_resamples is {n_resamples}; give at least 1")
    check_level(level)
