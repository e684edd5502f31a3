"""Labelled words that filters choose, and one label against the rest."""

import numpy as np
import pytest

from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.activations.selected_splits import selected_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.errors import InputError

WORDS = [["a", "cat", "sleeps", "soundly"], ["the", "cat", "sat"], ["a", "dog", "ran"]] * 2
TAGS = [["DET", "NOUN", "VERB", "ADV"], ["DET", "NOUN", "VERB"], ["DET", "NOUN", "VERB"]] * 2
SPLITS = ["train", "train", "train", "train", "dev", "test"]


@pytest.fixture
def data(tmp_path):
    corpus = TaggedCorpus(WORDS, {"upos": TAGS}, SPLITS)
    rows = [[float(row)] for row in range(corpus.n_words)]
    metadata = {"model": "tiny", "revision": "", "site": "hidden_states"}
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: np.array(rows, np.float32)}, [])
        writer.finish({})
    return ActivationStore(tmp_path / "s.h5"), corpus


def test_without_a_choice_they_are_all_labelled_words(data):
    chosen, every = selected_splits(*data, "upos"), labelled_splits(*data, "upos")
    for name in ("train", "dev", "test"):
        assert getattr(chosen, name).rows.tolist() == getattr(every, name).rows.tolist()
        assert getattr(chosen, name).y.tolist() == getattr(every, name).y.tolist()


def test_only_words_that_pass_the_filters(data):
    words = WordSelection(where={"upos": "NOUN,VERB"})
    splits = selected_splits(*data, "upos", words)
    assert set(splits.train.y.tolist()) == {"NOUN", "VERB"}
    words = WordSelection(where={"upos": "NOUN,VERB,DET"}, balance="under")
    splits = selected_splits(*data, "upos", words, label="DET")
    assert sorted(splits.train.y.tolist()) == ["DET"] * 4 + ["not DET"] * 4
    assert splits.majority == "not DET"


def test_one_label_against_the_rest(data):
    splits = selected_splits(*data, "upos", label="NOUN")
    assert splits.test.y.tolist() == ["not NOUN", "NOUN", "not NOUN"]
    # Of which rare classes are part, unless they are left out.
    assert len(splits.train.y) == 14 and splits.left_out == {}
    splits = selected_splits(*data, "upos", label="NOUN", min_count=3)
    assert len(splits.train.y) == 12 and splits.left_out == {"ADV": 2}
    with pytest.raises(InputError, match="no label 'X' in 'upos'"):
        selected_splits(*data, "upos", label="X")
