import json
import tracemalloc
from itertools import pairwise

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurox_lite.activations import neurox_hdf5
from neurox_lite.activations.checks import verify
from neurox_lite.activations.neurox_hdf5 import read_neurox_hdf5, write_neurox_hdf5
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

pytestmark = pytest.mark.heavy

METADATA = {
    "model": "tiny",
    "revision": "r1",
    "tokenizer": "tok",
    "site": "hidden_states",
    "aggregation": "last",
}
SENTENCES = [
    ["the", "dog", "barks"],
    ["a"],
    ["the", "dog", "barks"],
    ["naïve", "東京"],
    ["the", "dog", "barks"],
]


def random_arrays(sentences, n_layers=2, width=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n_layers, len(s), width)).astype(np.float32) for s in sentences]


def write_as_neurox(path, sentences, arrays, dtype="float32"):
    """What NeuroX's writer leaves behind, made with h5py alone."""
    with h5py.File(path, "w") as file:
        index = {}
        for number, (words, array) in enumerate(zip(sentences, arrays, strict=True)):
            file.create_dataset(str(number), array.shape, dtype=dtype, data=array)
            name, occurrence = " ".join(words), 1
            while name in index:
                occurrence += 1
                name = f"{' '.join(words)} (Occurrence {occurrence})"
            index[name] = str(number)
        kind = h5py.special_dtype(vlen=str)
        file.create_dataset("sentence_to_index", (1,), dtype=kind)[0] = json.dumps(index)
    return path


def write_store(path, sentences, arrays, dtype="float32", missing=()):
    """A store with these sentences; layers are numbered 0, 5, 10, ..."""
    rows = np.concatenate(arrays, axis=1)
    corpus = TaggedCorpus(sentences)
    with open_writer(path, corpus, dtype=dtype, metadata=METADATA) as writer:
        writer.append({5 * i: layer for i, layer in enumerate(rows)}, missing)
        writer.finish({"n_truncated_words": 0, "n_dropped_words": len(missing)})
    return ActivationStore(path)


def loaded(store):
    """All activations of a store: (n_layers, n_tokens, width)."""
    return np.stack([store.layer(layer)[:] for layer in store.space.layers])


def sentences_of(store):
    tokens, offsets = store.words(), store.sentence_offsets
    return [tokens[a:b] for a, b in pairwise(offsets)]


def edit(path, change):
    """Apply a change to the mapping in ``sentence_to_index``."""
    with h5py.File(path, "r+") as file:
        file["sentence_to_index"][0] = json.dumps(change(json.loads(file["sentence_to_index"][0])))


@pytest.fixture
def made(tmp_path):
    """A file as NeuroX writes it."""
    return write_as_neurox(tmp_path / "n.hdf5", SENTENCES, random_arrays(SENTENCES))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_file_of_neurox_becomes_a_store(tmp_path, dtype):
    arrays = random_arrays(SENTENCES)
    path = write_as_neurox(tmp_path / "n.hdf5", SENTENCES, arrays, dtype)

    with read_neurox_hdf5(path, tmp_path / "s.h5", model="bert") as store:
        assert sentences_of(store) == SENTENCES
        assert store.space.layers == (0, 1)
        assert store.metadata["dtype"] == dtype
        expected = {
            "model": "bert",
            "revision": "",
            "tokenizer": "",
            "site": "hidden_states",
            "aggregation": "unknown",
            "corpus_hash": TaggedCorpus(SENTENCES).words_hash,
        }
        assert expected.items() <= store.metadata.items()
        whole = np.concatenate(arrays, axis=1).astype(dtype)
        np.testing.assert_array_equal(loaded(store), whole)
        assert verify(store) == []


def test_float64_becomes_float32(tmp_path):
    arrays = [array.astype(np.float64) / 3 for array in random_arrays(SENTENCES)]
    path = write_as_neurox(tmp_path / "n.hdf5", SENTENCES, arrays, "float64")

    with read_neurox_hdf5(path, tmp_path / "s.h5") as store:
        whole = np.concatenate(arrays, axis=1).astype(np.float32)
        np.testing.assert_array_equal(loaded(store), whole)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_store_becomes_the_file_that_neurox_would_write(tmp_path, dtype):
    with write_store(tmp_path / "s.h5", SENTENCES, random_arrays(SENTENCES), dtype) as store:
        stored = "float16" if dtype == "float16" else "float32"
        arrays = np.split(loaded(store), store.sentence_offsets[1:-1], axis=1)
        write_neurox_hdf5(store, tmp_path / "ours.hdf5")
    write_as_neurox(tmp_path / "theirs.hdf5", SENTENCES, arrays, stored)

    with h5py.File(tmp_path / "ours.hdf5") as ours, h5py.File(tmp_path / "theirs.hdf5") as theirs:
        assert list(ours) == list(theirs)
        assert ours["sentence_to_index"][0] == theirs["sentence_to_index"][0]
        assert ours["sentence_to_index"].shape == (1,)
        for name in set(ours) - {"sentence_to_index"}:
            assert ours[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(ours[name][:], theirs[name][:])


# Few words, so that sentences repeat and end like a repeated one.
WORD = st.sampled_from(["a", "b", "(Occurrence", "1)", "2)", "3)"])
CORPORA = st.lists(st.lists(WORD, min_size=1, max_size=5), min_size=1, max_size=12)


@pytest.fixture
def in_this_process(monkeypatch):
    """Many files are looked at faster without starting a process for each."""
    monkeypatch.setattr(neurox_hdf5, "in_separate_process", lambda look, path: look(str(path)))


@pytest.mark.usefixtures("in_this_process")
@given(CORPORA)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sentences_come_back_however_they_look(tmp_path, sentences):
    arrays = random_arrays(sentences, 1, 1)
    path = write_as_neurox(tmp_path / "n.hdf5", sentences, arrays)

    with read_neurox_hdf5(path, tmp_path / "s.h5", overwrite=True) as store:
        assert sentences_of(store) == sentences
        write_neurox_hdf5(store, tmp_path / "again.hdf5", overwrite=True)
    with h5py.File(path) as first, h5py.File(tmp_path / "again.hdf5") as second:
        assert first["sentence_to_index"][0] == second["sentence_to_index"][0]
        for number, array in enumerate(arrays):
            np.testing.assert_array_equal(second[str(number)][:], array)


@pytest.mark.parametrize(
    "sentences",
    [
        [["a"], ["a"], ["a", "(Occurrence", "2)"]],
        [["a", "(Occurrence", "2)"], ["a"], ["a"]],
        [["a"], ["a", "(Occurrence", "2)"], ["a"]],
        [["a", "(Occurrence", "2)"], ["a", "(Occurrence", "2)"], ["(Occurrence", "2)"]],
        [["a"]] * 11,
    ],
)
def test_a_sentence_that_ends_like_a_repeated_one(tmp_path, sentences):
    path = write_as_neurox(tmp_path / "n.hdf5", sentences, random_arrays(sentences))

    with read_neurox_hdf5(path, tmp_path / "s.h5") as store:
        assert sentences_of(store) == sentences


def test_the_order_is_that_of_the_numbers(tmp_path, made):
    edit(made, lambda index: dict(reversed(index.items())))

    with read_neurox_hdf5(made, tmp_path / "s.h5") as store:
        assert sentences_of(store) == SENTENCES


def test_more_than_ten_sentences_are_in_order(tmp_path):
    sentences = [[f"w{number}"] for number in range(25)]
    arrays = [np.full((1, 1, 1), number, np.float32) for number in range(25)]
    path = write_as_neurox(tmp_path / "n.hdf5", sentences, arrays)

    with read_neurox_hdf5(path, tmp_path / "s.h5") as store:
        assert store.words() == [f"w{number}" for number in range(25)]
        assert loaded(store).ravel().tolist() == list(range(25))


def test_words_that_are_nan_in_every_layer_are_missing(tmp_path):
    arrays = random_arrays(SENTENCES)
    arrays[0][:, 1] = arrays[4][:, 2] = np.nan
    path = write_as_neurox(tmp_path / "n.hdf5", SENTENCES, arrays)

    with read_neurox_hdf5(path, tmp_path / "s.h5") as store:
        assert store.missing.tolist() == [1, 11]
        assert verify(store) == []
        write_neurox_hdf5(store, tmp_path / "back.hdf5")
    with h5py.File(tmp_path / "back.hdf5") as back:
        for number, array in enumerate(arrays):
            np.testing.assert_array_equal(back[str(number)][:], array)


@pytest.mark.parametrize(("at", "value"), [((0, 1, 2), np.nan), ((1, 0, 0), np.inf)])
def test_other_nan_and_infinity_are_refused(tmp_path, at, value):
    arrays = random_arrays(SENTENCES)
    arrays[3][at] = value
    path = write_as_neurox(tmp_path / "n.hdf5", SENTENCES, arrays)
    where = rf"n\.hdf5: layer {at[0]}, unit {at[2]}, sentence 4: 1 activations are NaN or infinite"

    with pytest.raises(InputError, match=where):
        read_neurox_hdf5(path, tmp_path / "s.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["n.hdf5"]


def replace_dataset(path, name, data):
    with h5py.File(path, "r+") as file:
        del file[name]
        if data is not None:
            file[name] = data


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("1", None, r"sentence 2 \(dataset '1'\): is missing; the file is incomplete"),
        ("1", np.ones((1, 3), "f"), r"sentence 2 .* is float32 of shape \(1, 3\), not"),
        ("1", np.ones((2, 1, 3), int), r"sentence 2 .* is int64 of shape \(2, 1, 3\), not"),
        ("1", np.ones((2, 0, 3), "f"), r"sentence 2 .* of shape \(2, 0, 3\), not"),
        ("1", np.ones((2, 1, 4), "f"), "sentence 2 .* 2 layers of 4 neurons .* 2 layers of 3"),
        ("1", np.ones((3, 1, 3), "f"), "sentence 2 .* 3 layers of 3 neurons .* 2 layers of 3"),
        ("1", np.ones((2, 1, 3), "e"), "sentence 2 .* in float16, but the first .* in float32"),
        ("1", np.ones((2, 2, 3), "f"), "sentence 2: its text 'a' has 1 words, .* are of 2"),
        ("3", np.ones((2, 1, 3), "f"), "sentence 4: its text 'naïve 東京' has 2 words, .* of 1"),
        ("2", np.ones((2, 2, 3), "f"), "sentence 3: its text 'the dog barks .* 5 words, .* of 2"),
        ("sentence_to_index", None, "has no sentence_to_index"),
        ("sentence_to_index", ["not json"], "has no sentence_to_index"),
        ("sentence_to_index", ["[1, 2]"], "has no sentence_to_index"),
        ("sentence_to_index", "{}", "has no sentence_to_index"),
    ],
)
def test_bad_datasets(tmp_path, made, name, data, message):
    if data is None and name == "1":
        edit(made, lambda index: index | {"one more": "5"})  # as many texts as datasets
        with h5py.File(made, "r+") as file:
            file["5"] = file["1"][:]
    replace_dataset(made, name, data)

    with pytest.raises(InputError, match=rf"n\.hdf5: {message}"):
        read_neurox_hdf5(made, tmp_path / "s.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["n.hdf5"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda index: {k: v for k, v in index.items() if "Occurrence" not in k},
            "5 sentences have activations but 3 have a text in sentence_to_index, where equal",
        ),
        (lambda index: index | {"a": "7"}, "sentence_to_index does not number its 5 sentences"),
        (lambda index: index | {"a": "0"}, "sentence_to_index does not number its 5 sentences"),
        (lambda index: index | {"a": None}, "sentence_to_index does not number its 5 sentences"),
        (lambda index: index | {"new": "5"}, r"sentence 6 \(dataset '5'\): is missing"),
        (
            lambda index: {k.replace("Occurrence 3", "Occurrence 7"): v for k, v in index.items()},
            r"sentence 5: its text is '.*7\)', but NeuroX calls .* '.*Occurrence 3\)'",
        ),
    ],
)
def test_bad_texts(tmp_path, made, change, message):
    edit(made, change)

    with pytest.raises(InputError, match=rf"n\.hdf5: {message}"):
        read_neurox_hdf5(made, tmp_path / "s.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["n.hdf5"]


def test_an_occurrence_of_a_sentence_that_is_not_there(tmp_path):
    path = write_as_neurox(tmp_path / "n.hdf5", [["a"], ["b"]], random_arrays([["a"], ["b"]]))
    edit(path, lambda _: {"a": "0", "b (Occurrence 2)": "1"})

    with pytest.raises(InputError, match=r"sentence 2: its text is 'b \(Occ.* calls .* 'b'"):
        read_neurox_hdf5(path, tmp_path / "s.h5")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["the", "", "dog"], "sentence 1: word 2 is empty; NeuroX writes that for a blank line"),
        ([""], "sentence 1: word 1 is empty"),
        (["a", "\ud800"], r"sentence 1: word 2, '\\ud800', is not valid Unicode"),
    ],
)
def test_words_that_a_store_cannot_hold(tmp_path, words, message):
    path = write_as_neurox(tmp_path / "n.hdf5", [words], random_arrays([words]))

    with pytest.raises(InputError, match=rf"n\.hdf5: {message}"):
        read_neurox_hdf5(path, tmp_path / "s.h5")


def test_files_that_are_not_hdf5_or_cut_short(tmp_path, made):
    (tmp_path / "text.hdf5").write_text("hello")
    (tmp_path / "cut.hdf5").write_bytes(made.read_bytes()[:3000])

    for name in ["text.hdf5", "cut.hdf5", "none.hdf5"]:
        with pytest.raises(InputError, match=rf"{name}: not a readable HDF5 file"):
            read_neurox_hdf5(tmp_path / name, tmp_path / "s.h5")


def test_an_existing_store_is_kept(tmp_path, made):
    (tmp_path / "s.h5").write_text("old")

    with pytest.raises(InputError, match=r"s\.h5: exists already"):
        read_neurox_hdf5(made, tmp_path / "s.h5")
    assert (tmp_path / "s.h5").read_text() == "old"
    read_neurox_hdf5(made, tmp_path / "s.h5", overwrite=True).close()


def test_stores_that_neurox_cannot_hold(tmp_path):
    spaced = [["fine"], ["New York", "is"]]
    with write_store(tmp_path / "s.h5", spaced, random_arrays(spaced)) as store:
        with pytest.raises(InputError, match=r"s\.h5: sentence 2: the word 'New York' has a space"):
            write_neurox_hdf5(store, tmp_path / "n.hdf5")
        with pytest.raises(InputError, match=r"n\.h5: NeuroX reads .* in \.hdf5 only"):
            write_neurox_hdf5(store, tmp_path / "n.h5")
    with open_writer(
        tmp_path / "w.h5", TaggedCorpus([["a"]]), dtype="float32", metadata=METADATA
    ) as writer:
        writer.append({0: np.ones((1, 2), "f"), 1: np.ones((1, 3), "f")})
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    with (
        ActivationStore(tmp_path / "w.h5") as store,
        pytest.raises(InputError, match=r"w\.h5: its layers have 2, 3 neurons, and NeuroX"),
    ):
        write_neurox_hdf5(store, tmp_path / "n.hdf5")

    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.h5", "w.h5"]


def test_neither_way_holds_more_than_a_sentence_in_memory(tmp_path):
    sentences = [[f"w{number}"] * 20 for number in range(200)]
    path = tmp_path / "n.hdf5"
    arrays = (np.ones((8, 20, 512), np.float32) for _ in sentences)
    write_as_neurox(path, sentences, arrays)
    assert path.stat().st_size > 60e6

    tracemalloc.start()
    with read_neurox_hdf5(path, tmp_path / "s.h5") as store:
        write_neurox_hdf5(store, tmp_path / "back.hdf5")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6e6
