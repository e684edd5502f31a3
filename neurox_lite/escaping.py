r"""Text from outside (names of models, labels, words) in what we print and write.

One function for each kind of output. All of them first show what a reader could not see, such as
escape sequences of a terminal, line breaks and characters that turn the direction of writing, as
their code: ``\x1b``, ``\n``, ``\u202e``. Letters of any script, signs and emoji stay as they are.
"""

from __future__ import annotations

import html as html_entities
import json
import logging
import re
import unicodedata
from itertools import accumulate
from typing import Any

from neurox_lite import fonts

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BLANK_LETTERS = "\u034f\u115f\u1160\u2800\u3164\uffa0"
_JOINERS = "\u200c\u200d"
_JOINED = {"Lo", "Mn", "Mc", "So", "Sk"}
"""Categories of what joiners stand between: letters without case, their marks, emoji."""
_SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters that are seen."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FORMULA = re.compile(r"\s*'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")

_MARKDOWN = {character: f"\\{character}" for character in "\\`*_[]|~$"} | {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
}
_LATEX = {character: f"\\{character}" for character in "{}$&#%_"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # After the end of a row they would be an option of it.
    "*": "{*}",
    "[": "{[}",
}


def terminal(text: object) -> str:
    """One line that shows every character and commands nothing."""
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    beside = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    return "".join(_code(c) if _is_unseen(c, before, after) else c for before, c, after in beside)


def json_line(data: Any) -> str:
    """JSON on one line, which reads back the same and shows every character.

    Raises ValueError when a number is NaN or infinite.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    if text.isascii() and text.isprintable():
        return text
    # Only in strings can there be such characters, and there JSON has codes for them.
    return "".join(
        json.dumps(character)[1:-1] if _is_unseen(character) else character for character in text
    )


def markdown(text: object) -> str:
    """Text in a paragraph, heading or cell of a table; no markup, no HTML, no link."""
    shown = "".join(_MARKDOWN.get(character, character) for character in terminal(text))
    # What makes a heading, a list or a rule of a line that begins with it.
    shown = re.sub(r"^(\s*)(#|([-+=])(?=\3|\s|$))", r"\1\\\2", shown)
    shown = re.sub(r"^(\s*\d+)([.)])(?=\s|$)", r"\1\\\2", shown)
    return re.sub(r"(?i)\b(https?|ftp|www)(://|\.)", r"\1\\\2", shown)


def markdown_code(text: object) -> str:
    """As code where nothing in it has to be escaped, which is not possible in code."""
    shown = markdown(text)
    return f"`{shown}`" if shown and shown == str(text) else shown


def html(text: object) -> str:
    """Text in an element or a quoted attribute."""
    return html_entities.escape(terminal(text), quote=True)


def csv_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers.

    Text that begins with ``=``, ``+``, ``-`` or ``@`` gets a ``'`` before it, unless it is a number
    as -1.5; :func:`csv_text` takes it off again.
    """
    if not isinstance(value, str):
        return value
    shown = terminal(value)
    if _FORMULA.match(shown) and not _NUMBER.fullmatch(shown):
        return f"'{shown}"
    return shown


def csv_text(cell: str) -> str:
    """What :func:`csv_cell` was given, from a cell that was read."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def latex(text: object) -> str:
    """Text in a paragraph or a cell of a LaTeX table."""
    shown = "".join(_LATEX.get(character, character) for character in terminal(text))
    return re.sub(r"(['`-])(?=\1)", r"\1{}", shown)  # else two of them become one sign


def figure_text(text: object, most: int | None = None) -> str:
    """Text in a figure of matplotlib: no formulas, a code where no font has a sign.

    Parameters
    ----------
    text : object
    most : int, optional
        Characters to show, of which wide ones count as two; the end of longer text is left out,
        which ``…`` says.
    """
    shown = terminal(text)
    if most is not None and fonts.width(shown) > most:
        ends = accumulate(map(fonts.width, shown))
        shown = shown[: sum(end < most for end in ends)] + "…"
    if not shown.isascii():
        lacking = fonts.unknown(shown)
        shown = "".join(_code(c) if c in lacking else c for c in shown)
    return shown.replace("$", r"\$")


class OneLineFormatter(logging.Formatter):
    """Every log record is one line that commands nothing."""

    def format(self, record: logging.LogRecord) -> str:
        return terminal(super().format(record))


def _is_unseen(character: str, before: str = " ", after: str = " ") -> bool:
    if character in _JOINERS:
        # Persian and Hindi are written with them, and emoji are put together by them.
        return not {unicodedata.category(before), unicodedata.category(after)} <= _JOINED
    if character in _SIGNS:
        return False
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        or character in _BLANK_LETTERS
    )


def _code(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
