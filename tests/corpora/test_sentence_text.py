"""CoNLL-U as it was written: every word is where it stands in the text."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.reading import read_corpus, read_splits
from neurox_lite.corpora.sentence_text import join_words
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

NO = "SpaceAfter=No"


def conllu(rows: list[tuple[str, str, str]], text: str | None = None) -> str:
    """A sentence of rows of ID, form and MISC."""
    head = [] if text is None else [f"# text = {text}"]
    lines = [f"{number}\t{form}" + "\t_" * 7 + f"\t{misc}" for number, form, misc in rows]
    return "\n".join([*head, *lines]) + "\n\n"


FRENCH = [
    *(
        ("1", "Il", "_"),
        ("2", "parle", "_"),
        ("3-4", "du", "_"),
        ("3", "de", "_"),
        ("4", "le", "_"),
    ),
    *(("5", "chat", NO), ("6", ".", "_")),
]
CASES = {
    "chinese": (
        [("1", "我", NO), ("2", "爱", NO), ("3", "北京", NO), ("4", "。", NO)],
        "我爱北京。",
        None,
    ),
    "english": (
        [
            ("1-2", "Don't", "_"),
            ("1", "Do", "_"),
            ("2", "n't", "_"),
            ("3", "go", NO),
            ("4", "!", "_"),
        ],
        "Don't go!",
        [(0, 2), (2, 5), (6, 8), (8, 9)],
    ),
    "french": (FRENCH, "Il parle du chat.", [(0, 2), (3, 8), (9, 11), (9, 11), (12, 16), (16, 17)]),
    "case": ([("1-2", "Al", NO), ("1", "a", "_"), ("2", "l", "_")], "Al", [(0, 1), (1, 2)]),
    "empty node": ([("1", "a", "_"), ("1.1", "x", "_"), ("2", "b", "_")], "a b", [(0, 1), (2, 3)]),
    "a word with a space": ([("1", "10 000", NO), ("2", "€", "_")], "10 000€", [(0, 6), (6, 7)]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("with_text", [True, False])
def test_words_are_where_they_stand(tmp_path: Path, name: str, with_text: bool) -> None:
    rows, text, spans = CASES[name]
    path = tmp_path / "a.conllu"
    path.write_text(conllu(rows, text if with_text else None))
    corpus = read_corpus(path, text="raw")
    ((read, places),) = corpus.texts
    assert read == text == corpus.text(0)
    words = corpus.words()
    if spans is None:
        assert [read[start:end] for start, end in places] == words
    else:
        assert list(places) == spans
    plain = read_conllu(path)
    assert corpus.words_hash == plain.words_hash  # what labels belong to
    assert plain.text_hash == "" != corpus.text_hash
    assert read_corpus(path, text="raw", words_only=True).text_hash == corpus.text_hash


def test_spaces_are_those_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(conllu([("1", "a", "_"), ("2", "b", "_")], "a\u3000  b"))
    ((text, spans),) = read_conllu(path, text="raw").texts
    assert [text[start:end] for start, end in spans] == ["a", "b"]
    assert spans == ((0, 1), (4, 5))


@pytest.mark.parametrize(
    ("rows", "text", "says"),
    [
        ([("1", "a", "_"), ("2", "b", "_")], "a c", "continues with 'c' and the words with 'b'"),
        ([("1", "a", "_")], "a b", "continues with ' b' after the last word"),
        ([("1", "a", "_"), ("2", "b", "_")], "a", "continues with ''"),
        ([("1-3", "ab", "_"), ("1", "a", "_"), ("2", "b", "_")], "ab", "multiword token 1-3"),
        ([("2-1", "ab", "_"), ("1", "a", "_"), ("2", "b", "_")], "ab", "multiword token 2-1"),
    ],
)
def test_other_text_than_its_words(tmp_path: Path, rows, text: str, says: str) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(conllu([("1", "x", "_")], "x") + conllu(rows, text))
    assert len(read_conllu(path)) == 2
    with pytest.raises(InputError, match=f"line 4: .*{says}"):
        read_conllu(path, text="raw")
    corpus = read_conllu(path, text="raw", skip_bad_lines=True)
    assert corpus.words() == ["x"]
    assert len(corpus.skipped) == 1
    assert len(corpus.texts) == 1


def test_text_goes_with_its_sentences(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text("".join(conllu([("1", f"w{i}", NO), ("2", ".", "_")]) for i in range(40)))
    corpus = read_splits(str(path), text="raw", seed=3)
    assert corpus.splits == read_splits(str(path), seed=3).splits
    assert corpus.section(range(3, 5)).text(1) == "w4."
    assert corpus.by_sentence().words()[7] == "w7."
    assert not corpus.by_sentence().texts
    files = {split: str(path) for split in ("train", "dev", "test")}
    assert read_splits(files, text="raw").text(41) == "w1."


def test_words_that_are_joined_by_spaces() -> None:
    assert join_words(["ab", "c"]) == ("ab c", ((0, 2), (3, 4)))
    with pytest.raises(InputError, match="other numbers of words"):
        TaggedCorpus([["a"]], texts=[join_words(["a", "b"])])
    with pytest.raises(InputError, match="text is 'written'; give words or raw"):
        read_conllu("none.conllu", text="written")
