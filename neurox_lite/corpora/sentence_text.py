"""A sentence as it was written, and where its words are in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from neurox_lite.errors import InputError

TEXTS = ("words", "raw")


class SentenceText(NamedTuple):
    """The text of a sentence, and the first character and the end of each of its words in it."""

    text: str
    spans: tuple[tuple[int, int], ...]


def check_text(text: str) -> str:
    """Raise InputError unless ``text`` is one of ``TEXTS``."""
    if text not in TEXTS:
        raise InputError(f"text is '{text}'; give {' or '.join(TEXTS)}")
    return text


def join_words(words: Sequence[str]) -> SentenceText:
    """Words with single spaces between them."""
    spans, start = [], 0
    for word in words:
        spans.append((start, start + len(word)))
        start += len(word) + 1
    return SentenceText(" ".join(words), tuple(spans))


def sentence_text(parsed: Any) -> SentenceText:
    """The text of a parsed sentence of CoNLL-U: its comment ``# text``, or its tokens.

    Raises ValueError when ``# text`` is not its tokens with spaces between them.
    """
    tokens = list(_surface_tokens(parsed))
    text = parsed.metadata.get("text")
    if text is None:
        text = "".join(token["form"] + ("" if no_space else " ") for token, no_space, _ in tokens)
        text = text.rstrip(" ")
    spans: list[tuple[int, int]] = []
    end = 0
    for token, _, forms in tokens:
        start = _after_spaces(text, end)
        end = start + len(token["form"])
        if text[start:end] != token["form"]:
            raise ValueError(
                f"'# text' continues with '{text[start : start + 20]}' and the words with "
                f"'{token['form']}'; correct one of them, or read the words without text=raw"
            )
        spans += _parts(forms, token["form"], start)
    if _after_spaces(text, end) < len(text):
        raise ValueError(
            f"'# text' continues with '{text[end : end + 20]}' after the last word; correct one of "
            "them, or read the words without text=raw"
        )
    return SentenceText(text, tuple(spans))


def _surface_tokens(parsed: Any) -> Iterator[tuple[Mapping[str, str], bool, list[str]]]:
    """Tokens as written, whether no space follows, and the forms of their words."""
    inside = 0  # how many words of a multiword token are still to come
    forms_of: dict[int, str] = {
        int(token["id"]): token["form"] for token in parsed if token["id"].isdecimal()
    }
    for token in parsed:
        first, dash, last = token["id"].partition("-")
        no_space = "SpaceAfter=No" in token["misc"].split("|")
        if dash:
            numbers = range(int(first), int(last) + 1)
            if inside or len(numbers) < 2 or not all(number in forms_of for number in numbers):
                raise ValueError(
                    f"the multiword token {token['id']} spans words that are not in the sentence; "
                    "correct its ID"
                )
            inside = len(numbers)
            yield token, no_space, [forms_of[number] for number in numbers]
        elif token["id"].isdecimal():
            if not inside:
                yield token, no_space, [token["form"]]
            inside = max(0, inside - 1)


def _after_spaces(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _parts(forms: Sequence[str], token: str, start: int) -> list[tuple[int, int]]:
    """Where the words of a token are: one after another, or each the whole token."""
    if "".join(forms).lower() != token.lower() or sum(map(len, forms)) != len(token):
        return [(start, start + len(token))] * len(forms)
    spans = []
    for form in forms:
        spans.append((start, start + len(form)))
        start += len(form)
    return spans
