"""What a run of a job did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class JobResult:
    """What a run did.

    Attributes
    ----------
    folder : Path
    ran, skipped : tuple of str
        Stages.
    converged : bool
        Whether all probes reached their tolerance.
    skipped_lines : tuple of str
        Bad lines of the corpus, whose sentences are left out.
    """

    folder: Path
    ran: tuple[str, ...]
    skipped: tuple[str, ...]
    converged: bool
    skipped_lines: tuple[str, ...] = ()
