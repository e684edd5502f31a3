import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.corpora.columns import read_columns
from neurox_lite.errors import InputError

CHUNKS = "Rain NN B-NP\nfell VBD B-VP\n\n\nIt PRP B-NP\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="words.conll"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        CHUNKS,
        CHUNKS.replace(" ", "\t"),
        CHUNKS.replace(" ", " \t "),
        CHUNKS.replace("\n", " \n"),
        CHUNKS.rstrip(),
        "-DOCSTART- -X- O\n\n" + CHUNKS,
        "-DOCSTART-\n" + CHUNKS.replace("\n\n", "\n-DOCSTART- (2 doc) x y\n", 1),
    ],
    ids=["spaces", "tabs", "mixed", "space at end", "no line end", "docstart", "between"],
)
def test_three_columns_are_conll_2000(write, text):
    corpus = read_columns(write(text))
    assert corpus.sentences == (("Rain", "fell"), ("It",))
    assert corpus.tags == {
        "xpos": (("NN", "VBD"), ("PRP",)),
        "chunk": (("B-NP", "B-VP"), ("B-NP",)),
    }


def test_other_numbers_of_columns_are_numbered(write):
    corpus = read_columns(write("EU NNP B-NP B-ORG\nsaid VBD B-VP O\n"))
    assert list(corpus.tags) == ["column2", "column3", "column4"]
    assert corpus.labels("column4").tolist() == ["B-ORG", "O"]
    assert not read_columns(write("just\nwords\n")).tags


def test_columns_can_be_named_and_the_word_can_be_any_of_them(write):
    corpus = read_columns(write("NN Rain\nVBD fell\n"), columns=["pos", "word"])
    assert corpus.words() == ["Rain", "fell"]
    assert corpus.tags == {"pos": (("NN", "VBD"),)}


@pytest.mark.parametrize(
    ("text", "columns", "parts"),
    [
        (CHUNKS + "\nBad line\n", None, ["line 7", "2 columns where 3", "word, xpos, chunk"]),
        (CHUNKS, ["word", "ner"], ["line 1", "3 columns where 2", "word, ner"]),
        ("\n -DOCSTART- -X-\n\n", None, ["no sentences"]),
        ("", ["word", "ner"], ["no sentences"]),
    ],
)
def test_errors_name_file_line_and_counts(write, text, columns, parts):
    with pytest.raises(InputError) as caught:
        read_columns(write(text), columns)
    message = str(caught.value)
    assert "\n" not in message
    for part in ["words.conll", ";", *parts]:
        assert part in message


@pytest.mark.parametrize("columns", [["form", "pos"], ["word", "word"], ["word", "x", "x"], []])
def test_bad_names(write, columns):
    with pytest.raises(InputError, match="call one 'word'"):
        read_columns(write(CHUNKS), columns)


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=" \t\n\r"), min_size=1
).filter(lambda cell: not cell.isspace() and cell != "-DOCSTART-" and cell[0] != "\ufeff")


@given(st.lists(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), min_size=1, max_size=4))
def test_round_trip(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("columns") / "random.conll"
    blocks = ["".join(f"{word} {label}\n" for word, label in rows) for rows in sentences]
    path.write_text("\n".join(blocks), encoding="utf-8", newline="")
    corpus = read_columns(path, comment="")

    assert corpus.sentences == tuple(tuple(word for word, _ in rows) for rows in sentences)
    assert corpus.tags["column2"] == tuple(tuple(label for _, label in rows) for rows in sentences)
