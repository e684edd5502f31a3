"""Minimal pairs: two words of which only one may follow a prefix, and files of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurox_lite.corpora.text_files import open_text
from neurox_lite.errors import InputError
from neurox_lite.files import write_text

HEADER = ["prefix", "right", "wrong", "suffix", "template", "condition"]


@dataclass(frozen=True)
class MinimalPair:
    """A prefix, the word that may follow it, and one that may not.

    Parameters
    ----------
    prefix : tuple of str
        The words before; a model reads them joined by single spaces.
    right, wrong : str
        A model is right when ``right`` is more probable than ``wrong`` after the prefix.
    suffix : tuple of str
        The words after, for models that read both sides.
    template, condition : str
        Where the pair comes from, such as ``nounpp`` and ``singular_plural`` (the number of the
        subject, then of each noun between it and the verb).

    Raises
    ------
    InputError
        When prefix or suffix is a string, or right or wrong is empty.
    """

    prefix: tuple[str, ...]
    right: str
    wrong: str
    suffix: tuple[str, ...] = ()
    template: str = ""
    condition: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.prefix, str) or isinstance(self.suffix, str):
            raise InputError(
                f"'{self.prefix} {self.right}': prefix and suffix are tuples of words; split them"
            )
        if not self.right.strip() or not self.wrong.strip():
            raise InputError(f"'{' '.join(self.prefix)}': right or wrong is empty; fill it in")


def write_pairs(path: str | Path, pairs: Sequence[MinimalPair]) -> None:
    """Write pairs as tab-separated text with a header line."""
    rows = [HEADER]
    for pair in pairs:
        prefix, suffix = " ".join(pair.prefix), " ".join(pair.suffix)
        rows.append([prefix, pair.right, pair.wrong, suffix, pair.template, pair.condition])
    write_text(path, "".join("\t".join(row) + "\n" for row in rows))


def read_pairs(path: str | Path) -> list[MinimalPair]:
    """Read pairs written by `write_pairs`.

    Raises
    ------
    InputError
        When the file cannot be read, has another header, no pairs, or a line that is no pair.
    """
    header, *rows = _rows(path)
    if header != HEADER:
        raise InputError(
            f"{path}, line 1: the header is not '{' '.join(HEADER)}', separated by tabs; add it"
        )
    if not rows:
        raise InputError(f"{path}: no pairs after the header; give at least one")
    pairs = []
    for line, row in enumerate(rows, start=2):
        if len(row) != len(HEADER):
            raise InputError(
                f"{path}, line {line}: {len(row)} columns instead of {len(HEADER)}; "
                "separate them by tabs"
            )
        prefix, right, wrong, suffix, template, condition = row
        pairs.append(
            _checked(
                f"{path}, line {line}",
                prefix.split(),
                right.strip(),
                wrong.strip(),
                tuple(suffix.split()),
                template,
                condition,
            )
        )
    return pairs


def read_number_agreement(path: str | Path) -> list[MinimalPair]:
    """Read a template file of Lakretz et al. (2019).

    Every line has a sentence that ends in the verb, the condition, "correct" or "wrong", and the
    pair's id; a pair is two consecutive lines with the same id. The file's name is the template.

    Raises
    ------
    InputError
        When the file cannot be read or is empty, or a line or pair is not of this form.
    """
    rows = _rows(path)
    if len(rows) % 2:
        raise InputError(f"{path}: {len(rows)} lines, but pairs need an even number; add the other")
    pairs = []
    for line in range(1, len(rows), 2):
        both = {row[2]: row for row in rows[line - 1 : line + 1] if len(row) == 4}
        if set(both) != {"correct", "wrong"} or both["correct"][3] != both["wrong"][3]:
            raise InputError(
                f"{path}, line {line}: this line and the next are no pair; each needs sentence, "
                "condition, correct or wrong, and the same id, separated by tabs"
            )
        *prefix, right = both["correct"][0].split()
        *other, wrong = both["wrong"][0].split()
        if prefix != other:
            raise InputError(
                f"{path}, line {line}: the sentences of the pair differ before the last word; "
                "make them equal"
            )
        condition = both["correct"][1]
        place = f"{path}, line {line}"
        pairs.append(_checked(place, prefix, right, wrong, (), Path(path).stem, condition))
    return pairs


def by_condition(pairs: Sequence[MinimalPair]) -> dict[str, list[MinimalPair]]:
    """Pairs by their template and condition, such as ``nounpp singular_plural``, in their order."""
    found: dict[str, list[MinimalPair]] = {}
    for pair in pairs:
        name = f"{pair.template} {pair.condition}".strip() or "no template"
        found.setdefault(name, []).append(pair)
    return found


def _rows(path: str | Path) -> list[list[str]]:
    with open_text(path) as file:
        lines = [line.rstrip("\n") for line in file]
    if not lines:
        raise InputError(f"{path}: the file is empty; give a file with pairs")
    return [line.split("\t") for line in lines]


def _checked(place: str, prefix: list[str], right: str, wrong: str, *rest: Any) -> MinimalPair:
    """A pair, if it is one; ``place`` is where it was read."""
    if not prefix or not right or not wrong:
        raise InputError(f"{place}: prefix, right or wrong is empty; fill it in")
    if right == wrong:
        raise InputError(f"{place}: right and wrong are both '{right}'; they must differ")
    return MinimalPair(tuple(prefix), right, wrong, *rest)
