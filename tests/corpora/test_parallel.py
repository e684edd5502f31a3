import pytest

from neurox_lite.corpora.parallel import read_parallel, read_sentences
from neurox_lite.errors import InputError


@pytest.fixture
def read(tmp_path):
    def read(text, labels, **options):
        (tmp_path / "text.txt").write_text(text, encoding="utf-8")
        (tmp_path / "tags.txt").write_text(labels, encoding="utf-8")
        return read_parallel(tmp_path / "text.txt", tmp_path / "tags.txt", **options)

    return read


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Rain fell\nIt stopped .\n", "N V\nP V X\n"),
        ("Rain fell\nIt stopped .", "N V\nP V X\n\n\n"),
        ("\nRain  fell\n \nIt\tstopped .\n", "\n N V \n\nP V\u00a0X\n"),
    ],
    ids=["plain", "line ends", "blank lines and other whitespace"],
)
def test_words_and_labels(read, text, labels):
    corpus = read(text, labels)
    assert corpus.sentences == (("Rain", "fell"), ("It", "stopped", "."))
    assert corpus.tags == {"label": (("N", "V"), ("P", "V", "X"))}
    assert corpus.source.endswith("text.txt")


def test_tag_can_be_named(read):
    assert read("a b", "1 2", tag="pos").labels("pos").tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "labels", "parts"),
    [
        ("a b\nc d e\n", "1 2\n3 4\n", ["line 2 has 3 words", "2 labels"]),
        ("a b\n\nc\n", "1 2\n3\n4\n", ["line 2 has 0 words", "1 labels"]),
        ("a b\nc\n", "1 2\n\n3\n", ["has 2 lines", "has 3"]),
        ("a b\nc\nd\n", "1 2\n", ["has 3 lines", "has 1;"]),
    ],
)
def test_errors_name_both_files_the_line_and_both_counts(read, text, labels, parts):
    with pytest.raises(InputError) as caught:
        read(text, labels)
    message = str(caught.value)
    assert "\n" not in message
    for part in ["text.txt", "tags.txt", "; give one", *parts]:
        assert part in message


def test_empty_files(read):
    with pytest.raises(InputError, match=r"text\.txt: no sentences"):
        read("\n", "")


def test_a_label_per_sentence(tmp_path):
    text, labels = tmp_path / "text.txt", tmp_path / "labels.txt"
    text.write_text("Rain fell\n\nIt stopped .\n")
    labels.write_text("good\n\nvery  bad\n")
    corpus = read_sentences(text, labels)
    assert corpus.sentences == (("Rain", "fell"), ("It", "stopped", "."))
    assert corpus.tags == {"label": (("good", "good"), ("very bad",) * 3)}
    assert corpus.by_sentence().labels("label").tolist() == ["good", "very bad"]
    labels.write_text("good\nbad\nvery bad\n")
    with pytest.raises(InputError, match=r"text\.txt: line 2 is blank"):
        read_sentences(text, labels)
    labels.write_text("good\n\n\n")
    with pytest.raises(InputError, match=r"has 3 lines but .* has 1"):
        read_sentences(text, labels)
