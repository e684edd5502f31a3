"""Time and peak memory of a piece of work, and giving memory back."""

from __future__ import annotations

import contextlib
import ctypes
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
    reset_peak_memory()
    start = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - start
        cost.peak_memory = peak_memory()


def reset_peak_memory() -> None:
    """Forget the peak so far: writing 5 resets what /proc/self/status reports (man 5 proc)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes; None where the system is not Linux."""
    return _status("VmHWM")


def _status(name: str) -> int | None:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines[name].split()[0]) * 1024


def resident_memory() -> int | None:
    """Resident memory of this process in bytes; None where the system is not Linux."""
    return _status("VmRSS")


def release_memory() -> None:
    """Return freed memory to the system.

    glibc keeps what was freed, in pieces that the next batch, of another shape, does not fit
    into: over many batches that adds up to hundreds of megabytes.
    """
    with contextlib.suppress(OSError, AttributeError):  # not Linux with glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
