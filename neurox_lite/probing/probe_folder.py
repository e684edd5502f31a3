"""The folder that a probe is written into, beside what was found out about it."""

from __future__ import annotations

from pathlib import Path

PROBE, INDEX = "probe.json", "one_vs_rest.json"
FILES = (
    PROBE,
    "probe.safetensors",
    "evaluation.json",
    "control.json",
    "search.json",
    "search.png",
    INDEX,
)
NUMBERED = "[0-9][0-9][0-9]"
"""Folders of the probes of one label against the rest."""


def clear_probe_folder(folder: str | Path) -> None:
    """Remove what earlier fits wrote, so that nothing of another probe stays beside a new one."""
    folder = Path(folder)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    for numbered in folder.glob(NUMBERED):
        for name in FILES:
            (numbered / name).unlink(missing_ok=True)
