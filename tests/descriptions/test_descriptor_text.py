import random

import pytest

from neurox_lite.descriptions.descriptor_text import (
    MOST_CHARACTERS,
    MOST_WORDS,
    clean_descriptor,
    parse_answer,
)

CLEANED = {
    "Fast  Food": "fast food",
    "1. dogs": "dogs",
    "12) dogs": "dogs",
    "(2) dogs.": "dogs",
    "3.dogs": "dogs",
    "- dogs,": "dogs",
    "• 2. “Dogs”!": "dogs",
    "## Dogs": "dogs",
    "#dogs": "dogs",
    "**bold** move": "bold move",
    "__dogs__": "dogs",
    "`code`": "code",
    "<b>dogs</b>": "dogs",
    "<a href='x'>dogs</a> &amp; cats": "dogs & cats",
    "&lt;i&gt;dogs&lt;/i&gt;": "dogs",
    "[dogs](http://x.org/y)": "dogs",
    '["dogs"': "dogs",
    '"dogs",': "dogs",
    "(dogs)": "dogs",
    "register (formal)": "register (formal)",
    "1.5 million": "1.5 million",
    "3d printing": "3d printing",
    "dogs\x1b and\u202e cats\ud800": "dogs and cats",
    "Straße": "straße",
    "cafe\u0301": "café",
    "上海。": "上海",
    "a < b": "a < b",
    "upos=NOUN": "upos=noun",
}
LEFT_OUT = [
    "",
    " \n",
    "...",
    "-",
    "1.",
    "```json",
    '"topic": "dogs"',
    '{"dogs": 1, "cats": 2}',
    "| dogs | cats |",
    "none",
    "N/A.",
    "this is a sentence about a dog that barks",
    "x" * (MOST_CHARACTERS + 1),
    "<p>" * 1000,
    "dogs " * 100_000,
]


@pytest.mark.parametrize(("written", "cleaned"), CLEANED.items())
def test_what_stands_around_a_descriptor_is_taken_off(written, cleaned):
    assert clean_descriptor(written) == cleaned


@pytest.mark.parametrize("written", LEFT_OUT)
def test_what_is_no_phrase_is_left_out(written):
    assert clean_descriptor(written) == ""


def test_a_cleaned_descriptor_is_clean():
    """Of random pieces of markup, lists and JSON."""
    draw = random.Random(0)
    pieces = [
        *"[](){}<>*_`#-.,:;'\"\\/|&~ 1aÉİ",
        "<b>",
        "&lt;",
        "1. ",
        "a) ",
        "](",
        "\u202e",
        "\x1b",
    ]
    for _ in range(3000):
        text = "".join(draw.choices([*pieces, "dogs", " and "], k=draw.randint(1, 12)))
        cleaned = clean_descriptor(text)
        assert clean_descriptor(cleaned) == cleaned == cleaned.strip().lower(), text
        assert len(cleaned) <= MOST_CHARACTERS and len(cleaned.split()) <= MOST_WORDS
        assert not set("[]{}\\|*`\u202e\x1b") & set(cleaned)


ANSWERS = {
    '["dogs", "cats"]': ["dogs", "cats"],
    'Here are they [1]:\n```json\n["dogs",\n "cats"]\n```\nAnd ["more"]': ["dogs", "cats"],
    '<think>["no"]</think>["dogs"]': ["dogs"],
    '{"descriptors": ["dogs"]}': ["dogs"],
    '[["dogs", "cats"]]': ["dogs", "cats"],
    '["dogs", "cats", "an unfinis': ["dogs", "cats"],
    "[]": [],
    "": [],
    "Descriptors:\n- dogs\n\n- cats\n": ["- dogs", "- cats"],
    "dogs, cats; mice": ["dogs", " cats", " mice"],
    "dogs [animals]": ["dogs [animals]"],
    "[" * 100_000: ["[" * 100_000],
}


@pytest.mark.parametrize(("answer", "found"), ANSWERS.items(), ids=range(len(ANSWERS)))
def test_lists_and_lines_are_read(answer, found):
    assert parse_answer(answer) == found
