from itertools import repeat

import numpy as np
import pytest

from neurox_lite.descriptions.proposals import (
    BATCH,
    MOST,
    DescriptorList,
    propose_descriptors,
    read_descriptors,
)
from neurox_lite.errors import InputError

TEXTS = ["Fast food , again", "food that comes fast", "breakfast food", "C++ and C"]


def of_one(answer):
    """A proposer that says the same of every text."""
    return lambda texts: [answer] * len(texts)


def test_each_text_has_what_was_proposed_of_it_in_its_order():
    sizes = []

    def propose(texts):
        sizes.append(len(texts))
        return ([f"1. {text}.", "Same", "same!", "<b>same</b>"] for text in texts)

    texts = [f"text {number % 100}" for number in range(120)]
    found = propose_descriptors(propose, texts)
    assert found == [(text, "same") for text in texts]
    assert sizes == [BATCH, 100 - BATCH]  # equal texts are given once


def test_one_that_batches_itself_is_given_all():
    class Proposer:
        batches_itself = True

        def __call__(self, texts):
            return [[text] for text in texts]

    assert len(propose_descriptors(Proposer(), [f"text {i}" for i in range(200)])) == 200
    Proposer.__call__ = lambda self, texts: [["x"]] * 150 if len(texts) == 150 else None
    assert propose_descriptors(Proposer(), [f"text {i}" for i in range(150)]) == [("x",)] * 150


def test_the_order_of_a_set_is_no_matter():
    words = {f"word {number}" for number in range(20)}
    assert propose_descriptors(of_one(words), ["x"]) == [tuple(sorted(words))]
    assert propose_descriptors(of_one(np.array(["a", "b"])), ["x"]) == [("a", "b")]


def test_texts_without_any_are_counted(caplog):
    caplog.set_level("INFO", "neurox_lite")
    found = propose_descriptors(lambda texts: [["dogs", "", "x " * 9], []], ["one", "two"])
    assert found == [("dogs",), ()]
    assert "1 of 2 texts have no descriptors" in caplog.text
    assert "2 of 3 descriptors are left out" in caplog.text


@pytest.mark.parametrize("n", [10_000, None])
def test_a_text_with_too_many_is_cut_and_it_is_said(caplog, n):
    many = (f"word {i}" for i in range(n)) if n else (f"word {i}" for i, _ in enumerate(repeat(0)))
    found = propose_descriptors(lambda texts: [many, ["dogs"]], ["one", "two"])
    assert found == [tuple(f"word {i}" for i in range(MOST)), ("dogs",)]
    assert "1 texts have more than 50 descriptors" in caplog.text


NOTHING = "propose returned nothing for 4 texts; see what"


@pytest.mark.parametrize(
    ("propose", "message"),
    [
        (None, "propose is None; give a function"),
        (of_one([]), NOTHING),
        (
            of_one(["", "<html></html>"]),
            "propose returned 8 descriptors, none of which is a short phrase, for 4 texts",
        ),
        (of_one("dogs"), "propose: answer 1 is 'dogs'; give a collection"),
        (of_one(None), "propose: answer 1 is None; give a collection"),
        (of_one({"dogs": 1}), "propose: answer 1 is a dict"),
        (of_one(["dogs", 5]), "propose: answer 1: number 1 is 5; give strings"),
        (lambda texts: [["dogs"]] * 3, "propose returned 3 answers for 4 texts"),
        (lambda texts: repeat(["dogs"]), "propose returned more answers for 4 texts"),
        (lambda texts: None, "propose returned None for 4 texts"),
        (lambda texts: "dogs", "propose returned 'dogs' for 4 texts"),
        (lambda texts: {"a": 1}, "propose returned a dict for 4 texts"),
    ],
)
def test_what_is_no_answer_is_refused(propose, message):
    with pytest.raises(InputError, match=message):
        propose_descriptors(propose, TEXTS)


@pytest.mark.parametrize("texts", [[], "text", [1], None])
def test_what_are_no_texts_is_refused(texts):
    with pytest.raises(InputError, match="text"):
        propose_descriptors(of_one(["dogs"]), texts)


def test_a_list_is_present_where_its_words_are(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("\ufefffast food\n\n- Food \nC++\nfast food\nagain, food\n")
    descriptors = read_descriptors(path)
    assert descriptors.descriptors == ("fast food", "food", "c++", "again, food")
    assert repr(descriptors) == "DescriptorList(<4 descriptors>)"
    assert propose_descriptors(descriptors, TEXTS) == [
        ("fast food", "food"),
        ("food",),
        ("food",),
        ("c++",),
    ]


def test_words_of_any_script_are_whole():
    descriptors = DescriptorList(["क", "café", "مرحبا"])
    texts = ["कि", "क है", "CAFE\u0301 , مرحبا"]
    assert descriptors(texts) == [[], ["क"], ["café", "مرحبا"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n\n", "no descriptors; give one per line"),
        ("dogs\n...\n", "line 2 is '...', no phrase"),
        ("dogs\na b c d e f g h i\n", "line 2 is 'a b c d e f g h i', no phrase of at most 8"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_bad_lists_are_refused(tmp_path, content, message):
    path = tmp_path / "list.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message):
        read_descriptors(path)
    with pytest.raises(InputError, match="no such file"):
        read_descriptors(tmp_path / "other.txt")
