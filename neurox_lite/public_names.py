"""What models and files are called in what is published: their names, not where they lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def public_name(name: str | Path) -> str:
    """What to call a model or file in what is published: its name, not where it lies.

    Of a folder or file its last part, of a snapshot in the cache of the hub its name there.
    """
    path = Path(name)
    is_place = str(name).startswith(("./", "../"))  # which may be gone, or of another folder
    if not (path.is_absolute() or is_place or path.exists()):
        return str(name)
    path = _absolute(path)
    if path.parent.name == "snapshots" and path.parents[1].name.startswith("models--"):
        return path.parents[1].name.removeprefix("models--").replace("--", "/")
    return path.name


def without_split(file: str) -> str:
    """``train=a`` -> ``a``."""
    split, _, path = file.partition("=")
    return path if split in ("train", "dev", "test") else file


def public_sources(source: str) -> str:
    """The files of a corpus, as its ``source`` has them, by their names."""
    return ", ".join(map(public_name, source.split(" + ")))


def public_names(paths: Sequence[str | Path]) -> list[str]:
    """Names of several files, with as many of their folders as tell them apart."""
    parts = [_absolute(Path(path)).parts[1:] for path in paths]
    for n_parts in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-n_parts:]) for part in parts]
        if len(set(names)) == len(set(parts)):
            break
    return names


def _absolute(path: Path) -> Path:
    """Without "..", and with symbolic links as they are called."""
    return Path(os.path.normpath(path.absolute()))
