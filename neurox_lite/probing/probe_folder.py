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


def clear_probe_folder(folder: str | Path) -> None:
    """Remove what earlier fits wrote, so that nothing of another probe stays beside a new one."""
    folder = Path(folder)
    written = [folder]
    if (folder / INDEX).is_file():
        written += [path for path in folder.iterdir() if path.name.isdecimal()]
    for path in written:
        for name in FILES:
            (path / name).unlink(missing_ok=True)
