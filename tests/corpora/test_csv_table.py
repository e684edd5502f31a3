"""Sentences and labels of a table are those that a spreadsheet shows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurox_lite.corpora.csv_table import read_csv
from neurox_lite.corpora.reading import read_corpus
from neurox_lite.errors import InputError

COLUMNS = {"text_column": "sentence", "label_column": "label"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_a_spreadsheet_writes(tmp_path: Path, delimiter: str, end: str, mark: str) -> None:
    path = tmp_path / "a.csv"
    rows = [
        ["label", "id", "sentence"],
        ["good", "1", 'a "fine", film; yes\tindeed'],
        ["very bad", "2", "a line\nand another"],
        [],
        ["", "3", "# no label"],
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(mark)
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    corpus = read_csv(path, **COLUMNS)
    assert [" ".join(words) for words in corpus.sentences] == [
        'a "fine", film; yes indeed',
        "a line and another",
        "# no label",
    ]
    by_sentence = corpus.by_sentence()
    assert by_sentence.labels("label").tolist() == ["good", "very bad", ""]
    assert corpus.sentence_tags == ("label",)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.text("ab \",;\n\t'", min_size=1).filter(str.strip), st.sampled_from("xy")),
        min_size=1,
    ),
    st.sampled_from(",;\t"),
)
def test_all_cells_come_back(tmp_path_factory, rows, delimiter) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([("sentence", "label"), *rows])
    corpus = read_csv(path, **COLUMNS)
    assert [list(words) for words in corpus.sentences] == [text.split() for text, _ in rows]
    assert corpus.by_sentence().labels("label").tolist() == [label for _, label in rows]


def test_without_labels_and_told_by_options(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("sentence\nrain fell\n")
    corpus = read_corpus(path, text_column="sentence")
    assert (corpus.words(), corpus.tags) == (["rain", "fell"], {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("text,label\na,b\n", "line 1: no column 'sentence'; the header has: text, label; give"),
        ("sentence,score\na,b\n", "line 1: no column 'label'"),
        ("sentence,label,label\na,b,c\n", "line 1: two columns are called 'label'"),
        ("sentence,label\na,b\na, b, c\n", "line 3: 3 cells where the header has 2"),
        ("sentence,label\n'a\nb',x\n", "line 2: 1 cells where"),
        ('sentence,label\n"a" b,x\n', "line 2: no row of a table"),
        ('sentence,label\na,x\n"b,x\nc,x\n', "line 3: a quote that is opened and not closed"),
        ('sentence,label\n"a\n\nb",x\n ,y\n', "line 5: no text in column 'sentence'"),
        ("sentence,label\n", "no sentences"),
        ("", "is empty; give a table with a header"),
        ('sentence,label\na,x\n"b,x\nc,x\n"d",x\n', r"line 3: no row of a table up to line 5"),
        (f"sentence,label\n{'a ' * 100_000},x\n", "line 2: no row of a table .*131072"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        read_csv(path, **COLUMNS)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_column_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sentence,label\na,b\n")
    with pytest.raises(InputError, match="--text-column"):
        read_corpus(path)
    with pytest.raises(InputError, match="takes no text_column"):
        read_corpus(path, format="text", text_column="sentence")
