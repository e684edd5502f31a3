import gzip

import pytest

from neurox_lite.corpora.reading import read_corpus, read_splits
from neurox_lite.corpora.text_files import open_text
from neurox_lite.errors import InputError

CONLLU = "1\tRain\train\tNOUN\t_\t_\t0\troot\t_\t_\n"
COLUMNS = "Rain NOUN\n"


def write(path, text):
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "text", "format", "tag"),
    [
        ("a.conllu", CONLLU, None, "upos"),
        ("a.b.conllu", CONLLU, None, "upos"),
        ("a.conll", COLUMNS, None, "column2"),
        ("a.columns", COLUMNS, None, "column2"),
        ("a.txt", CONLLU, "conllu", "upos"),
        ("a.txt", COLUMNS, "columns", "column2"),
        ("a.conllu", COLUMNS, "columns", "column2"),
    ],
)
def test_format_from_name_or_argument(tmp_path, name, text, format, tag, ending):
    corpus = read_corpus(write(tmp_path / (name + ending), text), format=format)
    assert corpus.words() == ["Rain"]
    assert corpus.labels(tag).tolist() == ["NOUN"]


def test_text_has_no_labels(tmp_path):
    corpus = read_corpus(write(tmp_path / "a.txt", "Rain fell\n"), format="text")
    assert corpus.words() == ["Rain", "fell"]


@pytest.mark.parametrize("format", [None, "parallel"])
def test_labels_make_it_parallel(tmp_path, format):
    text, labels = write(tmp_path / "a.txt", "Rain\n"), write(tmp_path / "b.txt.gz", "NOUN\n")
    corpus = read_corpus(text, format=format, labels=labels)
    assert corpus.labels("label").tolist() == ["NOUN"]


@pytest.mark.parametrize(
    ("name", "options", "parts"),
    [
        ("a.txt", {}, ["--format", "conllu, columns, parallel, sentences, text"]),
        ("a.txt.gz", {}, ["--format"]),
        ("a", {}, ["--format"]),
        ("a.conllu", {"format": "xml"}, ["'xml'", "conllu, columns, parallel, sentences, text"]),
        ("a.txt", {"format": "parallel"}, ["file of labels"]),
        ("a.conllu", {"labels": "b.txt"}, ["'conllu'", "b.txt"]),
        ("a.txt", {"format": "text", "labels": "b.txt"}, ["'text'", "b.txt"]),
    ],
)
def test_errors_name_file_and_remedy(tmp_path, name, options, parts):
    with pytest.raises(InputError) as caught:
        read_corpus(tmp_path / name, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in [str(tmp_path / name) + ":", ";", *parts]:
        assert part in message


def test_open_text_drops_the_byte_order_mark_and_unifies_line_ends(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffé\r\nb\rc\u2028d\n".encode())
    assert list(open_text(path)) == ["é\n", "b\n", "c\u2028d\n"]
    assert list(open_text(str(path))) == list(open_text(path))


WHOLE = gzip.compress(b"a few words that take some room\n" * 20)


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("a.txt", b"fine\ncaf\xe9\n", ["line 2", "not UTF-8", "0xe9", "convert"]),
        ("a.txt", b"\xef\xbb\xbfok\ncaf\xe9\n", ["line 2", "0xe9"]),
        ("a.txt", WHOLE, ["line 1", "not UTF-8"]),
        ("a.txt.gz", gzip.compress("é".encode("latin-1")), ["line 1", "not UTF-8"]),
        ("a.txt.gz", WHOLE[:-12], ["not a whole gzip file", "again"]),
        ("a.txt.gz", WHOLE[:5], ["not a whole gzip file"]),
        ("a.txt.gz", WHOLE[:-6] + b"wrong!", ["not a whole gzip file"]),
        ("a.txt.gz", WHOLE[:10] + b"\xff" * 20, ["not a whole gzip file"]),
        ("a.txt.gz", b"plain text\n", ["not a whole gzip file", "drop .gz"]),
    ],
    ids=[
        "latin 1",
        "after mark",
        "gzip without name",
        "latin 1 in gzip",
        "cut",
        "cut in header",
        "checksum",
        "damaged",
        "plain named gz",
    ],
)
def test_damaged_files_are_named(tmp_path, name, content, parts):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_text(tmp_path / name)
    message = str(caught.value)
    assert "\n" not in message
    for part in [f"{tmp_path / name}: ", ";", *parts]:
        assert part in message


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match=r"none\.conllu: no such file"):
        read_corpus(tmp_path / "none.conllu")
    with pytest.raises(InputError, match=r"cannot be read .*directory"):
        open_text(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "c.conllu",
            "1\tdogs\tdog\tNOUN\t_\tNumber=Plur\t2\tnsubj\t_\t_\n"
            "2\tbark\tbark\tVERB\t_\t_\t0\troot\t_\t_\n\n",
        ),
        ("c.conll", "dogs NNS B-NP\nbark VBP B-VP\n"),
    ],
)
def test_words_without_labels_are_the_words_with_labels(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    whole, words = read_corpus(path), read_corpus(path, words_only=True)
    assert whole.tags
    assert not words.tags
    assert words.words_hash == whole.words_hash


def test_train_and_test_are_enough(tmp_path):
    words = [f"w{i}" for i in range(40)]
    train = write(tmp_path / "train.conll", "\n".join(f"{word} NOUN\n" for word in words))
    test = write(tmp_path / "test.conll", "Rain NOUN\n")
    corpus = read_splits({"train": str(train), "test": str(test)}, seed=1)
    assert [corpus.splits.count(split) for split in ("train", "dev", "test")] == [36, 4, 1]
    assert corpus.words() == [*words, "Rain"]
    for missing in ({"train": str(train)}, {"test": str(test), "dev": str(test)}, {"x": "y"}):
        with pytest.raises(InputError, match="for train and test, or a single file"):
            read_splits(missing)
