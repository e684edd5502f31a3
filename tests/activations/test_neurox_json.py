import json
import tracemalloc
from itertools import pairwise

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from neurox_lite.activations.checks import verify
from neurox_lite.activations.neurox_json import read_neurox_json, write_neurox_json
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
SENTENCES = [["the", "dog", "barks"], ["a"], ["the", "dog", "barks"], ["naïve", "New York"]]


def random_arrays(sentences, n_layers=2, width=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n_layers, len(s), width)).astype(np.float32) for s in sentences]


def line(number, words, array):
    """A line as NeuroX writes it: eight decimal places."""
    features = []
    for position, word in enumerate(words):
        layers = []
        for layer in range(array.shape[0]):
            values = [round(float(value), 8) for value in array[layer, position]]
            layers.append({"index": layer, "values": values})
        features.append({"token": word, "layers": layers})
    return {"linex_index": number, "features": features}


def write_as_neurox(path, sentences, arrays):
    with path.open("w", encoding="utf-8") as file:
        for number, (words, array) in enumerate(zip(sentences, arrays, strict=True)):
            file.write(json.dumps(line(number, words, array)) + "\n")
    return path


def write_store(path, sentences, arrays, dtype="float32", missing=()):
    """A store with these sentences; layers are numbered 0, 5, 10, ..."""
    rows = np.concatenate(arrays, axis=1)
    with open_writer(
        path, TaggedCorpus(sentences), dtype=dtype, metadata=METADATA, overwrite=True
    ) as writer:
        writer.append({5 * i: layer for i, layer in enumerate(rows)}, missing)
        writer.finish({"n_truncated_words": 0, "n_dropped_words": len(missing)})
    return ActivationStore(path)


def loaded(store):
    """All activations of a store: (n_layers, n_tokens, width)."""
    return np.stack([store.layer(layer)[:] for layer in store.space.layers])


def sentences_of(store):
    tokens, offsets = store.words(), store.sentence_offsets
    return [tokens[a:b] for a, b in pairwise(offsets)]


@pytest.mark.parametrize("name", ["n.json", "n.jsonl"])
def test_a_file_of_neurox_becomes_a_store(tmp_path, name):
    arrays = random_arrays(SENTENCES)
    path = write_as_neurox(tmp_path / name, SENTENCES, arrays)

    with read_neurox_json(path, tmp_path / "s.h5", model="bert") as store:
        assert sentences_of(store) == SENTENCES
        assert store.space.layers == (0, 1)
        expected = {"model": "bert", "dtype": "float32", "aggregation": "unknown"}
        assert expected.items() <= store.metadata.items()
        rounded = np.round(np.concatenate(arrays, axis=1).astype(float), 8).astype(np.float32)
        np.testing.assert_array_equal(loaded(store), rounded)
        assert verify(store) == []


def test_a_store_becomes_the_lines_that_neurox_would_write(tmp_path):
    arrays = [np.round(array * 8) / 8 for array in random_arrays(SENTENCES)]  # few digits
    with write_store(tmp_path / "s.h5", SENTENCES, arrays) as store:
        write_neurox_json(store, tmp_path / "ours.json")
    write_as_neurox(tmp_path / "theirs.json", SENTENCES, arrays)

    assert (tmp_path / "ours.json").read_text() == (tmp_path / "theirs.json").read_text()


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(npst.arrays(np.float32, (2, 3, 4), elements=FLOATS))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_float32_comes_back(tmp_path, array):
    with write_store(tmp_path / "s.h5", [["a", "b", "c"]], [array]) as store:
        write_neurox_json(store, tmp_path / "n.json", overwrite=True)
    with read_neurox_json(tmp_path / "n.json", tmp_path / "t.h5", overwrite=True) as store:
        assert loaded(store).tobytes() == array.tobytes()


def test_random_bits_come_back_and_are_written_in_few_digits(tmp_path):
    bits = np.random.default_rng(0).integers(0, 2**32, 3 * 10**5, dtype=np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)][: 10**5].reshape(1, 10, 10**4)
    with write_store(tmp_path / "s.h5", [["w"] * 10], [values]) as store:
        write_neurox_json(store, tmp_path / "n.json")
    with read_neurox_json(tmp_path / "n.json", tmp_path / "t.h5") as store:
        assert loaded(store).tobytes() == values.tobytes()

    features = json.loads((tmp_path / "n.json").read_text())["features"]
    texts = [repr(value) for word in features for value in word["layers"][0]["values"]]
    digits = [len(t.lower().partition("e")[0].replace(".", "").strip("-0")) for t in texts]
    assert max(digits) <= 9


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_other_types_are_written_exactly(tmp_path, dtype):
    with write_store(tmp_path / "s.h5", SENTENCES, random_arrays(SENTENCES), dtype) as store:
        stored = loaded(store).astype(np.float32)
        write_neurox_json(store, tmp_path / "n.json")
    with read_neurox_json(tmp_path / "n.json", tmp_path / "t.h5") as store:
        assert store.metadata["dtype"] == "float32"
        np.testing.assert_array_equal(loaded(store), stored)


# As in Python, a token can be any text, but a store holds no empty ones and no NUL.
TOKEN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(st.lists(st.lists(TOKEN.filter(str.strip), min_size=1, max_size=4), min_size=1, max_size=6))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sentences_come_back(tmp_path, sentences):
    arrays = random_arrays(sentences)
    with write_store(tmp_path / "s.h5", sentences, arrays) as store:
        write_neurox_json(store, tmp_path / "n.json", overwrite=True)
    with read_neurox_json(tmp_path / "n.json", tmp_path / "t.h5", overwrite=True) as store:
        assert sentences_of(store) == sentences
        np.testing.assert_array_equal(loaded(store), np.concatenate(arrays, axis=1))


def test_words_that_are_nan_in_every_layer_are_missing(tmp_path):
    arrays = random_arrays(SENTENCES)
    arrays[0][:, 1] = np.nan
    path = write_as_neurox(tmp_path / "n.json", SENTENCES, arrays)
    assert "NaN" in path.read_text()  # as Python writes it; JSON itself has none

    with read_neurox_json(path, tmp_path / "s.h5") as store:
        assert store.missing.tolist() == [1]
        assert verify(store) == []
        with pytest.raises(InputError, match=r"s\.h5: 1 words have no activations and JSON has no"):
            write_neurox_json(store, tmp_path / "back.json")
    assert not (tmp_path / "back.json").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_other_nan_and_infinity_are_refused(tmp_path, value):
    record = line(0, ["a", "b"], np.ones((2, 2, 3), "f"))
    record["features"][1]["layers"][0]["values"][2] = value
    (tmp_path / "n.json").write_text(json.dumps(record))

    with pytest.raises(InputError, match=r"n\.json: layer 0, unit 2, sentence 1: 1 activations"):
        read_neurox_json(tmp_path / "n.json", tmp_path / "s.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["n.json"]


GOOD = json.dumps(line(0, ["a", "b"], np.ones((2, 2, 3), "f")))


def second(change=None, **edits):
    """The second line of a file, changed."""
    record = line(1, ["c", "d"], np.ones((2, 2, 3), "f")) | edits
    if change:
        change(record["features"])
    return json.dumps(record)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (second()[:-30], "not JSON in UTF-8 .*; the file is damaged or cut short"),
        ("", "not JSON in UTF-8"),
        ("hello", "not JSON in UTF-8"),
        ("[1, 2]", "not a line that NeuroX writes"),
        ('{"linex_index": 1}', r"not a line that NeuroX writes \('features'\)"),
        (second(features=["ab"]), "not a line that NeuroX writes"),
        (second(linex_index=2), "linex_index is 2, not 1; lines are missing or in another order"),
        (second(linex_index=0), "linex_index is 0, not 1"),
        (second(lambda f: f[0].pop("token")), r"not a line that NeuroX writes \('token'\)"),
        (second(lambda f: f[1].update(token=3)), "a token is not text"),
        (second(lambda f: f[1]["layers"][0].pop("values")), r"NeuroX writes \('values'\)"),
        (second(lambda f: f[1]["layers"][0].pop("index")), r"NeuroX writes \('index'\)"),
        (second(lambda f: f[1]["layers"].pop()), "needs words that all have the same layers"),
        (second(lambda f: f[1]["layers"].reverse()), "needs words that all have the same layers"),
        (
            second(lambda f: f[1]["layers"][0]["values"].pop()),
            "needs words .* equally many numbers",
        ),
        (second(lambda f: f[1]["layers"][0].update(values=["1", "2", "3"])), "needs words"),
        (second(lambda f: f[1]["layers"][0].update(values=[1, None, 3])), "needs words"),
        (second(lambda f: f[1]["layers"][0].update(values=5)), "needs words"),
        (second(features=[]), "needs words"),
        (second(lambda f: [w.update(layers=[]) for w in f]), "needs words"),
        (
            second(lambda f: [w["layers"].pop() for w in f]),
            r"has layers \[0\] of 3 neurons, but the first line has \[0, 1\] of 3",
        ),
        (
            second(lambda f: [la["values"].pop() for w in f for la in w["layers"]]),
            r"has layers \[0, 1\] of 2 neurons, but the first line has \[0, 1\] of 3",
        ),
    ],
)
def test_bad_lines(tmp_path, text, message):
    (tmp_path / "n.json").write_text(GOOD + "\n" + text + "\n")

    with pytest.raises(InputError, match=rf"n\.json: line 2: .*{message}"):
        read_neurox_json(tmp_path / "n.json", tmp_path / "s.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["n.json"]


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.json").write_bytes(GOOD.encode() + b'\n{"linex_index": "\xe9"}')
    (tmp_path / "empty.json").touch()

    for name, message in [
        ("latin.json", "line 2: not JSON in UTF-8"),
        ("empty.json", "no sentences"),
        ("none.json", "cannot be read"),
        (".", "cannot be read"),
    ]:
        with pytest.raises(InputError, match=message):
            read_neurox_json(tmp_path / name, tmp_path / "s.h5")


@pytest.mark.parametrize(("word", "shown"), [("", ""), (" ", ""), ("\ud800", r", '\\ud800', ")])
def test_words_that_a_store_cannot_hold(tmp_path, word, shown):
    path = write_as_neurox(tmp_path / "n.json", [["a", word]], [np.ones((1, 2, 1))])

    with pytest.raises(InputError, match=rf"n\.json: sentence 1: word 2{shown}"):
        read_neurox_json(path, tmp_path / "s.h5")


def test_stores_that_neurox_cannot_hold(tmp_path):
    with write_store(tmp_path / "s.h5", SENTENCES, random_arrays(SENTENCES)) as store:
        for name in ["n.jsonl", "n.hdf5"]:
            with pytest.raises(InputError, match=rf"{name}: NeuroX reads .* in \.json only"):
                write_neurox_json(store, tmp_path / name)
        (tmp_path / "n.json").write_text("old")
        with pytest.raises(InputError, match=r"n\.json: exists already"):
            write_neurox_json(store, tmp_path / "n.json")
    assert (tmp_path / "n.json").read_text() == "old"


def test_a_damaged_store_is_not_written(tmp_path):
    with write_store(tmp_path / "s.h5", SENTENCES, random_arrays(SENTENCES)) as store:
        store.close()
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        file["layers/5"][3, 1] = np.nan
    with (
        ActivationStore(tmp_path / "s.h5") as store,
        pytest.raises(InputError, match=r"s\.h5: sentence 2: has NaN or infinite activations"),
    ):
        write_neurox_json(store, tmp_path / "n.json")
    assert [p.name for p in tmp_path.iterdir()] == ["s.h5"]


def test_neither_way_holds_more_than_a_sentence_in_memory(tmp_path):
    sentences = [["a", "b"] for _ in range(400)]
    arrays = (np.full((4, 2, 100), 1 / 3, np.float32) for _ in sentences)
    path = write_as_neurox(tmp_path / "n.json", sentences, arrays)
    assert path.stat().st_size > 3e6

    tracemalloc.start()
    with read_neurox_json(path, tmp_path / "s.h5") as store:
        write_neurox_json(store, tmp_path / "back.json")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6e5
