"""Labels are changed as the rules say, in the order in which they are given, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_filter import word_filter
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.errors import InputError

NER = ["B-PER", "I-PER", "O", "", "S-LOC", "E-ORG", "U-X-Y", "L-PER", "M-PER", "B-", "PER-B"]


def corpus(labels: list[str], **others: list[str]) -> TaggedCorpus:
    tags = {name: [row] for name, row in {"tag": labels, **others}.items()}
    return TaggedCorpus([[f"w{i}" for i in range(len(labels))]], tags, source="a.conll")


def labels(rules: LabelRules, given: list[str]) -> list[str]:
    return rules.apply(corpus(given), "tag").labels("tag").tolist()


def test_bio_prefixes() -> None:
    assert labels(LabelRules(strip_bio=True), NER) == [
        *("PER", "PER", "O", "", "LOC", "ORG", "X-Y", "PER", "PER", "B-", "PER-B")
    ]
    with pytest.raises(InputError, match="no label of 'tag' has a prefix"):
        labels(LabelRules(strip_bio=True), ["O", "PER", ""])


@pytest.mark.parametrize(
    ("rules", "given", "expected"),
    [
        (
            ["nsubj:.*=nsubj"],
            ["nsubj:pass", "nsubj", "csubj:pass"],
            ["nsubj", "nsubj", "csubj:pass"],
        ),
        (["(.*):.*=\\1"], ["nsubj:pass", "obl:tmod", "obj"], ["nsubj", "obl", "obj"]),
        # The first rule that matches is used, and what it gives is not mapped again.
        (["A|B=C", "B|C=D"], ["A", "B", "C", ""], ["C", "C", "D", ""]),
        (["B|C=D", "A=C"], ["A", "B", "C"], ["C", "D", "D"]),
        (["X="], ["X", "Y"], ["", "Y"]),
        # Whole labels only, and no label is never mapped.
        (["N=M", ".*X=Y"], ["N", "NN", "", "aX"], ["M", "NN", "", "Y"]),
        (["a=b=c"], ["a=b", "a"], ["c", "a"]),
    ],
)
def test_maps(rules: list[str], given: list[str], expected: list[str]) -> None:
    assert labels(LabelRules(label_map=rules), given) == expected


def test_prefixes_go_first() -> None:
    rules = LabelRules(strip_bio=True, label_map=["PER|ORG=ENT", "O="])
    assert labels(rules, ["B-PER", "I-ORG", "O", "B-LOC"]) == ["ENT", "ENT", "", "LOC"]


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (["X=Y"], "label_map 'X=Y': it matches no label; the labels are: A, B"),
        (["A|B=C", "B=D"], "label_map 'B=D': an earlier rule takes all labels it matches"),
    ],
)
def test_a_rule_that_does_nothing_is_refused(rules: list[str], says: str) -> None:
    with pytest.raises(InputError, match=r"a\.conll") as caught:
        labels(LabelRules(label_map=rules), ["A", "B"])
    assert says in str(caught.value)


@pytest.mark.parametrize("rules", [["nsubj"], ["(=x"], "a=b", [3], ["a=\\2"], {"a": "b"}])
def test_what_is_no_rule(rules: object) -> None:
    with pytest.raises(InputError, match="label_map"):
        LabelRules(label_map=rules)  # type: ignore[arg-type]


def test_other_tags_and_the_words_stay() -> None:
    before = corpus(["A", "B"], other=["A", "X"])
    after = LabelRules(label_map=["A=C"]).apply(before, "tag")
    assert after.tags["other"] == before.tags["other"]
    assert after.words_hash == before.words_hash
    assert after.content_hash != before.content_hash
    assert LabelRules().apply(before, "tag") is before


def test_position_can_be_mapped_too() -> None:
    assert labels(LabelRules(), ["A", "B"]) == ["A", "B"]
    mapped = LabelRules(label_map=["0=first", ".*=later"]).apply(corpus(["A"] * 3), "position")
    assert mapped.labels("position").tolist() == ["first", "later", "later"]


def test_where() -> None:
    words = corpus(
        ["A", "B", "A", ""], upos=["NOUN", "VERB", "PROPN", ","], case=["x", "x", "y", ""]
    )
    for where, expected in (
        ({"upos": "NOUN"}, [1, 0, 0, 0]),
        ({"upos": "NOUN,PROPN"}, [1, 0, 1, 0]),
        ({"upos": ["NOUN", ","]}, [1, 0, 0, 1]),
        ({"upos": ","}, [0, 0, 0, 1]),  # a label that is a comma
        ({"upos": "NOUN, PROPN", "case": "y"}, [0, 0, 1, 0]),
        ({"position": "0"}, [1, 0, 0, 0]),
    ):
        np.testing.assert_array_equal(word_filter(words, where=where), np.array(expected, bool))
        selection = WordSelection(where=where)
        np.testing.assert_array_equal(selection.mask(words, 0), np.array(expected, bool))
    for where, says in (
        ({"upos": "NOUM"}, "no word is labelled 'NOUM'; its labels are: ,, NOUN, PROPN, VERB"),
        ({"upos": ""}, "no word is labelled ''"),
        ({"xpos": "NN"}, "no labels called 'xpos'"),
        ({"upos": "VERB", "case": "y"}, "no word passes"),
    ):
        with pytest.raises(InputError, match=says):
            word_filter(words, where=where)


def test_where_and_the_other_filters_hold_together() -> None:
    words = corpus(["A", "B", "A"], upos=["NOUN", "VERB", "NOUN"])
    kept = word_filter(words, where={"upos": "NOUN"}, pattern="w[01]")
    assert kept.tolist() == [True, False, False]
