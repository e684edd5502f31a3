"""Exemplars in a notebook: words are coloured by what the neuron does at them."""

from __future__ import annotations

import re
from dataclasses import replace

from neurox_lite.descriptions.exemplars_html import descriptions_html, exemplars_html
from neurox_lite.descriptions.neuron_exemplars import Example, NeuronExemplars, OneSign, TopWord
from neurox_lite.intervals import Interval
from neurox_lite.neurons import Neuron

HIGH = Example(("The", "مرحبا", "sat"), 1, 9.0, (1.0, 9.0, -3.0))
LOW = Example(
    ("a",) * 40, 20, -3.0, (None,) * 5 + (1.0,) * 15 + (-3.0,) + (5.0,) * 15 + (None,) * 4
)
WORD = TopWord("<cat>", "NOUN", 5, Interval(9.0, 8.0, 10.0))
OWN = NeuronExemplars(
    Neuron(3, 17), "sparse", 0.5, 0.0, 0.1, -3.0, 9.0, (10, 100, 10, 1),
    OneSign((HIGH,), (), (WORD,)), OneSign((LOW,), (), ()),
)  # fmt: skip


def grounds(shown):
    """Of words that have one: value, colour and how strong."""
    found = re.findall(r'title="([^"]*)" style="background:rgba\((\d+),\d+,\d+,([\d.]+)\)', shown)
    return [(value, "above" if red == "213" else "below", float(a)) for value, red, a in found]


def test_colours_begin_at_the_median():
    assert abs(OWN.median - 1.515) < 1e-9  # half of 121 words: 10, and 50.5 of the 100 up to 3
    shown = grounds(exemplars_html(OWN))
    assert shown[:3] == [("1", "below", 0.04), ("9", "above", 0.6), ("-3", "below", 0.36)]
    assert len(shown) == 3 + 31, "not farther from the word than there are activations"
    assert shown[3 + 15] == ("-3", "below", 0.36)


def test_what_is_said():
    shown = exemplars_html(OWN)
    assert "NeuronExemplars of 3:17, sparse" in shown
    assert "<bdi>&lt;cat&gt;</bdi>" in shown and "<b>مرحبا</b>" in shown


def test_a_line_has_the_direction_of_its_sentence():
    """Right to left, the words that are left out before it are so at its right."""
    far = Example(("كتاب",) * 40, 20, 9.0, (1.0,) * 40)
    shown = exemplars_html(replace(OWN, highest=OneSign((far,), (), ())))
    (line,) = re.findall(r'<div dir="auto"[^>]*>(<bdi[^>]*>9</bdi> .*)</div>', shown)
    words = line.split("</bdi> ")[1]
    assert words.startswith("… <span") and words.endswith("</span> …") and "bdi" not in words


def test_examples_without_activations_of_others():
    """In files of version 0.4 and before."""
    before = replace(OWN, highest=OneSign((replace(HIGH, activations=()),), (), ()))
    assert grounds(exemplars_html(before))[0] == ("9", "above", 0.6)
    assert len(grounds(exemplars_html(before))) == 1 + 31


def test_a_dead_neuron():
    empty = OneSign((), (), ())
    dead = replace(
        OWN, category="dead", smallest=2.0, largest=2.0, highest=empty, lowest=empty,
        histogram=(0, 5, 0),
    )  # fmt: skip
    assert grounds(exemplars_html(dead)) == []
    constant = replace(dead, highest=OneSign((replace(HIGH, value=2.0),), (), ()))
    assert "nan" not in exemplars_html(constant)


def test_without_descriptions_the_table_says_why():
    class Nothing:
        def __str__(self):
            return "NeuronDescriptions"

        def table(self):
            return [["neuron", "reason"], ["0:1", "dead"], ["0:2", "dead"]]

    assert "reason" in descriptions_html(Nothing(), [])
