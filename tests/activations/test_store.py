"""Also of ``neurox_lite.activations.bfloat16``, ``neurox_lite.activations.hdf5``."""

import hashlib

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurox_lite.activations import matrix as matrix_module
from neurox_lite.activations.access import blocks, finite_blocks, load, space_of
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace

SENTENCES = [["a"] * (1 + i % 5) for i in range(20)]
CORPUS = TaggedCorpus(SENTENCES, source="words.txt")
N = CORPUS.n_words
METADATA = {
    "model": "tiny",
    "revision": "r1",
    "tokenizer": "tok",
    "site": "hidden_states",
    "aggregation": "last",
}
WIDTHS = {0: 3, 2: 5, 10: 2}


def random_layers(seed=0):
    rng = np.random.default_rng(seed)
    return {
        layer: rng.normal(scale=10, size=(N, width)).astype(np.float32)
        for layer, width in WIDTHS.items()
    }


def write(path, layers, dtype="float32", missing=(), corpus=CORPUS, step=17):
    """Append the layers in portions of ``step`` rows."""
    with open_writer(path, corpus, dtype=dtype, metadata=METADATA) as writer:
        for start in range(0, corpus.n_words, step):
            portion = {layer: array[start : start + step] for layer, array in layers.items()}
            here = [row - start for row in missing if start <= row < start + step]
            writer.append(portion, here)
        writer.finish({"n_truncated_words": 0, "n_dropped_words": len(missing)})
    return ActivationStore(path)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with write(tmp_path_factory.mktemp("store") / "s.h5", random_layers()) as store:
        yield store


@pytest.fixture
def reads(monkeypatch):
    """Every (layer, start, stop) read from a file."""
    seen = []
    original = ActivationStore._read

    def read(self, layer, start, stop):
        seen.append((layer, start, stop))
        return original(self, layer, start, stop)

    monkeypatch.setattr(ActivationStore, "_read", read)
    return seen


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_stored_values_are_those_torch_rounds_to(tmp_path, dtype):
    layers = random_layers()
    layers[0][:4, 0] = [0.0, -0.0, 1e-7, 1 + 2**-8]
    store = write(tmp_path / "s.h5", layers, dtype)

    for layer, array in layers.items():
        rounded = torch.from_numpy(array).to(getattr(torch, dtype))
        found = store.layer(layer)
        assert found.dtype == ("float16" if dtype == "float16" else "float32")
        np.testing.assert_array_equal(load(found), rounded.float().numpy())


def test_layers_stand_side_by_side_in_the_order_asked_for(store):
    layers = random_layers()
    X = store.matrix([10, 0])

    np.testing.assert_array_equal(np.asarray(X), np.hstack([layers[10], layers[0]]))
    assert X.shape == (N, 5)
    assert space_of(X) == NeuronSpace("tiny", "hidden_states", (10, 0), (2, 3), "r1")
    assert store.space.layers == (0, 2, 10)
    assert np.asarray(X, dtype=np.float64).dtype == np.float64


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_and_slices_are_numpy_indexing(store, data):
    expected = np.hstack(list(random_layers().values()))
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, N - 1)))), dtype=int)
    start, stop = data.draw(st.tuples(*[st.none() | st.integers(-N - 3, N + 3)] * 2))
    X = store.matrix(rows=rows)

    assert X.shape == (len(rows), 10)
    np.testing.assert_array_equal(X[start:stop], expected[rows][start:stop])


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_blocks_cover_everything_once(store, data):
    expected = np.hstack(list(random_layers().values()))
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, N - 1), min_size=1))))
    n_rows = data.draw(st.integers(1, 2 * N))
    for X, whole in [(store.matrix(rows=rows), expected[rows]), (expected, expected)]:
        found = list(blocks(X, n_rows))

        assert [start for start, _ in found] == np.cumsum(
            [0, *(len(b) for _, b in found[:-1])]
        ).tolist()
        assert all(1 <= len(block) <= n_rows for _, block in found)
        np.testing.assert_array_equal(np.vstack([block for _, block in found]), whole)


def test_blocks_of_many_neurons_have_fewer_rows(store, monkeypatch):
    expected = np.hstack(list(random_layers().values()))
    monkeypatch.setattr(matrix_module, "BLOCK_NUMBERS", 90)
    for X in (store.matrix(), expected):
        found = [block for _, block in blocks(X)]
        assert max(map(len, found)) == 8  # of 10 numbers
        np.testing.assert_array_equal(np.vstack(found), expected)
    np.testing.assert_array_equal(store.matrix()[3:20], expected[3:20])


def test_a_slice_reads_only_its_rows_and_layers(store, reads):
    store.matrix([2, 0])[10:13]
    assert reads == [(2, 10, 13), (0, 10, 13)]

    reads.clear()
    store.matrix([0], rows=np.array([3, 30, 31, N - 1]))[1:3]
    assert reads == [(0, 30, 32)]


def test_blocks_do_not_read_more_rows_than_asked_for(store, reads):
    for _ in store.matrix([0], rows=np.arange(0, N, 3)).blocks(10):
        pass

    assert max(stop - start for _, start, stop in reads) <= 10
    spans = [row for _, start, stop in reads for row in range(start, stop)]
    assert len(spans) == len(set(spans))


def test_opening_and_shaping_reads_no_activations(store, reads):
    assert len(store.matrix()) == N
    assert reads == []


@pytest.mark.parametrize("rows", [[-1, 2], [2, 2], [3, 2], [N]])
def test_rows_that_do_not_ascend_or_exist(store, rows):
    with pytest.raises(InputError, match=r"s\.h5: rows must ascend between 0 and"):
        store.matrix(rows=np.array(rows))


@pytest.mark.parametrize("index", [3, slice(None, None, 2), slice(None, None, -1), [1, 2]])
def test_only_slices_of_rows(store, index):
    with pytest.raises(InputError, match=r"X\[start:stop\]"):
        store.matrix()[index]


def test_unknown_layer(store):
    with pytest.raises(InputError, match="no layer 1; the layers are 0, 2, 10"):
        store.layer(1)


def test_words_offsets_and_metadata(tmp_path):
    corpus = TaggedCorpus([["naïve", "东京"], ["👩‍👩‍👧"]])
    store = write(tmp_path / "s.h5", {0: np.ones((3, 2), np.float32)}, corpus=corpus)

    assert store.words() == ["naïve", "东京", "👩‍👩‍👧"]
    assert store.sentence_offsets.tolist() == [0, 2, 3]
    assert store.n_rows == 3
    assert store.missing.tolist() == []
    assert METADATA.items() <= store.metadata.items()
    assert store.metadata["corpus_hash"] == corpus.words_hash
    assert store.metadata["dtype"] == "float32"
    assert store.metadata["n_truncated_words"] == 0


@pytest.mark.parametrize(
    ("dtype", "raw"),
    [
        ("float32", lambda a: a.tobytes()),
        ("float16", lambda a: a.astype(np.float16).tobytes()),
        ("bfloat16", lambda a: torch.from_numpy(a).bfloat16().view(torch.int16).numpy().tobytes()),
    ],
)
def test_checksums_are_those_of_the_raw_bytes(tmp_path, dtype, raw):
    layers = random_layers()
    store = write(tmp_path / "s.h5", layers, dtype)

    digests = {str(i): hashlib.sha256(raw(array)).hexdigest() for i, array in layers.items()}
    assert store.metadata["checksums"] == [{"rows": N, "layers": digests}]


def test_the_content_hash_depends_on_content_and_not_on_portions(tmp_path):
    same = write(tmp_path / "1.h5", random_layers(), step=3)
    again = write(tmp_path / "2.h5", random_layers(), step=N)
    other = write(tmp_path / "3.h5", random_layers(seed=1))

    assert same.content_hash == again.content_hash != other.content_hash


def test_missing_rows_are_kept_as_nan(tmp_path):
    layers = random_layers()
    for array in layers.values():
        array[[4, 40]] = np.nan
    store = write(tmp_path / "s.h5", layers, missing=[4, 40])

    assert store.missing.tolist() == [4, 40]
    assert np.flatnonzero(np.isnan(load(store.matrix())).any(axis=1)).tolist() == [4, 40]


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (70000.0, "float16", "1 activations overflow float16; .*bfloat16 or float32"),
        (np.nan, "float32", "1 activations are NaN or infinite"),
        (-np.inf, "bfloat16", "1 activations are NaN or infinite"),
        (np.nan, "float16", "1 activations are NaN or infinite"),
    ],
)
def test_bad_activations_are_refused_by_name(tmp_path, value, dtype, message):
    layers = random_layers()
    layers[2][20, 4] = value  # sentences have 1 2 3 4 5 1 2 3 words: row 20 ends the eighth
    with pytest.raises(InputError, match=f"layer 2, unit 4, sentence 8: {message}"):
        write(tmp_path / "s.h5", layers, dtype)

    assert not list(tmp_path.iterdir())


def test_bfloat16_holds_what_float16_does_not(tmp_path):
    layers = {0: np.full((N, 1), 2.0**17, np.float32)}

    assert (load(write(tmp_path / "s.h5", layers, "bfloat16").matrix()) == 2.0**17).all()


def test_an_unfinished_store_leaves_no_file(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        open_writer(tmp_path / "s.h5", CORPUS, dtype="float32", metadata=METADATA) as writer,
    ):
        writer.append({0: np.zeros((5, 2), np.float32)})
        raise KeyboardInterrupt

    assert not list(tmp_path.iterdir())


def test_a_store_with_too_few_rows_is_not_finished(tmp_path):
    with pytest.raises(ValueError, match=f"wrote 5 of {N} rows"):
        write(tmp_path / "s.h5", {0: np.zeros((5, 2), np.float32)}, step=N)

    assert not list(tmp_path.iterdir())


def test_writing_is_refused_before_any_work(tmp_path):
    (tmp_path / "s.h5").write_text("old")
    nul = TaggedCorpus([["a\0b"]], source="words.txt")
    for path, corpus, dtype, message in [
        ("s.h5", CORPUS, "float32", r"s\.h5: exists already"),
        ("new.h5", CORPUS, "float64", "unknown dtype 'float64'; use float32, float16, bfloat16"),
        ("new.h5", nul, "float32", r"words\.txt: sentence 1: the word 'a\\x00b' has a NUL"),
    ]:
        with (
            pytest.raises(InputError, match=message),
            open_writer(tmp_path / path, corpus, dtype=dtype, metadata=METADATA),
        ):
            pytest.fail("the block ran")

    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_another_corpus_is_refused(store):
    other = TaggedCorpus([["other"]], source="other.txt")

    store.check_corpus(CORPUS.words_hash, CORPUS.source)
    with pytest.raises(InputError, match=r"s\.h5: made from another corpus than other\.txt"):
        store.check_corpus(other.words_hash, other.source)


def test_what_is_not_a_store_is_refused(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = 1
    with h5py.File(tmp_path / "newer.h5", "w") as file:
        file.attrs.update({"format": "neurox_lite activations", "format_version": 99})

    for name, message in [
        ("missing.h5", "no such activation store; make it with 'extract'"),
        ("text.h5", r"not a readable HDF5 file .* give another file, put back a copy"),
        ("foreign.h5", "not an activation store"),
        ("newer.h5", "written by a newer neurox_lite; upgrade"),
        (".", r"a folder without an activation store \(store\.h5\); give what"),
    ]:
        with pytest.raises(InputError, match=message):
            ActivationStore(tmp_path / name)


def test_finite_blocks_name_the_row_and_the_neuron():
    space = NeuronSpace("m", "mlp", (7, 3), (2, 2))
    array = np.zeros((5000, 4))
    assert sum(len(block) for _, block in finite_blocks(array, space)) == 5000

    array[4500, 3] = np.inf
    with pytest.raises(InputError, match="neuron 3:1 in row 4500 is infinite"):
        list(finite_blocks(array, space))
    array[4200, 1] = np.nan
    with pytest.raises(InputError, match="neuron 7:1 in row 4200 is NaN"):
        list(finite_blocks(array, space))


def test_arrays_and_tensors_are_one_layer_and_not_copied():
    array = np.arange(6.0).reshape(2, 3)

    assert space_of(array).n_neurons == 3
    assert load(array) is array
    assert np.shares_memory(load(torch.from_numpy(array)), array)
    assert load(torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True)).dtype == np.float32


def test_layers_and_rows_of_any_kind(store):
    rows = np.array([1, 4, 7])
    mask = np.isin(np.arange(N), rows)
    wanted = store.matrix([2, 10], rows)[:]
    for layers in ((2, 10), range(2, 11, 8), np.array([2, -1]), [np.int64(2), torch.tensor(10)]):
        for which in (rows, rows.tolist(), rows.astype(np.uint16), torch.tensor(rows), mask):
            np.testing.assert_array_equal(store.matrix(layers, which)[:], wanted)
    assert store.matrix("all").space == store.matrix().space == store.space
    assert store.layer(np.int64(-1)).space.layers == (10,)
    assert store.matrix(2, []).shape == (0, 5)


@pytest.mark.parametrize("rows", [[0.5, 1.5], [True, False], 3, "1", [[1, 2]], ["a"], [None]])
def test_what_are_no_rows(store, rows):
    with pytest.raises(
        InputError, match=r"s\.h5: rows are .*; give the numbers of words in a list"
    ):
        store.matrix(None, rows)
