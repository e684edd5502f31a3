"""Files of minimal pairs: our own table, JSON lines of BLiMP, templates of Lakretz et al."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from neurox_lite.arguments import shown
from neurox_lite.corpora.bad_lines import BadLines
from neurox_lite.corpora.minimal_pairs import MinimalPair, MinimalPairs
from neurox_lite.corpora.sentence_pairs import differing_words
from neurox_lite.corpora.text_files import open_text
from neurox_lite.errors import InputError
from neurox_lite.files import write_text
from neurox_lite.input_files import parse_json

logger = logging.getLogger(__name__)

HEADER = ["prefix", "right", "wrong", "suffix", "template", "condition"]
SENTENCES = ["right_sentence", "wrong_sentence"]
"""Columns of a file in which some pair has its sentences as they were written."""


def write_pairs(path: str | Path, pairs: Sequence[MinimalPair]) -> None:
    """Write pairs as tab-separated text with a header line.

    Raises InputError when a part of a pair has a tab or a line break in it.
    """
    with_sentences = any(pair.sentences for pair in pairs)
    rows = [HEADER + SENTENCES * with_sentences]
    for pair in pairs:
        prefix, suffix = " ".join(pair.prefix), " ".join(pair.suffix)
        row = [prefix, pair.right, pair.wrong, suffix, pair.template, pair.condition]
        row += (pair.sentences or ("", "")) if with_sentences else ()
        broken = next((cell for cell in row if set(cell) & set("\t\n\r")), None)
        if broken is not None:
            raise InputError(f"{path}: {shown(broken)} has a tab or a line break; replace it")
        rows.append(row)
    write_text(path, "".join("\t".join(row) + "\n" for row in rows))


def read_pairs(path: str | Path, *, skip_bad_lines: bool = False) -> MinimalPairs:
    """Read pairs from a file of one of three forms, inferred from its first line.

    Parameters
    ----------
    path : str or Path
        Written by `write_pairs`; or JSON lines in the manner of BLiMP, ``{"sentence_good": ...,
        "sentence_bad": ...}``, of which ``UID`` is the template and ``linguistics_term`` the
        condition; or a template of Lakretz et al. (2019), see :func:`read_number_agreement`.
    skip_bad_lines : bool
        Leave out lines that are not a pair, and list them in ``skipped``.

    Returns
    -------
    MinimalPairs
        A list. Of sentences that differ in more than one word ``right`` and ``wrong`` are several
        words, between which only ``score_pairs(..., unit="sentence")`` can choose.

    Raises
    ------
    InputError
        When the file cannot be read, has another header, no pairs, or a line that is not a pair.
    """
    bad = BadLines(path, skip_bad_lines)
    first, *rest = _rows(path)
    if first[0].lstrip().startswith("{"):
        pairs = list(_of_json(path, bad))
    elif len(first) == 4 and first[2] in ("correct", "wrong"):
        pairs = _of_template(path, [first, *rest], bad)
    else:
        pairs = _of_table(path, first, rest, bad)
    bad.check_rest(len(pairs))
    if not pairs:
        raise InputError(f"{path}: no pairs; give at least one")
    if bad.found:
        logger.warning("%d bad lines are left out: %s", len(bad.found), " | ".join(bad.found))
    return MinimalPairs(pairs, bad.found)


def _of_table(
    path: str | Path, header: list[str], rows: list[list[str]], bad: BadLines
) -> list[MinimalPair]:
    if header not in (HEADER, HEADER + SENTENCES):
        raise InputError(
            f"{path}, line 1: the header is not '{' '.join(HEADER)}', separated by tabs; add it, "
            "or give JSON lines with sentence_good and sentence_bad"
        )
    if not rows:
        raise InputError(f"{path}: no pairs after the header; give at least one")
    pairs = []
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            bad.found_in(
                f"{path}, line {line}: {len(row)} columns instead of {len(header)}; "
                "separate them by tabs"
            )
            continue
        prefix, right, wrong, suffix, template, condition, *sentences = row
        try:
            pairs.append(
                _pair(
                    prefix.split(),
                    right.strip(),
                    wrong.strip(),
                    tuple(suffix.split()),
                    template,
                    condition,
                    (sentences[0], sentences[1]) if any(sentences) else None,
                )
            )
        except ValueError as error:
            bad.found_in(f"{path}, line {line}: {error}")
    return pairs


def _of_json(path: str | Path, bad: BadLines) -> Iterator[MinimalPair]:
    with open_text(path) as file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                yield _of_record(parse_json(text))
            except ValueError as error:
                bad.found_in(f"{path}, line {line}: {error}; correct it or leave the line out")


def _of_record(record: Any) -> MinimalPair:
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    good, wrong = record.get("sentence_good"), record.get("sentence_bad")
    if not isinstance(good, str) or not isinstance(wrong, str):
        raise ValueError("has no texts 'sentence_good' and 'sentence_bad'")
    before, right, other, after = differing_words(good, wrong)
    return MinimalPair(
        before,
        " ".join(right),
        " ".join(other),
        after,
        str(record.get("UID", "")),
        str(record.get("linguistics_term", "")),
        (good.strip(), wrong.strip()),
    )


def read_number_agreement(path: str | Path) -> list[MinimalPair]:
    """Read a template file of Lakretz et al. (2019).

    Every line has a sentence that ends in the verb, the condition, "correct" or "wrong", and the
    pair's id; a pair is two consecutive lines with the same id, else it is an InputError. The
    file's name is the template.
    """
    return _of_template(path, _rows(path), BadLines(path))


def _of_template(path: str | Path, rows: list[list[str]], bad: BadLines) -> list[MinimalPair]:
    if len(rows) % 2:
        raise InputError(f"{path}: {len(rows)} lines, but pairs need an even number; add the other")
    pairs = []
    for line in range(1, len(rows), 2):
        both = {row[2]: row for row in rows[line - 1 : line + 1] if len(row) == 4}
        if set(both) != {"correct", "wrong"} or both["correct"][3] != both["wrong"][3]:
            bad.found_in(
                f"{path}, line {line}: this line and the next are not a pair; each needs sentence, "
                "condition, correct or wrong, and the same id, separated by tabs"
            )
            continue
        *prefix, right = both["correct"][0].split() or [""]
        *other, wrong = both["wrong"][0].split() or [""]
        if prefix != other:
            bad.found_in(
                f"{path}, line {line}: the sentences of the pair differ before the last word; "
                "make them equal"
            )
            continue
        condition = both["correct"][1]
        try:
            pairs.append(_pair(prefix, right, wrong, (), Path(path).stem, condition))
        except ValueError as error:
            bad.found_in(f"{path}, line {line}: {error}")
    return pairs


def _rows(path: str | Path) -> list[list[str]]:
    with open_text(path) as file:
        lines = [line.rstrip("\n") for line in file]
    if not lines:
        raise InputError(f"{path}: the file is empty; give a file with pairs")
    return [line.split("\t") for line in lines]


def _pair(
    prefix: list[str],
    right: str,
    wrong: str,
    suffix: tuple[str, ...],
    template: str,
    condition: str,
    sentences: tuple[str, str] | None = None,
) -> MinimalPair:
    """A pair, if it is one; else ValueError with what is wrong."""
    if not (prefix or sentences) or not right or not wrong:
        raise ValueError("prefix, right or wrong is empty; fill it in")
    if right == wrong:
        raise ValueError(f"right and wrong are both '{right}'; they must differ")
    return MinimalPair(tuple(prefix), right, wrong, suffix, template, condition, sentences)
