"""In a notebook every result shows itself, says what it holds, and does nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from every_result import EVERY, EVIL

import neurox_lite as nx
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.pipeline.job_result import JobResult
from neurox_lite.results.bars_html import bars
from neurox_lite.results.html import shown_table
from neurox_lite.results.token_attributions import TokenAttributions, state_names

PART = LabelledActivations(np.eye(4), np.array([EVIL, "b"] * 2))
CORPUS = nx.TaggedCorpus([[EVIL, "مرحبا"]] * 9, {EVIL: [[EVIL, "<b>"]] * 9}, source=EVIL)
OTHERS = {
    "TaggedCorpus": CORPUS,
    "LabelledActivations": PART,
    "LabelledSplits": LabelledSplits(PART, PART, PART, {EVIL: 3}),
    "JobResult": JobResult(Path(EVIL), ("probe",), ("extract",), True, (EVIL,) * 9),
}
RESULTS = EVERY | OTHERS
MOST_BYTES = 30_000


class Parsed(HTMLParser):
    """Elements as (name, attributes), all of which are closed, and the text between them."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def check(shown: str) -> Parsed:
    parsed = Parsed(shown)
    for name, attributes in parsed.elements:
        assert name in (
            "div", "span", "b", "bdi", "table", "thead", "tbody", "tr", "th", "td", "details",
            "summary",
        )  # fmt: skip
        assert set(attributes) <= {"style", "dir", "scope", "title", "role", "aria-label"}
        style = attributes.get("style") or ""
        assert "url" not in style and "<" not in style
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown)
    return parsed


@pytest.mark.parametrize("name", RESULTS)
def test_it_is_whole_escaped_small_and_the_same_again(name):
    shown = RESULTS[name]._repr_html_()
    parsed = check(shown)
    assert len(shown.encode()) < MOST_BYTES
    assert RESULTS[name]._repr_html_() == shown
    if name != "TokenAttributions":  # which has a title of its own
        assert parsed.text.strip().startswith(str(RESULTS[name]).splitlines()[0][:40])


def test_estimators_keep_what_scikit_learn_shows():
    assert "sk-container" in nx.ElasticNetProbe()._repr_html_()


def test_a_store(tmp_path):
    model = nx.embedded_path("models/lstm-0")
    store = nx.extract(model, nx.TaggedCorpus([["the", "dog"]]), tmp_path / "<b>.h5")
    with store:
        assert "rows 2" in check(store._repr_html_()).text


def test_tables_are_cut_and_say_so():
    rows = [["x" * 1000, *range(99)]] * 5000
    parsed = check(shown_table([list(range(100)), *rows]))
    assert len(parsed.text) < 2000
    assert "the first 10 of 5,000 rows, 10 of 100 columns" in parsed.text
    assert sum(name == "tr" for name, _ in parsed.elements) == 11


def test_cells():
    table = [["text", "number"], ["مرحبا", 1 / 3], [True, float("nan")], [None, None], ["-1", 7]]
    parsed = check(shown_table(table))
    cells = [attributes for name, attributes in parsed.elements if name in ("th", "td")]
    sides = ["right" if "right" in each["style"] else "start" for each in cells]
    assert sides == ["start", "right"] * 3 + ["start", "start"] + ["start", "right"]
    assert all(each["dir"] == "auto" for each in cells[2:])
    assert parsed.text.split() == ["textnumber", "مرحبا0.3333", "yes–", "-17"]


def test_a_single_row_stands_upright():
    parsed = check(shown_table([["size", "effect"], [3, 0.5]]))
    assert [name for name, _ in parsed.elements].count("tr") == 2


def test_bars_are_as_high_as_their_counts():
    parsed = check(bars({0: 0, 1: 1, 3: 1000}, "neurons"))
    assert re.findall(r"background:#0072b2;height:(\d+)px", bars({0: 0, 1: 1, 3: 1000}, "x")) == [
        "0", "1", "48",
    ]  # fmt: skip
    (spoken,) = (each["aria-label"] for _, each in parsed.elements if "aria-label" in each)
    assert spoken == "layer 0: 0, layer 1: 1, layer 3: 1000"
    check(bars({}, "neurons"))
    many = check(bars(dict.fromkeys(range(60), 1), "neurons"))

    assert "0" in many.text and "57" in many.text and "58" not in many.text


def test_a_large_ranking_stays_small():
    space = nx.NeuronSpace("m", "mlp", tuple(range(60)), (100,) * 60)
    scores = np.random.default_rng(0).random((50, 6000))
    ranking = nx.NeuronRanking.from_scores(
        space, scores[0], "m", classes=tuple(map(str, range(50))), class_scores=scores
    )
    assert len(check(ranking._repr_html_()).text) < 2000
    assert len(ranking._repr_html_()) < MOST_BYTES
    plain = replace(ranking, classes=(), class_scores=None)
    assert "the first 10 of 6,000 rows" in check(plain._repr_html_()).text
    nothing = nx.NeuronRanking.from_scores(space, np.full(6000, np.nan), "none")
    check(nothing._repr_html_())


def test_a_long_text_stays_small():
    tokens = (tuple(map(str, range(30_000))),)
    values = (np.ones((3, 30_000)),)
    long = TokenAttributions("m", tokens, values, ("x",), state_names(3))
    shown = long.to_html()
    assert len(shown) < 3_000_000
    assert "The first 3,333 of 30,000 tokens." in check(shown).text
