"""What is shown of an example.

`neurox_lite.descriptions.neuron_exemplars`
"""

from __future__ import annotations

from neurox_lite.descriptions.neuron_exemplars import Example


def test_long_sentences_are_shown_around_the_word():
    example = Example(tuple("abcdefg"), 3, 0.5)
    assert example.word == "d"
    assert example.around(2) == ("... b c", "d", "e f ...")
    assert example.around(3) == ("a b c", "d", "e f g")
    assert str(example) == "0.5: a b c [d] e f g"


def test_nothing_stands_before_the_first_word():
    assert Example(("a", "b"), 0, -2.0).around() == ("", "a", "b")
