"""Comments are no words and words no comments, in column files of every known format."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurox_lite.corpora.column_formats import without_brackets
from neurox_lite.corpora.columns import read_columns
from neurox_lite.corpora.reading import read_corpus
from neurox_lite.errors import InputError

MULTICONER = """\
# id 5f1e-05b domain=en

# id 5239\tdomain=en
#bitcoin _ _ B-PROD
rises _ _ O
# _ _ O
again _ _ O

# id 3\tdomain=en
# _ _ O
1 _ _ O
"""
WORDS = [("#bitcoin", "rises", "#", "again"), ("#", "1")]


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "a.conll"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("options", [{"columns": "multiconer"}, {"comment": "# id"}])
def test_multiconer(write, options) -> None:
    corpus = read_columns(write(MULTICONER), **options)
    assert list(corpus.sentences) == WORDS
    tag = "ner" if "columns" in options else "column4"
    assert list(corpus.tags[tag]) == [("B-PROD", "O", "O", "O"), ("O", "O")]


@pytest.mark.parametrize("comment", ["#", "# "])
def test_words_that_begin_as_comments_do_stay_words(write, comment: str) -> None:
    corpus = read_columns(write(MULTICONER), comment=comment)
    assert list(corpus.sentences) == WORDS
    words = read_columns(write(MULTICONER), comment=comment, words_only=True)
    assert words.words_hash == corpus.words_hash


@pytest.mark.parametrize("words_only", [False, True])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (MULTICONER, 1),
        ("a NN\n\n# newdoc\nb VB\n", 3),
        ("# newdoc\nb VB\n", 1),
        ("a NN O\n\n# sent 3\nb VB O\n", 3),
        ("a X = Y\n\n# sent_id = w-1\nb X Y Z\n", 3),
        ("a NN\n\n#sent_id=3 x\nb VB\n", 3),
        ("a NN\nb VB\n# a longer comment\nc NN\n", 3),
        ("a NN O\n\n \t# sent 3\nb VB O\n", 3),
        ("#\thttp://x.de\t[2009]\n1\ta\tO\tO\n", 1),
    ],
)
def test_what_looks_like_a_comment_is_refused(write, text: str, line: int, words_only) -> None:
    path = write(text)
    if line == 3 and "sent_id = w" in text:
        # "=" is a label of that column, so this may be a word.
        assert read_columns(path).sentences[1][0] == "#"
        return
    with pytest.raises(InputError) as caught:
        read_columns(path, words_only=words_only)
    assert str(caught.value).startswith(f"{path}: line {line}: ")
    assert "--comment '# '" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#bitcoin NN\nrises VB\n", ["#bitcoin", "rises"]),
        ("rises VB\n# SYM\n1 CD\n", ["rises", "#", "1"]),  # inside a sentence
        ("# SYM\n1 CD\n\nno SYM\n", ["#", "1", "no"]),  # with a label of another word
        ("#1 NN O\nfan NN O\n", ["#1", "fan"]),
        ("#\nrises\n\nrises\n#\n", None),  # nothing tells
    ],
)
def test_hashtags_and_lone_marks_are_words(write, text: str, words: list[str] | None) -> None:
    if words is None:
        with pytest.raises(InputError, match="looks like a comment"):
            read_columns(write(text))
    else:
        assert read_columns(write(text)).words() == words
        assert read_columns(write(text), comment="#").words() == words
    assert read_columns(write(text), comment="").words() == [
        line.split()[0] for line in text.splitlines() if line
    ]


@pytest.mark.parametrize("comment", ["//", "%%", ";"])
def test_other_marks(write, comment: str) -> None:
    corpus = read_columns(write(f"{comment} file 1\na NN\n{comment} NN\n"), comment=comment)
    assert corpus.words() == ["a", comment]


@pytest.mark.parametrize(
    ("comment", "option"),
    [
        ("% 2", "% "),
        ("%file 2", "%"),
        ("// 2", "// "),
        (";; 2", ";; "),
        (";;file 2", ";;"),
        ('<doc id="2">', "<doc "),
        ("</doc 2>", "</doc "),
    ],
)
def test_comments_of_other_styles_are_refused_and_read_as_the_message_says(
    write, comment: str, option: str
) -> None:
    path = write(f"a NN\n\n{comment}\nb VB\n")
    with pytest.raises(InputError, match=f"line 3: .*looks like a comment.*--comment '{option}'"):
        read_columns(path)
    assert read_columns(path, comment=option).words() == ["a", "b"]


@pytest.mark.parametrize("word", ["%", "//", ";;", "%x", "<doc"])
def test_words_of_other_styles_stay_words(write, word: str) -> None:
    inside = read_columns(write(f"5 CD\n{word} XX\n"))
    assert inside.words() == ["5", word]
    first = read_columns(write(f"a NN\n\n{word} NN\nb VB\n"))
    assert first.words() == ["a", word, "b"]


def test_conll_2003(write) -> None:
    corpus = read_columns(
        write("-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n"), "conll2003"
    )
    assert corpus.words() == ["EU", "rejects"]
    assert corpus.tags["ner"] == (("B-ORG", "O"),)
    assert set(corpus.tags) == {"xpos", "chunk", "ner"}


CONLL_2012 = """\
#begin document (nw/mine/00/mine_0000); part 000
nw/mine/00/mine_0000   0   0    In     IN  (TOP(S(PP*   -   -   -   Speaker#1   *   *   -
nw/mine/00/mine_0000   0   1   Hong   NNP   (NP*   -   -   -   Speaker#1   (GPE*   *   (23
nw/mine/00/mine_0000   0   2   Kong   NNP   *)   -   -   -   Speaker#1   *)   *   23)
nw/mine/00/mine_0000   0   3   runs   VBZ   *))   run   01   1   Speaker#1   *   (V*)   -

nw/mine/00/mine_0000   0   0   #   UH   (TOP*)   -   -   -   -   (ORG)   -

#end document
#begin document (nw/mine/00/mine_0000); part 001
nw/mine/00/mine_0000   1   0   Yes   UH   (TOP*)   -   -   -   -   *   *   *   *   (5)
#end document
"""


def test_conll_2012_has_rows_of_any_length(write) -> None:
    corpus = read_columns(write(CONLL_2012), "conll2012")
    assert list(corpus.sentences) == [("In", "Hong", "Kong", "runs"), ("#",), ("Yes",)]
    assert corpus.labels("xpos").tolist() == ["IN", "NNP", "NNP", "VBZ", "UH", "UH"]
    assert corpus.labels("ner").tolist() == ["O", "B-GPE", "I-GPE", "O", "B-ORG", "O"]
    assert corpus.labels("coref").tolist() == ["-", "(23", "23)", "-", "-", "(5)"]
    assert corpus.labels("lemma").tolist() == ["", "", "", "run", "", ""]
    assert corpus.labels("speaker")[0] == "Speaker#1"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("   23)", "", "line 4: .* columns"),
        ("(GPE*", "*", "line 4: the brackets of 'ner' do not match"),
        ("  0   1   Hong", "  0   x   Hong", "line 3: column 3 is 'x' and not the number"),
    ],
)
def test_conll_2012_that_is_none(write, old: str, new: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_columns(write(CONLL_2012.replace(old, new, 1)), "conll2012")


def test_brackets() -> None:
    assert without_brackets(["(A*", "*", "*)", "*", "(B)", "(C*)"]) == [
        *("B-A", "I-A", "I-A", "O", "B-B", "B-C")
    ]
    for bad, place in ((["*)"], 0), (["(A*", "(B*)"], 1), (["*", "(A*"], 1), (["A"], 0)):
        with pytest.raises(ValueError, match=str(place)):
            without_brackets(bad)


def test_germeval(write) -> None:
    text = (
        "#\thttp://example.org/Seite\t[2010-01-01]\n"
        "1\tAnna\tB-PER\tO\n2\t#\tO\tO\n\n"
        "#\tzeitung.example vom 02.03.2010 [2010-03-02] \n1\t1999\tO\tO\n2\tFC\tB-ORG\tB-LOCderiv\n"
    )
    corpus = read_columns(write(text), "germeval")
    assert list(corpus.sentences) == [("Anna", "#"), ("1999", "FC")]
    assert corpus.labels("ner").tolist() == ["B-PER", "O", "O", "B-ORG"]
    assert corpus.labels("nested_ner").tolist() == ["O", "O", "O", "B-LOCderiv"]
    assert set(corpus.tags) == {"ner", "nested_ner"}


def test_columns_by_name(write) -> None:
    path = write("a x NN B-X\nb y VB O\n")
    corpus = read_columns(path, "word,_,xpos, ner")
    assert (corpus.words(), sorted(corpus.tags)) == (["a", "b"], ["ner", "xpos"])
    assert read_columns(path, ["word", "...", "ner"]).tags == {"ner": (("B-X", "O"),)}
    assert read_columns(path, "_,word,...").words() == ["x", "y"]
    for wrong in ("xpos,ner", "word,word", "word,ner,ner,_", "word,,x,y", "conll1999", ""):
        with pytest.raises(InputError, match="columns"):
            read_columns(path, wrong)
    with pytest.raises(InputError, match="4 columns where 3 were expected"):
        read_columns(path, "word,xpos,ner")


def test_columns_tell_the_format(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(MULTICONER)
    assert read_corpus(path, columns="multiconer").words()[0] == "#bitcoin"
    assert read_corpus(path, comment="# id").words()[0] == "#bitcoin"
    with pytest.raises(InputError, match=r"takes no columns \(--columns\)"):
        read_corpus(path, columns="multiconer", format="conllu")
