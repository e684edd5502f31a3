"""Words that a tokenizer does not know or splits are counted, said, and refused when most are."""

import json
import logging
import re
import shutil

import pytest

from neurox_lite.activations.convert import convert
from neurox_lite.activations.store import ActivationStore
from neurox_lite.cli.main import main
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction import job as job_module
from neurox_lite.extraction.estimate import estimate
from neurox_lite.extraction.extract import extract, extract_share
from neurox_lite.extraction.tokenization import SentenceTokenizer
from neurox_lite.models.loading import load_model
from neurox_lite.report.data import _known_words

# The tiny WordPiece has no Cyrillic letter, and "her" and "dogs" are tokens of it.
SENTENCES = [
    ("the", "жук", "sees", "the", "xыx", "."),
    ("dogs", "bark", "at", "her"),
    ("[UNK]", "is", "the", "old", "cat"),
]
N_WORDS, N_UNKNOWN = 15, 2
CORPUS = TaggedCorpus(SENTENCES * 4, source="words.txt")
COUNTS = ("n_words", "n_unknown_words", "n_split_words")


@pytest.fixture
def folder(make_model):
    return str(make_model("bert"))


@pytest.fixture
def n_split(folder):
    """By hand, for words that are read by themselves: a WordPiece does not look at neighbours."""
    tokenizer = load_model(folder).tokenizer
    words = [word for words in SENTENCES for word in words if word != "[UNK]"]
    as_text = tokenizer("[UNK]", add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return sum(len(tokenizer.tokenize(word)) > 1 for word in words) + (len(as_text) > 1)


def counts(store):
    with store:
        return tuple(store.metadata[name] for name in COUNTS)


@pytest.mark.parametrize("pooling", [None, "mean", "cls", "last"])
@pytest.mark.parametrize("special", [False, True])
def test_the_counts_in_a_store(folder, tmp_path, n_split, pooling, special):
    """Of the words, whatever a row is."""
    if pooling and special:
        return
    options = {"pooling": pooling, "special_tokens": special, "device": "cpu"}
    store = extract(folder, CORPUS, tmp_path / "s.h5", **options)
    assert counts(store) == (4 * N_WORDS, 4 * N_UNKNOWN, 4 * n_split)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(job_module, "SHARD_BYTES", 10 * 3 * 8 * 4)
    monkeypatch.setattr(job_module, "MIN_SHARD_WORDS", 1)


@pytest.mark.parametrize("out", ["s.h5", "s"])
def test_shards_add_up_however_they_were_made(folder, tmp_path, small_shards, n_split, out):
    expected = (4 * N_WORDS, 4 * N_UNKNOWN, 4 * n_split)
    assert extract_share(folder, CORPUS, tmp_path / out, (1, 2), device="cpu") is None
    parts = sorted((tmp_path / f"{out}.unfinished/shards").glob("*.h5"))
    some = [counts(ActivationStore(part)) for part in parts]
    assert len(some) > 1 and sum(n for n, _, _ in some) < 4 * N_WORDS
    # Another process goes on from there, and a third finds it done.
    assert counts(extract(folder, CORPUS, tmp_path / out, device="cpu")) == expected
    assert counts(extract(folder, CORPUS, tmp_path / out, device="cpu")) == expected


def test_a_dry_run_counts_all_words(folder, tmp_path, n_split):
    found = estimate(folder, CORPUS, tmp_path / "s.h5", device="cpu")
    assert (found.n_words, found.n_unknown_words, found.n_split_words) == (
        4 * N_WORDS,
        4 * N_UNKNOWN,
        4 * n_split,
    )


def test_commands_tell_them(folder, tmp_path, n_split, capsys, caplog):
    (tmp_path / "words.txt").write_text("\n".join(map(" ".join, CORPUS.sentences)) + "\n")
    options = [
        "--model",
        folder,
        "--corpus",
        str(tmp_path / "words.txt"),
        "--device",
        "cpu",
        "--format",
        "text",
    ]
    store = str(tmp_path / "s.h5")

    assert main(["extract", *options, "--out", store, "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_unknown_words"], found["n_split_words"]) == (8, 4 * n_split)
    assert main(["extract", *options, "--out", store, "--dry-run"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["disk"].strip().endswith(" MB") and lines["unknown words"].strip() == "8"

    assert main(["extract", *options, "--out", store, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["unknown words"], found["split words"]) == (8, 4 * n_split)
    said = "does not know 8 of 60 words (13 % hold its unknown token)"
    assert [said in record.getMessage() for record in caplog.records] == [True] * 3

    assert main(["inspect", store, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [shown[name] for name in COUNTS] == [60, 8, 4 * n_split]


def test_a_store_that_does_not_say_is_shown_as_such(folder, tmp_path, capsys):
    extract(folder, CORPUS, tmp_path / "s.h5", device="cpu").close()
    convert(tmp_path / "s.h5", tmp_path / "n.hdf5")
    convert(tmp_path / "n.hdf5", tmp_path / "back.h5")
    assert main(["inspect", str(tmp_path / "back.h5")]) == 0
    assert re.search(r"^n_unknown_words +not counted$", capsys.readouterr().out, re.MULTILINE)
    convert(tmp_path / "s.h5", tmp_path / "copy.h5", to="store")
    with ActivationStore(tmp_path / "copy.h5") as copy, ActivationStore(tmp_path / "s.h5") as store:
        assert [copy.metadata[n] for n in COUNTS] == [store.metadata[n] for n in COUNTS]


FOREIGN = [("жук", "и", "муха"), ("да", ".")]


def test_a_foreign_text_is_refused_before_anything_is_written(folder, tmp_path, capsys):
    corpus = TaggedCorpus(FOREIGN * 5, source="ru.txt")
    said = r"^ru\.txt: the tokenizer of .* does not know 20 of 25 words \(80 % hold"
    with pytest.raises(InputError, match=said) as caught:
        extract(folder, corpus, tmp_path / "s.h5", device="cpu")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=said):
        estimate(folder, corpus, tmp_path / "s.h5", device="cpu")
    with pytest.raises(InputError, match=said):
        extract(folder, corpus, tmp_path / "s.h5", device="cpu", pooling="mean")
    assert list(tmp_path.iterdir()) == []


def test_a_tokenizer_that_splits_most_words_is_said(folder, tmp_path, caplog, capsys):
    corpus = TaggedCorpus([("thecat", "dogsbark", "seescat", "the")] * 3, source="odd.txt")
    extract(folder, corpus, tmp_path / "s.h5", device="cpu").close()
    (said,) = [each.getMessage() for each in caplog.records if " splits " in each.getMessage()]
    assert said.startswith("odd.txt: the tokenizer of ") and "splits 6 of 12 words (50 %)" in said
    caplog.clear()
    assert main(["inspect", str(tmp_path / "s.h5")]) == 0
    assert "s.h5: the tokenizer of " in caplog.text and "splits 6 of 12 words" in caplog.text
    caplog.clear()
    estimate(folder, CORPUS, tmp_path / "other.h5", device="cpu")
    assert "splits" not in caplog.text


def test_one_foreign_split_is_refused(folder, tmp_path):
    corpus = TaggedCorpus.from_splits(
        {
            "train": TaggedCorpus([("the", "cat", "sees")] * 50, source="en.txt"),
            "test": TaggedCorpus(FOREIGN, source="ru.txt"),
        }
    )
    with pytest.raises(InputError, match=r"ru\.txt: test: the tokenizer .* not know 4 of 5 words"):
        extract(folder, corpus, tmp_path / "s.h5", device="cpu")


def test_a_foreign_source_of_a_decoder_is_refused(make_model, tmp_path):
    corpus = TaggedCorpus([("the", "cat", "sees")] * 2, source="en.txt")
    source = TaggedCorpus([("жук", "и", "муха")] * 2, source="ru.txt")
    loaded = load_model(make_model("t5"), device="cpu", side="decoder")
    loaded.model.config.decoder_start_token_id = 0
    extract(loaded, corpus, tmp_path / "s.h5", side="decoder").close()
    with pytest.raises(InputError, match=r"^ru\.txt, as sources: the tokenizer .* 6 of 6 words"):
        extract(loaded, corpus, tmp_path / "t.h5", source=source, side="decoder")


def test_no_word_of_warning_for_a_text_that_is_known(folder, tmp_path, caplog):
    corpus = TaggedCorpus([("the", "old", "cat", "sees", "her")] * 3)
    with caplog.at_level(logging.WARNING, "neurox_lite"):
        extract(folder, corpus, tmp_path / "s.h5", device="cpu").close()
    assert not caplog.records


# Families of tokenizers.

WORDS = ("the", "жук", "the")
BY_FAMILY = {
    "wordpiece": (1, 0),
    "characters": (1, 3),
    "unigram": (1, None),
    "sentencepiece": (1, None),
    # Bytes know every character, as several tokens.
    "byte_bpe": (0, 1),
    "prefixed_bpe": (0, 1),
    "metaspace_bpe": (0, 1),
    "bytes": (0, 3),
}


@pytest.mark.parametrize("kind", BY_FAMILY)
@pytest.mark.parametrize("whole", [False, True])
def test_every_family_of_tokenizers(tokenizers_by_kind, kind, whole):
    tokenize = SentenceTokenizer(tokenizers_by_kind[kind])
    if whole:
        (sentence,) = tokenize([(" ".join(WORDS),)], [""], [WORDS])
        assert len(sentence.subwords) == 1
    else:
        (sentence,) = tokenize([WORDS], [""])
    n_unknown, n_split = BY_FAMILY[kind]
    assert sentence.n_unknown == n_unknown
    if n_split is not None:
        assert sentence.n_split == n_split
    assert sentence.n_split == tokenize([WORDS], [""])[0].n_split


@pytest.mark.parametrize("special", ["[SEP]", "[PAD]", "[CLS]"])
def test_an_unknown_token_that_is_also_another_one(folder, tmp_path, special):
    """As GPT-2's, which ends texts: those that the tokenizer adds are no words."""
    copy = shutil.copytree(folder, tmp_path / "model")
    config = json.loads((copy / "tokenizer_config.json").read_text())
    config |= {"unk_token": special, "sep_token": "[SEP]", "cls_token": "[CLS]"}
    (copy / "tokenizer_config.json").write_text(json.dumps(config))
    corpus = TaggedCorpus([("the", "cat", "sees", "dogs"), ("жук", "sees", "her", "dogs")] * 2)
    assert load_model(copy).tokenizer.unk_token == special
    options = {"special_tokens": True, "device": "cpu"}
    with extract(copy, corpus, tmp_path / "s.h5", **options) as store:
        assert store.metadata["n_unknown_words"] == 2


# Reports.


def test_the_summary_says_it(folder, tmp_path):
    with extract(folder, CORPUS, tmp_path / "s.h5", device="cpu") as store:
        said = _known_words(store.metadata)
    assert said.startswith("**8 of 60 words (13.33 %)** hold the unknown token of the tokenizer; ")
    assert _known_words({}) == "How many words the tokenizer did not know was not counted."
