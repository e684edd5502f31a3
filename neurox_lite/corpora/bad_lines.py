"""Lines that are not of their file's format: an error, or left out and listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from neurox_lite.corpora.corpus_checks import MAX_WORDS, too_many_words
from neurox_lite.errors import InputError


@dataclass
class BadLines:
    """What a reader does about a bad line.

    Attributes
    ----------
    path : str or Path
    skip : bool
        Leave out the sentence with the line, instead of raising InputError.
    found : list of str
        The first bad line of every sentence that is left out: file, line and what is wrong.
    """

    path: str | Path
    skip: bool = False
    found: list[str] = field(default_factory=list)

    def add(self, line: int, problem: str) -> None:
        """Note a bad line; raises InputError unless such lines are skipped."""
        self.found_in(f"{self.path}: line {line}: {problem}")

    def found_in(self, message: str) -> None:
        """:meth:`add` with a message that says where."""
        if not self.skip:
            raise InputError(message)
        self.found.append(message)

    def check_rest(self, n_sentences: int) -> None:
        """Raise InputError when all sentences of a file are left out."""
        if not n_sentences and self.found:
            raise InputError(
                f"{self.found[0]} (and every other sentence has a bad line; is this its format?)"
            )


def sentence_lines(lines: Iterable[str], path: str | Path) -> Iterator[list[tuple[int, str]]]:
    """The lines up to each blank line, with their numbers from 1; refuses too long a sentence."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            block.append((number, line))
            if len(block) > MAX_WORDS:
                raise InputError(
                    f"{path}: the sentence from line {block[0][0]} on has {too_many_words()}; "
                    "put a blank line after each sentence"
                )
        elif block:
            yield block
            block = []
    if block:
        yield block
