import re

import pytest

from neurox_lite.corpora.annotation import annotate, read_text
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

CORPUS = TaggedCorpus([["In", "1999"], ["it", "rained", "1999a"]], source="rain.txt")


def test_read_text(tmp_path):
    path = tmp_path / "plain.txt"
    path.write_text("\nOne  two\n \t\nthree\u00a0four", encoding="utf-8")
    corpus = read_text(path)
    assert corpus.sentences == (("One", "two"), ("three", "four"))
    assert not corpus.tags
    assert corpus.source == str(path)


def test_read_text_without_words(tmp_path):
    (tmp_path / "plain.txt").write_text(" \n\n")
    with pytest.raises(InputError, match=r"plain\.txt: no sentences"):
        read_text(tmp_path / "plain.txt")


@pytest.mark.parametrize(
    ("rule", "positive"),
    [
        (r"\d+", ["1999"]),
        (re.compile("I[NT]", re.IGNORECASE), ["In", "it"]),
        ({"it", "1999", "snow"}, ["1999", "it"]),
        (frozenset({"rained"}), ["rained"]),
    ],
    ids=["pattern matches whole words", "compiled", "set", "frozenset"],
)
def test_pattern_or_set_gives_positive_and_negative(rule, positive):
    labels = annotate(CORPUS, "mine", rule).labels("mine")
    words = CORPUS.words()
    assert labels.tolist() == ["positive" if w in positive else "negative" for w in words]


def test_function_gives_any_label_or_none():
    corpus = annotate(
        CORPUS, "case", lambda w: "" if w[0].isdigit() else "lower" if w.islower() else "upper"
    )
    assert corpus.tags["case"] == (("upper", ""), ("lower", "lower", ""))
    assert corpus.words_hash == CORPUS.words_hash


def test_other_tags_stay():
    corpus = annotate(annotate(CORPUS, "digits", r"\d+"), "it", {"it"})
    assert set(corpus.tags) == {"digits", "it"}


def no_label(word):
    return ""


def length(word):
    return len(word)


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("[xyz]", ["rain.txt", "pattern '[xyz]'", "only the label 'negative'"]),
        (re.compile(".*"), ["rain.txt", "pattern '.*'", "only the label 'positive'"]),
        ({"snow", "hail"}, ["rain.txt", "a set of 2 words", "only the label 'negative'"]),
        (no_label, ["rain.txt", "function no_label", "no label at all"]),
        (lambda w: "it" if w == "it" else "", ["<lambda>", "only the label 'it'"]),
        ("(", ["'('", "not a regular expression"]),
        (length, ["2 for 'In'", "return a str"]),
        (["it"], ["cannot be a list", "a set of words"]),
    ],
)
def test_errors_name_the_rule(rule, parts):
    with pytest.raises(InputError) as caught:
        annotate(CORPUS, "mine", rule)
    message = str(caught.value)
    assert "\n" not in message
    for part in ["annotation 'mine'", ";", *parts]:
        assert part in message
