"""Of a file with a few bad lines, the other sentences are read and the lines are listed."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from neurox_lite.corpora.reading import read_corpus, read_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

CELLS = "\t_\tNOUN" + "\t_" * 6
FILES = {
    "a.conllu": (
        f"1\ta{CELLS}\n\n# text = bad\n1\tb\tshort\n2\tc{CELLS}\n\n1\td{CELLS}\n2\te{CELLS}\n",
        4,
        {},
    ),
    "b.conllu": (f"1\ta{CELLS}\n\n1\tb{CELLS}\n3\tc{CELLS}\n\n1\td{CELLS}\n2\te{CELLS}\n", 4, {}),
    "c.conll": ("a NN\n\nb NN O\nc NN\n\nd NN\ne NN\n", 3, {}),
    "d.conll": ("a NN\n\n# comment\nc NN\n\nd VB\ne NN\n", 3, {}),
    "e.txt": ("a\n\nb c\nd e\n", 3, {"format": "parallel", "labels": "X\n\nX\nX Y\n"}),
    "f.txt": ("a\n\nb c\nd e\n", 3, {"format": "sentences", "labels": "X\n\n\nY\n"}),
    "g.csv": (
        "label,text\nX,a\nX,b,c\nY,d e\n",
        3,
        {"text_column": "text", "label_column": "label"},
    ),
    "h.csv": (
        'label,text\nX,a\n"X" Y,b\nY,d e\n',
        3,
        {"text_column": "text", "label_column": "label"},
    ),
}


def written(folder: Path, name: str) -> tuple[Path, int, dict[str, str]]:
    text, line, options = FILES[name]
    (folder / name).write_text(text)
    if "labels" in options:
        (folder / "labels").write_text(options["labels"])
        options = {**options, "labels": str(folder / "labels")}
    return folder / name, line, options


@pytest.mark.parametrize("name", FILES)
def test_the_sentence_is_left_out_and_the_line_listed(tmp_path: Path, name: str) -> None:
    path, line, options = written(tmp_path, name)
    with pytest.raises(InputError, match=f"line {line}"):
        read_corpus(path, **options)
    corpus = read_corpus(path, skip_bad_lines=True, **options)
    assert list(corpus.sentences) == [("a",), ("d", "e")]
    assert all(len(rows) == 2 for rows in corpus.tags.values())
    (skipped,) = corpus.skipped
    assert f"line {line}" in skipped
    assert str(tmp_path) in skipped
    words = read_corpus(path, skip_bad_lines=True, words_only=True, **options)
    assert words.words_hash == corpus.words_hash
    assert words.skipped == corpus.skipped


def test_a_file_without_a_good_line_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text("a NN\nb VB\n\nc NN\n")
    with pytest.raises(InputError, match=r"line 1: .*every other sentence"):
        read_corpus(path, skip_bad_lines=True)


def test_bad_lines_of_all_splits_are_listed_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, _, _ = written(tmp_path, "c.conll")
    other = tmp_path / "other.conll"
    other.write_text("a NN\n\nf\n\ng NN\n")
    files = {"train": str(path), "dev": str(path), "test": str(other)}
    with caplog.at_level(logging.WARNING):
        corpus = read_splits(files, skip_bad_lines=True)
    assert [str(path) in line for line in corpus.skipped] == [True, True, False]
    assert "3 sentences with bad lines are left out" in caplog.text
    assert f"{other}: line 3" in caplog.text
    assert corpus.splits == ("train", "train", "dev", "dev", "test", "test")


def test_nothing_is_skipped_where_nothing_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a NN\n")
    assert read_corpus(path, skip_bad_lines=True).skipped == ()
    assert TaggedCorpus([["a"]]).skipped == ()
