"""Pairs of sentences are taken apart without loss, and files of them read line by line."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_pairs, write_pairs
from neurox_lite.corpora.sentence_pairs import differing_words
from neurox_lite.errors import InputError

BLIMP = [
    ("Many girls insulted themselves.", "Many girls insulted herself."),
    ("A lady who left smiles.", "A lady who left smile."),
    ("Who left?", "left?"),
    ("These boys help Kim.", "This boys help Kim."),
    ("The cat that Bill saw ran.", "The cat Bill saw that ran."),
]


def written(path: Path, pairs=BLIMP, **others: str) -> Path:
    records = [{"sentence_good": a, "sentence_bad": b, **others} for a, b in pairs]
    path.write_text("\n".join(map(json.dumps, records)) + "\n")
    return path


def test_blimp(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", UID="u", linguistics_term="agreement", pair_id="3")
    pairs = read_pairs(path)
    assert [(p.prefix, p.right, p.wrong, p.suffix) for p in pairs] == [
        (("Many", "girls", "insulted"), "themselves", "herself", (".",)),
        (("A", "lady", "who", "left"), "smiles", "smile", (".",)),
        ((), "Who left?", "left?", ()),
        ((), "These", "This", ("boys", "help", "Kim.")),
        (("The", "cat"), "that Bill saw", "Bill saw that", ("ran.",)),
    ]
    assert [pair.both_sentences() for pair in pairs] == BLIMP
    assert {(pair.template, pair.condition) for pair in pairs} == {("u", "agreement")}


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d.", "e"]), min_size=1, max_size=6)


@given(WORDS, WORDS)
def test_nothing_is_lost_and_the_difference_is_as_short_as_can_be(first, second) -> None:
    assume(first != second)
    before, right, wrong, after = differing_words(" ".join(first), " ".join(second))
    for whole, part in ((first, right), (second, wrong)):
        assert "".join([*before, *part, *after]) == "".join(whole)
        assert part
    if len(right) > 1 and len(wrong) > 1:
        assert right[0] != wrong[0]
        assert right[-1] != wrong[-1]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"sentence_good": "a b"}', "has no texts 'sentence_good' and 'sentence_bad'"),
        ('{"sentence_good": "a b", "sentence_bad": 3}', "has no texts"),
        ('{"sentence_good": "a b", "sentence_bad": "a  b"}', "the sentences are equal"),
        ('{"sentence_good": "a b", "sentence_bad": " "}', "a sentence is empty"),
        ('{"sentence_good": "a", "sentence_good": "b", "sentence_bad": "c"}', "occurs twice"),
        ("[1]", "not a JSON object"),
        ("{", "line 2"),
    ],
)
def test_bad_lines_of_json(tmp_path: Path, caplog, line: str, says: str) -> None:
    path = written(tmp_path / "a.jsonl", BLIMP[:1])
    path.write_text(path.read_text() + line + "\n\n" + path.read_text())
    with pytest.raises(InputError, match="line 2: ") as caught:
        read_pairs(path)
    assert says in str(caught.value)
    with caplog.at_level(logging.WARNING):
        assert len(read_pairs(path, skip_bad_lines=True)) == 2
    assert "1 bad lines are left out" in caplog.text
    assert f"{path}, line 2" in caplog.text


def test_bad_lines_of_tables_and_templates(tmp_path: Path) -> None:
    table = tmp_path / "a.tsv"
    write_pairs(table, [MinimalPair(("the", "cat"), "runs", "run")])
    table.write_text(table.read_text() + "the cat\truns\nthe dogs\trun\truns\t\t\t\n\t\ta\t\t\t\n")
    with pytest.raises(InputError, match="line 3"):
        read_pairs(table)
    read = read_pairs(table, skip_bad_lines=True)
    assert [pair.right for pair in read] == ["runs", "run"]
    assert [line.split(": ")[0] for line in read.skipped] == [f"{table}, line {n}" for n in (3, 5)]
    template = tmp_path / "simple.txt"
    good = "the cat runs\tsingular\tcorrect\t1\nthe cat run\tsingular\twrong\t1\n"
    bad = "the cat runs\tsingular\tcorrect\t2\nthe dog run\tsingular\twrong\t2\n"
    template.write_text(good + bad)
    with pytest.raises(InputError, match="line 3"):
        read_pairs(template)
    assert read_pairs(template, skip_bad_lines=True) == [
        MinimalPair(("the", "cat"), "runs", "run", (), "simple", "singular")
    ]
    template.write_text(bad)
    with pytest.raises(InputError, match=r"line 1.*every other"):
        read_pairs(template, skip_bad_lines=True)
