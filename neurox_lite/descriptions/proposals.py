"""Descriptors of texts, as anyone proposes them, checked and cleaned."""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from itertools import islice
from pathlib import Path
from typing import Any

from neurox_lite.arguments import expect_function, shown, strings
from neurox_lite.corpora.text_files import open_text
from neurox_lite.descriptions.descriptor_text import MOST_WORDS, clean_descriptor
from neurox_lite.errors import InputError
from neurox_lite.progress import tqdm

logger = logging.getLogger(__name__)

Propose = Callable[[Sequence[str]], Sequence[Sequence[str]]]
"""Texts -> for each its descriptors, short phrases."""

MOST = 50
"""Descriptors of a text that are kept: of a list of words that is read from a file, a long sentence
has so many; a language model that names more has begun to repeat itself."""

MOST_READ = 1000
BATCH = 64


def propose_descriptors(propose: Propose, texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Ask for descriptors of texts, and clean what comes back.

    Descriptors come back in lower case, each once, without list markers, quotes, markup and
    punctuation at the end; see :func:`.clean_descriptor`. What is no short phrase is left out.

    Parameters
    ----------
    propose : callable
        Given texts, returns a collection of strings for each. It is called with 64 texts at a
        time; one with the attribute ``batches_itself`` once, with all. Equal texts are given once.
    texts : (n_texts,) sequence of str

    Returns
    -------
    (n_texts,) list of tuples of str
        In the order in which they were proposed (those of a set sorted), at most 50 each; the
        empty tuple for a text without any.

    Raises
    ------
    InputError
        When there are no texts, ``propose`` returns another number of answers than it was given
        texts, something other than collections of strings, or no descriptor for any text.
    """
    expect_function(propose, "propose", "a function of texts")
    texts = strings(texts, "texts")
    if not texts:
        raise InputError("no texts to propose descriptors of; give at least one")
    distinct = list(dict.fromkeys(texts))
    batches_itself = bool(getattr(propose, "batches_itself", False))
    step = len(distinct) if batches_itself else BATCH
    counts: Counter[str] = Counter()
    found: dict[str, tuple[str, ...]] = {}
    hidden = batches_itself or None  # it shows its own progress
    with tqdm(total=len(distinct), desc="texts", unit="text", disable=hidden, delay=2) as bar:
        for first in range(0, len(distinct), step):
            batch = distinct[first : first + step]
            answers = _answers_of(propose, batch)
            for number, (text, answer) in enumerate(zip(batch, answers, strict=True), first + 1):
                found[text] = _cleaned(answer, f"propose: answer {number}", counts)
            bar.update(len(batch))
    _tell(counts, found)
    return [found[text] for text in texts]


def _answers_of(propose: Propose, batch: list[str]) -> list[Any]:
    """An answer for each text of a batch; refuses another number of them."""
    answers = propose(batch)
    wanted = "give a collection of strings for each text"
    if isinstance(answers, str | bytes | Set | dict) or not isinstance(answers, Iterable):
        raise InputError(f"propose returned {shown(answers)} for {len(batch)} texts; {wanted}")
    answers = list(islice(answers, len(batch) + 1))
    if len(answers) != len(batch):
        n_answers = "more" if len(answers) > len(batch) else f"{len(answers)}"
        raise InputError(f"propose returned {n_answers} answers for {len(batch)} texts; {wanted}")
    return answers


def _cleaned(answer: Any, where: str, counts: Counter[str]) -> tuple[str, ...]:
    """The descriptors of one text, each once, at most ``MOST``."""
    if isinstance(answer, str | bytes | dict) or not isinstance(answer, Iterable):
        raise InputError(f"{where} is {shown(answer)}; give a collection of strings for each text")
    raw = strings(islice(answer, MOST_READ + 1), where)
    if isinstance(answer, Set):
        raw = sorted(raw)
    cleaned = [clean_descriptor(text) for text in raw]
    kept = list(dict.fromkeys(filter(None, cleaned)))
    counts["proposed"] += len(raw)
    counts["left out"] += cleaned.count("")
    counts["cut"] += len(kept) > MOST or len(raw) > MOST_READ
    return tuple(kept[:MOST])


def _tell(counts: Counter[str], found: dict[str, tuple[str, ...]]) -> None:
    """Log what was left out; InputError when nothing is left."""
    n_texts, n_without = len(found), list(found.values()).count(())
    if n_without == n_texts:
        what = "nothing"
        if counts["proposed"]:
            what = f"{counts['proposed']:,} descriptors, none of which is a short phrase,"
        raise InputError(
            f"propose returned {what} for {n_texts:,} texts; see what it returns for a few of them"
        )
    if n_without:
        logger.info("%s of %s texts have no descriptors", f"{n_without:,}", f"{n_texts:,}")
    if counts["left out"]:
        logger.info(
            "%s of %s descriptors are left out: empty, longer than %d words, or no phrases",
            f"{counts['left out']:,}",
            f"{counts['proposed']:,}",
            MOST_WORDS,
        )
    if counts["cut"]:
        logger.warning(
            "%s texts have more than %d descriptors, of which the first are kept",
            f"{counts['cut']:,}",
            MOST,
        )


class DescriptorList:
    """A fixed list of descriptors, each of which is a text's where it occurs in it.

    Its words follow one another there as whole words, in upper or lower case: ``fast food`` is in
    "Fast food, again" and not in "food that comes fast" or "breakfast food".

    Parameters
    ----------
    descriptors : sequence of str
        Cleaned.
    """

    def __init__(self, descriptors: Sequence[str]):
        self.descriptors = tuple(descriptors)
        self._of_first: dict[str, list[tuple[list[str], str]]] = {}
        for descriptor in self.descriptors:
            parts = _words_and_signs(descriptor)
            self._of_first.setdefault(parts[0], []).append((parts, descriptor))

    def __repr__(self) -> str:
        return f"DescriptorList(<{len(self.descriptors)} descriptors>)"

    def __call__(self, texts: Sequence[str]) -> list[list[str]]:
        """For each text the descriptors in it, in the order of their first words."""
        return [self._in(_words_and_signs(text)) for text in texts]

    def _in(self, parts: list[str]) -> list[str]:
        found = [
            descriptor
            for place, part in enumerate(parts)
            for wanted, descriptor in self._of_first.get(part, ())
            if parts[place : place + len(wanted)] == wanted
        ]
        return list(dict.fromkeys(found))


def read_descriptors(path: str | Path) -> DescriptorList:
    """Read a list of descriptors: a text file with one on each line, such as ``fast food``.

    Parameters
    ----------
    path : path
        UTF-8, gzipped if its name ends in ``.gz``. Blank lines are passed over.

    Returns
    -------
    DescriptorList
        For :func:`propose_descriptors`: a descriptor is a text's where it occurs in it.

    Raises
    ------
    InputError
        When it cannot be read, a line is no short phrase, or there is none.
    """
    descriptors = []
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            descriptor = clean_descriptor(line)
            if line.strip() and not descriptor:
                raise InputError(
                    f"{path}: line {number} is {shown(line.strip())}, no phrase of at most "
                    f"{MOST_WORDS} words; give one descriptor per line"
                )
            descriptors.append(descriptor)
    every = list(dict.fromkeys(filter(None, descriptors)))
    if not every:
        raise InputError(f"{path}: no descriptors; give one per line")
    return DescriptorList(every)


def _words_and_signs(text: str) -> list[str]:
    """``c++`` is three of them; letters of any script keep their marks."""
    text = unicodedata.normalize("NFC", text.lower())
    return "".join(f" {c} " if unicodedata.category(c)[0] in "PS" else c for c in text).split()
