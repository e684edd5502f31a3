"""What a run of a job did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neurox_lite.results.html import as_html
from neurox_lite.showing import some, summary


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

    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {
            "ran": some(self.ran),
            "skipped": some(self.skipped) if self.skipped else None,
            "converged": self.converged,
        }
        left_out = [f"left out {line}" for line in self.skipped_lines]
        return summary(f"Results in {self.folder}", facts, left_out)
