"""Time and peak memory of a stage."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Cost:
    """What a stage took: wall-clock seconds and peak resident memory of the process in bytes."""

    seconds: float = 0.0
    peak_memory: int | None = None


@contextlib.contextmanager
def measure() -> Iterator[Cost]:
    """Measure a block; peak memory is None where the system is not Linux."""
    cost = Cost()
    # Writing 5 resets the peak that /proc/self/status reports (man 5 proc).
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    start = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - start
        cost.peak_memory = _peak_memory()


def _peak_memory() -> int | None:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) * 1024
