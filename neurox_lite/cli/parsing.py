"""Values of options, read from their text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from neurox_lite.errors import InputError


def by_split(values: list[str] | None) -> Any:
    """``["a"]`` -> ``"a"``; ``["train=a", "dev=b"]`` -> a mapping; None -> None."""
    if not values:
        return None
    if len(values) == 1 and not values[0].startswith(("train=", "dev=", "test=")):
        return values[0]
    pairs = [value.partition("=") for value in values]
    if not all(separator and name in ("train", "dev", "test") for name, separator, _ in pairs):
        raise InputError(
            f"{' '.join(values)}: give one file, or train=FILE, dev=FILE and test=FILE"
        )
    files = {name: file for name, _, file in pairs}
    if len(files) < len(pairs):
        raise InputError(f"{' '.join(values)}: a split is given twice; give one file for each")
    return files


def one_or_several(text: str, option: str) -> tuple[str, list[str]]:
    """``"a"`` -> ``("a", [])``; ``"a,b"`` -> ``("", ["a", "b"])``.

    A file or folder of the whole name is one, whatever commas are in it.
    """
    names = [name.strip() for name in text.split(",")]
    if len(names) == 1 or (option == "--model" and _exists(text)):
        return text, []
    if "" in names:
        raise InputError(f"{option} '{text}': one is empty; give names separated by commas")
    return "", names


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # too long for a name
        return False


def layers_of(text: str | None) -> list[int] | None:
    """``"0-2,-1"`` -> ``[0, 1, 2, -1]``; None and ``"all"`` -> None."""
    if text is None or text.strip() == "all":
        return None
    layers: list[int] = []
    for part in text.split(","):
        between = re.fullmatch(r"\s*(\d+)-(\d+)\s*", part)
        try:
            first, last = map(int, between.groups()) if between else (int(part), int(part))
        except ValueError:
            raise InputError(
                f"--layers '{text}': give whole numbers separated by commas, such as 0,4,-1, a "
                "range such as 0-3, or all"
            ) from None
        if first > last:
            raise InputError(f"--layers '{text}': {part} goes down; give it as {last}-{first}")
        layers += range(first, last + 1)
    return layers


def integers(text: str | None) -> list[int] | None:
    """``"0,4,-1"`` -> ``[0, 4, -1]``."""
    try:
        return None if text is None else [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"'{text}': give whole numbers separated by commas, such as 0,4,-1"
        ) from None


def numbers(text: str) -> list[float]:
    """``"0.01,0.5"`` -> ``[0.01, 0.5]``."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"'{text}': give numbers separated by commas, such as 0.01,0.1,0.5"
        ) from None


def where_of(values: Any) -> dict[str, str | list[str]]:
    """``["upos=NOUN,PROPN"]`` -> ``{"upos": "NOUN,PROPN"}``."""
    pairs = [value.partition("=") for value in values]
    for value, (tag, separator, labels) in zip(values, pairs, strict=True):
        if not (separator and tag and labels):
            raise InputError(
                f"--where {value}: give TAG=LABEL, such as upos=NOUN or upos=NOUN,PROPN"
            )
    where: dict[str, str | list[str]] = {tag: labels for tag, _, labels in pairs}
    if len(where) < len(pairs):
        raise InputError(
            f"--where {' '.join(values)}: a tag is given twice; separate its labels by commas"
        )
    return where


def share_of(text: str) -> tuple[int, int]:
    """``"1/4"`` -> ``(1, 4)``."""
    number, _, n_shares = text.partition("/")
    if not (number.isdigit() and n_shares.isdigit()):
        raise InputError(f"--shard {text}: give the share and their number, such as 1/4")
    return int(number), int(n_shares)


def position(text: str) -> str | int:
    """``all``, ``last`` or the number of a word."""
    try:
        return int(text)
    except ValueError:
        return text
