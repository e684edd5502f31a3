"""Stores, matrices and labelled splits go to worker processes by path."""

import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

CORPUS = TaggedCorpus(
    [["w"] * 4] * 10, {"tag": [["a", "b"] * 2] * 10}, ["train"] * 6 + ["dev"] * 2 + ["test"] * 2
)
METADATA = {
    "model": "tiny",
    "revision": "r1",
    "tokenizer": "tok",
    "site": "mlp",
    "aggregation": "last",
}


def write(path, seed=0):
    X = np.random.default_rng(seed).normal(size=(CORPUS.n_words, 5)).astype(np.float32)
    with open_writer(path, CORPUS, dtype="float32", metadata=METADATA) as writer:
        writer.append({0: X[:, :2], 1: X[:, 2:]})
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    return ActivationStore(path)


def total(matrix):
    return float(np.asarray(matrix).sum())


def total_of_train(splits):
    return total(splits.train.X)


def test_by_path_and_not_by_content(tmp_path, monkeypatch):
    store = write(tmp_path / "s.h5")
    matrix = store.matrix("all", np.arange(3, 20))
    splits = labelled_splits(store, CORPUS, "tag", layers=-1)
    monkeypatch.chdir(tmp_path)
    relative = ActivationStore("s.h5")
    pickled = pickle.dumps((store, relative, matrix, splits))
    monkeypatch.chdir("/")

    assert len(pickle.dumps(store)) < 1000
    again, of_relative, matrix_again, splits_again = pickle.loads(pickled)
    assert again.space == of_relative.space == store.space
    np.testing.assert_array_equal(matrix_again[:], matrix[:])
    np.testing.assert_array_equal(splits_again.test.X[:], splits.test.X[:])
    assert splits_again.test.y.tolist() == splits.test.y.tolist()
    assert splits_again.train.X.store is splits_again.test.X.store
    assert again is not store
    again.close()
    np.testing.assert_array_equal(matrix_again[:], store.matrix(rows=np.arange(3, 20))[:])


@pytest.mark.heavy
def test_in_other_processes(tmp_path):
    store = write(tmp_path / "s.h5")
    splits = labelled_splits(store, CORPUS, "tag")
    expected = total_of_train(splits)

    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(total_of_train, splits).result() == expected
        assert pool.submit(total, store.layer(1)).result() == total(store.layer(1))


def test_a_store_that_changed_meanwhile_is_refused(tmp_path):
    store = write(tmp_path / "s.h5")
    pickled = [pickle.dumps(each) for each in (store, store.matrix([0]))]
    write(tmp_path / "other.h5", seed=1).close()
    shutil.move(tmp_path / "other.h5", tmp_path / "s.h5")

    for each in pickled:
        with pytest.raises(InputError, match=r"s\.h5: changed since it was pickled; open it again"):
            pickle.loads(each)
    (tmp_path / "s.h5").unlink()
    with pytest.raises(InputError, match="no such activation store"):
        pickle.loads(pickled[0])
