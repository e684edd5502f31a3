import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.errors import InputError


def row(word_id, form, head="_", *, lemma="_", upos="_", feats="_", deprel="_", misc="_"):
    return "\t".join([word_id, form, lemma, upos, "_", feats, head, deprel, "_", misc])


DONT = "\n".join(
    [
        "# sent_id = 1",
        "# text = Dogs don't bark.",
        row(
            "1", "Dogs", "4", lemma="dog", upos="NOUN", feats="Case=Nom|Number=Plur", misc="Depth=2"
        ),
        row("2-3", "don't", misc="SpaceAfter=No"),
        row("2", "do", "4", lemma="do", upos="AUX", feats="Tense=Pres"),
        row("3", "n't", "2", lemma="not", upos="PART"),
        row("4", "bark", "0", lemma="bark", upos="VERB", deprel="root", misc="SpaceAfter=No|X=a=b"),
        row("4.1", "loudly", upos="ADV", feats="Degree=Pos"),
        row("5", ".", "4", upos="PUNCT"),
        "",
        "# sent_id = 2",
        row("1", "Go", "0", lemma="go", upos="VERB", feats="Number=Sing"),
        "",
        "",
    ]
)


@pytest.fixture
def read(tmp_path):
    def read(text, name="bank.conllu", encoding="utf-8"):
        path = tmp_path / name
        content = text.encode(encoding)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return read_conllu(path)

    return read


@pytest.mark.parametrize("name", ["bank.conllu", "bank.conllu.gz"])
def test_words_and_tags(read, tmp_path, name):
    corpus = read(DONT, name)

    assert corpus.sentences == (("Dogs", "do", "n't", "bark", "."), ("Go",))
    assert corpus.source == str(tmp_path / name)
    assert {tag: corpus.labels(tag).tolist() for tag in corpus.tags} == {
        "lemma": ["dog", "do", "not", "bark", "", "go"],
        "upos": ["NOUN", "AUX", "PART", "VERB", "PUNCT", "VERB"],
        "head": ["4", "4", "2", "0", "4", "0"],
        "deprel": ["", "", "", "root", "", ""],
        "Case": ["Nom", "", "", "", "", ""],
        "Number": ["Plur", "", "", "", "", "Sing"],
        "Tense": ["", "Pres", "", "", "", ""],
        "Depth": ["2", "", "", "", "", ""],
        "SpaceAfter": ["", "", "", "No", "", ""],
        "X": ["", "", "", "a=b", "", ""],
        "depth": ["1", "1", "2", "0", "1", "0"],
    }


@pytest.mark.parametrize(
    "text",
    [
        DONT.replace("\n", "\r\n"),
        "\ufeff" + DONT,
        DONT.rstrip("\n"),
        "\n\n" + DONT,
        DONT.replace("\n\n", "\n \n# only a comment\n\n"),
        "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC\n" + DONT,
    ],
    ids=["windows", "mark", "no last line end", "blank start", "comment block", "columns named"],
)
def test_harmless_variants_read_the_same(read, text):
    assert read(text).content_hash == read(DONT).content_hash


def test_literal_underscore_is_a_word_with_a_lemma(read):
    corpus = read(row("1", "_") + "\n" + row("2", "_", lemma="x") + "\n" + row("3", "a"))
    assert corpus.words() == ["_", "_", "a"]
    assert corpus.labels("lemma").tolist() == ["_", "x", ""]


def test_words_keep_their_spaces(read):
    words = ["20 000", "20\u00a0000", "a\u2028b", "\u200bx", "日本", "e\u0301"]
    text = "\n".join(row(str(i), word) for i, word in enumerate(words, start=1))
    assert read(text).words() == words


def test_feature_hides_a_misc_key_of_the_same_name(read):
    text = row("1", "a", feats="Number=Sing") + "\n" + row("2", "b", misc="Number=7|Flag|Other=_")
    corpus = read(text)
    assert corpus.labels("Number").tolist() == ["Sing", ""]
    assert set(corpus.tags) == {"Number"}


@pytest.mark.parametrize(
    ("heads", "depths"),
    [
        (["2", "1"], ["", ""]),
        (["0", "0", "2"], ["0", "0", "1"]),
        (["0", "9", "1", "2"], ["0", "", "1", ""]),
        (["1", "0"], ["", "0"]),
        (["0", "_", "2"], ["0", "", ""]),
        (["0", "3", "2", "2", "1"], ["0", "", "", "", "1"]),
    ],
    ids=["cycle", "two roots", "outside", "own head", "no head", "below a cycle beside a root"],
)
def test_depth_is_empty_where_heads_do_not_lead_to_a_root(read, heads, depths):
    text = DONT + "\n".join(row(str(i), "w", head) for i, head in enumerate(heads, start=1))
    corpus = read(text)
    assert corpus.labels("depth").tolist() == ["1", "1", "2", "0", "1", "0", *depths]
    assert corpus.labels("head").tolist()[6:] == [head if head != "_" else "" for head in heads]


def test_no_depth_without_any_root(read):
    assert set(read(row("1", "a", "2") + "\n" + row("2", "b", "1")).tags) == {"head"}


def test_depth_of_a_long_chain(read):
    corpus = read("\n".join(row(str(i), "w", str(i - 1)) for i in range(1, 3001)))
    assert corpus.labels("depth").tolist() == [str(i) for i in range(3000)]


GOOD = row("1", "a", "0")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["no sentences"]),
        ("# only comments\n\n", ["no sentences"]),
        (f"# c\n{GOOD}\n2\tb\tb\n", ["line 3", "3 columns instead of 10", "tabs"]),
        (f"{GOOD}\tx\n", ["line 1", "11 columns instead of 10"]),
        (GOOD.replace("\t", "  "), ["line 1", "1 columns instead of 10"]),
        (GOOD.replace("\t0\t", "\t\t"), ["line 1", "column 7 is empty"]),
        (f"{GOOD}\n\n{row('1', 'b', 'two')}", ["line 3", "HEAD 'two'", "not a number"]),
        (row("1", "a", "-1"), ["line 1", "HEAD '-1'"]),
        (f"{GOOD}\n{row('1', 'b', '0')}", ["line 2", "ID '1' where 2", "blank line"]),
        (f"{GOOD}\n{row('x', 'b', '0')}", ["line 2", "ID 'x' where 2"]),
        (row("1", "a  b"), ["line 1", "two spaces"]),
        (f"# global.columns = ID FORM\n{GOOD}", ["line 1", "CoNLL-U Plus"]),
        (f"{GOOD}\n{row('2', chr(0x3000), '1')}", ["sentence 1", "empty word"]),
    ],
)
def test_errors_name_file_line_and_what_to_do(read, text, parts):
    with pytest.raises(InputError) as caught:
        read(text, "broken.conllu")
    message = str(caught.value)
    assert "\n" not in message
    for part in ["broken.conllu", ";", *parts]:
        assert part in message


def test_latin_1_is_named(read):
    with pytest.raises(InputError, match=r"old\.conllu: line 2: not UTF-8 \(byte 0xe9\)"):
        read(f"{GOOD}\n{row('2', 'café', '1')}\n", "old.conllu", encoding="latin-1")


# What CoNLL-U can write: no line ends or tabs, no two spaces in a row, none at the ends.
forms = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r"), min_size=1
).filter(lambda form: form == form.strip() and "  " not in form)
labels = st.sampled_from(["", "A", "B=c", "ä", "x:y"])


@given(st.lists(st.lists(st.tuples(forms, labels), min_size=1, max_size=5), min_size=1, max_size=4))
def test_round_trip(tmp_path_factory, sentences):
    text = "".join(
        "\n".join(
            row(str(i), form, str(i - 1), misc=f"Key={label}" if label else "_")
            for i, (form, label) in enumerate(sentence, start=1)
        )
        + "\n\n"
        for sentence in sentences
    )
    path = tmp_path_factory.mktemp("conllu") / "random.conllu"
    path.write_text(text, encoding="utf-8", newline="")
    corpus = read_conllu(path)

    pairs = [pair for sentence in sentences for pair in sentence]
    assert corpus.words() == [form for form, _ in pairs]
    assert [len(words) for words in corpus.sentences] == [len(s) for s in sentences]
    if any(label for _, label in pairs):
        assert corpus.labels("Key").tolist() == [label for _, label in pairs]
    assert corpus.labels("depth").tolist() == [str(i) for s in sentences for i in range(len(s))]
