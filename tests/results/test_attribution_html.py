"""HTML of attributions says what they hold, and does nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurox_lite as nx
from neurox_lite.escaping import terminal
from neurox_lite.results.attribution_html import MOST_CELLS, MOST_TEXTS, is_right_to_left
from neurox_lite.results.token_attributions import TokenAttributions, state_names

TOKENS = (("[CLS]", "un", "##bear", "</span>"), ("<s>", "Ġمرحبا", "New", "."))
SPECIAL = ((True, False, False, False),) * 2
VALUES = (np.array([[0.0, 1, 2, 4], [8, -2, 1, 0]]), np.array([[1.0, 1, 1, 1], [0, 0, 0, 0]]))
OF_STATES = TokenAttributions(
    "mine", TOKENS, VALUES, ("yes", "لا"), state_names(2), SPECIAL, provenance={"model": "m<i>"}
)
PLAIN = replace(OF_STATES, values=tuple(each[-1] for each in VALUES), states=())


class Parsed(HTMLParser):
    """Elements as (name, attributes, text inside)."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[int] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag != "meta":
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag):
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data):
        if self.open:
            self.elements[self.open[-1]][2].append(data)

    def texts(self, *names, having=None):
        return [
            "".join(text)
            for name, attributes, text in self.elements
            if name in names and (having is None or having in attributes)
        ]

    def tokens(self):
        return self.texts("span", "bdi", having="title")


def opacities(parsed):
    styles = [attributes["style"] for _, attributes, _ in parsed.elements if "title" in attributes]
    return [
        float(style.split("rgba(")[1].split(")")[0].split(",")[3])
        * (-1 if "dotted" in style else 1)
        for style in styles
    ]


@pytest.mark.parametrize("result", [PLAIN, OF_STATES])
def test_tokens_are_read_back_with_their_values(result):
    parsed = Parsed(result.to_html())
    assert parsed.tokens() == [token for tokens in TOKENS for token in tokens]
    assert opacities(parsed)[:4] == [0.75, -0.19, 0.09, 0.0]
    assert opacities(parsed)[4:] == [0.0] * 4
    assert parsed.texts("b") == ["mine"]
    assert "m<i>" in "".join(parsed.texts("div"))
    directions = [attributes.get("dir") for _, attributes, _ in parsed.elements]
    assert [each for each in directions if each in ("ltr", "rtl")] == ["ltr", "rtl"]
    slanted = [name for name, attributes, _ in parsed.elements if "italic" in str(attributes)]
    assert slanted.count("bdi") == 2


def test_what_is_said_of_all_texts():
    signed = OF_STATES.to_html()
    assert ">mine</b>, m&lt;i&gt;</div>" in signed and "Doubtful" not in signed
    assert "negative" in signed and "[CLS]: +8" in signed and ">+8.0</td>" in signed
    unsigned = replace(
        OF_STATES,
        values=tuple(map(abs, VALUES)),
        status="infeasible: <output>",
        provenance={"model": "m", "explained": "neurons 1:3"},
    ).to_html()
    assert ">mine</b>, m, neurons 1:3</div>" in unsigned
    assert "<div>Doubtful: infeasible: &lt;output&gt;</div>" in unsigned
    assert "negative" not in unsigned and "[CLS]: 8" in unsigned and ">8.0</td>" in unsigned


def test_every_state_is_a_column_of_a_table():
    parsed = Parsed(OF_STATES.to_html())
    assert parsed.texts("th")[:6] == ["embeddings", "output", *TOKENS[0]]
    cells = [float(text) for text in parsed.texts("td") if text]
    np.testing.assert_array_equal(cells[:8], VALUES[0].T.ravel())
    assert "td" not in {name for name, _, _ in Parsed(PLAIN.to_html()).elements}


def test_a_notebook_shows_the_first_texts_and_a_page_all(tmp_path):
    many = TokenAttributions("mine", (("a",),) * 30, (np.ones(1),) * 30, ("x",) * 30)
    assert len(Parsed(many._repr_html_()).tokens()) == MOST_TEXTS
    assert f"The first {MOST_TEXTS} of 30 texts" in many.to_html()
    many.save(tmp_path / "all.html")
    text = (tmp_path / "all.html").read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert len(Parsed(text).tokens()) == 30
    assert "texts; save" not in text
    long = ("a",) * MOST_CELLS
    one = TokenAttributions("mine", (long, long), (np.ones(MOST_CELLS),) * 2, ("x", "y"))
    assert "The first 1 of 2 texts" in one.to_html()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=8), min_size=4, max_size=4))
def test_no_text_from_outside_becomes_markup(texts):
    token, said, method, model = texts
    result = TokenAttributions(
        method,
        ((token, "b"),),
        (np.array([[1.0, -1.0]]),),
        (said,),
        (token,),
        provenance={"model": model},
    )
    plain = TokenAttributions("m", (("a", "b"),), result.values, ("s",), ("t",), provenance={})
    parsed, expected = Parsed(result.to_html()), Parsed(plain.to_html())
    assert parsed.tokens() == [terminal(token), "b"]
    assert [name for name, _, _ in parsed.elements] == [name for name, _, _ in expected.elements]
    for name, attributes, _ in parsed.elements:
        assert name in {"div", "b", "span", "bdi", "details", "summary", "table", "tr", "td", "th"}
        assert set(attributes) <= {"style", "title", "dir", "scope"}
        assert "url" not in (attributes.get("style") or "")


def test_a_page_runs_and_fetches_nothing(tmp_path):
    OF_STATES.save(tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    assert "default-src 'none'" in text
    parsed = Parsed(text)
    names = {name for name, _, _ in parsed.elements}
    assert not names & {"script", "img", "link", "style", "iframe", "object", "base", "form"}
    assert not any({"src", "href"} & set(attributes) for _, attributes, _ in parsed.elements)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("שלום לכם", True),
        ("مرحبا بالعالم", True),
        ("12 כלבים , 3 dogs", True),
        ("😊 שלום", True),
        ("12 dogs", False),
        ("the word שלום is short", False),
    ],
)
def test_direction_of_texts_whose_tokens_are_bytes(text, expected):
    explained = nx.attribution.ExplainedTexts.of_texts(nx.embedded_path("models/gpt2"), [text])
    found = nx.attribution.uniform(explained)
    assert is_right_to_left(found.tokens[0], found.is_special[0]) == expected
    direction = "rtl" if expected else "ltr"
    assert f'<div dir="{direction}"><bdi' in found.to_html()
    # A part of a letter has no direction, and must not bring one in.
    assert not re.search("<span[^>]*>(Ġ|&lt;|>)*0x", found.to_html())


@pytest.mark.parametrize(
    "tokens, special, expected",
    [
        (("[UNK]", "שלום"), (False, False), True),
        (("[CLS]", "شكرا"), (True, False), True),
        (("[CLS]", "שלום", "a"), (True, False, False), True),
        (("Ġשלום",), (False,), True),
        (("a", "שלום"), (False, False), False),
        (("1", "."), (False, False), False),
        (("##שלום",), (False,), True),
    ],
)
def test_direction_is_that_of_the_first_letter(tokens, special, expected):
    assert is_right_to_left(tokens, special) == expected
