"""Minimal pairs: two words of which only one may follow a prefix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from neurox_lite.arguments import expect, one_or_more, shown, strings
from neurox_lite.corpora.corpus_checks import MAX_WORDS, too_many_words
from neurox_lite.errors import InputError
from neurox_lite.showing import summary


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
    sentences : (str, str), optional
        The right and the wrong sentence as they are written, where they were read so; else they are
        the words joined by spaces.

    Raises
    ------
    InputError
        When prefix or suffix is not a list of strings, or right or wrong is empty or not a string.
    """

    prefix: tuple[str, ...]
    right: str
    wrong: str
    suffix: tuple[str, ...] = ()
    template: str = ""
    condition: str = ""
    sentences: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.prefix, str) or isinstance(self.suffix, str):
            raise InputError(
                f"'{self.prefix} {self.right}': prefix and suffix are tuples of words; split them"
            )
        for name in ("prefix", "suffix"):
            object.__setattr__(self, name, tuple(strings(getattr(self, name), name)))
        for name in ("right", "wrong", "template", "condition"):
            expect(getattr(self, name), str, name, "a string")
        if len(self.prefix) + len(self.suffix) > MAX_WORDS:
            raise InputError(f"'{self.right}': a pair with {too_many_words()}; leave it out")
        if not self.right.strip() or not self.wrong.strip():
            raise InputError(f"'{' '.join(self.prefix)}': right or wrong is empty; fill it in")

    def both_sentences(self) -> tuple[str, str]:
        """The right sentence and the wrong one."""
        if self.sentences:
            return self.sentences
        right, wrong = (
            " ".join([*self.prefix, word, *self.suffix]) for word in (self.right, self.wrong)
        )
        return right, wrong


class MinimalPairs(list[MinimalPair]):
    """The pairs of one or several files.

    Attributes
    ----------
    skipped : tuple of str
        What was left out because of bad lines: file, line and what is wrong.
    """

    def __init__(self, pairs: Iterable[MinimalPair], skipped: Iterable[str] = ()):
        super().__init__(pairs)
        self.skipped = tuple(skipped)

    def __repr__(self) -> str:
        return f"MinimalPairs({len(self)} pairs)"

    def __str__(self) -> str:
        kinds = (f"{name}: {len(pairs)}" for name, pairs in by_condition(self).items())
        facts = {"pairs": len(self), "lines left out": len(self.skipped) or None}
        return summary("MinimalPairs", facts, kinds)


def as_pairs(pairs: Any, name: str = "pairs") -> list[MinimalPair]:
    """Minimal pairs as a list; InputError when there are none, or something else."""
    if isinstance(pairs, list | tuple) and not pairs:
        raise InputError("no minimal pairs; give at least one")
    try:
        return one_or_more(pairs, MinimalPair, name, "")
    except InputError:
        several = pairs if isinstance(pairs, list | tuple) else []
        others = [
            f" with {shown(pair)} in it" for pair in several if not isinstance(pair, MinimalPair)
        ]
        of = others[0] if others else ""
        raise InputError(
            f"{name} must be a list of MinimalPair, not {shown(pairs)}{of}; read a file of "
            "them by nx.read_pairs"
        ) from None


def by_condition(pairs: Sequence[MinimalPair]) -> dict[str, list[MinimalPair]]:
    """Pairs by their template and condition, such as ``nounpp singular_plural``, in their order."""
    found: dict[str, list[MinimalPair]] = {}
    for pair in pairs:
        found.setdefault(template_of(pair), []).append(pair)
    return found


def template_of(pair: MinimalPair) -> str:
    """Template and condition, such as ``nounpp singular_plural``."""
    return f"{pair.template} {pair.condition}".strip() or "no template"
