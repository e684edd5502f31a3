"""Descriptors as a model, a person or a program writes them, made short phrases that compare."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from functools import lru_cache

MOST_WORDS = 8
MOST_CHARACTERS = 100
"""Of a descriptor; what is longer is a sentence."""

MOST_TRIED = 20
"""Places in an answer where a list may begin."""

NOTHING = {"none", "n/a", "null"}
"""What is written where there is nothing to say."""

QUOTES = "\"'`´“”„‟‘’‚‛«»‹›"
TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
MARKER = re.compile(r"\(?\d{1,3}[.)](\s|$|(?=\D))|\(?[a-z]\)\s|[-–—•·‣▪+>#]+\s|#+")
DEBRIS = re.compile(r'[{}\[\]\\|]|"\s*:')
FENCE = re.compile(r"```\w*")
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


@lru_cache(maxsize=100_000)
def clean_descriptor(text: str) -> str:
    """A descriptor in lower case, without what stands around it; empty when it is none.

    List markers, quotes, HTML tags, Markdown and punctuation at its end are taken off. It is none
    when it has no letter or digit, more than 8 words or 100 characters, or is a piece of JSON or
    of a table.
    """
    if len(text) > 10 * MOST_CHARACTERS or text.lstrip().startswith("```"):
        return ""
    before = None
    while text != before:
        before, text = text, _without_wrapping(text)
    is_short = len(text) <= MOST_CHARACTERS and len(text.split()) <= MOST_WORDS
    is_phrase = any(map(str.isalnum, text)) and not DEBRIS.search(text)
    return text if is_short and is_phrase and text not in NOTHING else ""


def _without_wrapping(text: str) -> str:
    """One layer off; every layer makes it shorter, or changes nothing."""
    text = LINK.sub(r"\1", TAG.sub(" ", html.unescape(text)))
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", "".join(map(_seen, text)))
    text = " ".join(text.lower().replace("*", "").replace("`", "").replace("~~", "").split())
    text = MARKER.sub("", text, count=1) if MARKER.match(text) else text
    text = text.rstrip(".,;:!?…。、，；：！？").strip(QUOTES + "_[]{} ")
    if text.startswith("(") and text.endswith(")") and "(" not in text[1:]:
        text = text[1:-1]
    return text


def _seen(character: str) -> str:
    """A space for what controls a terminal, nothing for what is not seen."""
    kind = unicodedata.category(character)
    if kind in ("Cc", "Zl", "Zp"):
        return " "
    return "" if kind == "Cs" or (kind == "Cf" and character not in "\u200c\u200d") else character


def parse_answer(answer: str) -> list[str]:
    """Descriptors in what a language model answers: a JSON list, also a broken one, or lines.

    What it thought before, in ``<think>``, is left out. A single line is split at commas.
    """
    answer = FENCE.sub("\n", answer.rpartition("</think>")[2])
    starts = [match.start() for match in re.finditer(r"\[", answer)][:MOST_TRIED]
    for start in starts:
        try:
            found, _ = json.JSONDecoder().raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        texts = [item for item in found if isinstance(item, str)]
        if texts or not found:
            return texts
    if starts and (texts := STRING.findall(answer, starts[0])):
        return texts  # of a list that was not ended
    lines = [line for line in answer.splitlines() if not line.rstrip().endswith(":")]
    lines = [line for line in lines if line.strip()]
    return re.split("[,;]", lines[0]) if len(lines) == 1 else lines
