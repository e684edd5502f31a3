"""Neuron masks: what they touch, how they are written and compared, what they refuse."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask

SPACE = NeuronSpace("models/m", "lstm_cell", (1, 0), (4, 6), "sha256:1")
REPLACEMENT = np.random.default_rng(0).normal(size=10)


def random_mask(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    gates = rng.random(10) * (rng.random(10) < 0.5)
    return NeuronMask(
        SPACE,
        gates.astype(dtype),
        rng.normal(size=10).astype(dtype),
        "search",
        {"seed": seed},
        {"pairs": "números.tsv"},
    )


def test_a_mask_of_columns():
    mask = NeuronMask.of(SPACE, [7, 2, 7], REPLACEMENT, method="planted", parameters={"k": 2})
    assert mask.gates.tolist() == [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]
    assert mask.columns.tolist() == [2, 7]
    assert mask.neurons == [Neuron(1, 2), Neuron(0, 3)]
    assert len(mask) == 2
    assert np.array_equal(mask.replacement, REPLACEMENT)
    assert (mask.method, mask.parameters, mask.provenance) == ("planted", {"k": 2}, {})


@pytest.mark.parametrize(
    "neurons",
    ["0:3", Neuron(0, 3), 7, np.int64(7), ["0:3"], [Neuron(0, 3)], [(0, 3)], np.arange(10) == 7],
)
def test_neurons_go_in_as_they_come_out(neurons):
    mask = NeuronMask.of(SPACE, neurons)
    assert mask.neurons == [Neuron(0, 3)]
    assert NeuronMask.of(SPACE, mask.neurons).columns.tolist() == [7]


def test_what_a_mask_is_made_of_is_not_shared_or_changed():
    values = REPLACEMENT.copy()
    columns = np.array([3, 1])
    mask = NeuronMask.of(SPACE, columns, values)
    mask.replacement[0] = 100
    assert np.array_equal(values, REPLACEMENT)
    assert columns.tolist() == [3, 1]


def test_one_number_for_all():
    mask = NeuronMask.of(SPACE, range(3), 0.5)
    assert mask.replacement.tolist() == [0.5] * 10
    assert NeuronMask.of(SPACE, [0]).replacement.tolist() == [0] * 10


def test_an_empty_mask():
    mask = NeuronMask.of(SPACE, [])
    assert len(mask) == 0 and mask.neurons == []


def test_partly_open_gates_count_as_touched():
    gates = np.zeros(10)
    gates[[1, 8]] = 1e-9, 0.5
    assert NeuronMask(SPACE, gates, REPLACEMENT).neurons == [Neuron(1, 1), Neuron(0, 4)]


def test_another_replacement():
    mask = random_mask()
    other = mask.replaced_by(REPLACEMENT)
    assert np.array_equal(other.replacement, REPLACEMENT)
    assert np.array_equal(other.gates, mask.gates)
    assert (other.method, other.parameters) == (mask.method, mask.parameters)
    assert mask.replaced_by(-1).replacement.tolist() == [-1] * 10
    assert np.array_equal(mask.replacement, random_mask().replacement)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saved_and_loaded_bit_by_bit(tmp_path, dtype):
    mask = random_mask(3, dtype)
    mask.save(tmp_path / "new" / "folder")
    again = NeuronMask.load(tmp_path / "new" / "folder")
    for one, other in ((mask.gates, again.gates), (mask.replacement, again.replacement)):
        assert other.dtype == dtype
        assert one.tobytes() == other.tobytes()
    assert again.space == mask.space
    assert (again.method, again.parameters) == ("search", {"seed": 3})
    assert again.provenance == {"pairs": "números.tsv"}
    files = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert files == {"mask.json", "mask.safetensors"}
    data = json.loads((tmp_path / "new" / "folder" / "mask.json").read_text(encoding="utf-8"))
    assert data["neurons"] == [str(neuron) for neuron in mask.neurons]


def test_views_of_other_arrays_are_saved_as_they_read(tmp_path):
    table = np.random.default_rng(1).random((10, 3))
    mask = NeuronMask(SPACE, table[:, 1], REPLACEMENT[::-1])
    mask.save(tmp_path)
    again = NeuronMask.load(tmp_path)
    assert np.array_equal(again.gates, table[:, 1])
    assert np.array_equal(again.replacement, REPLACEMENT[::-1])


def test_the_same_mask_is_saved_as_the_same_bytes(tmp_path):
    for folder in ("one", "other"):
        random_mask().save(tmp_path / folder)
    for name in ("mask.json", "mask.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@settings(deadline=None)
@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_masks_are_compared_as_sets(one, other):
    overlap = NeuronMask.of(SPACE, sorted(one), method="one").compare(
        NeuronMask.of(SPACE, sorted(other), method="other")
    )
    assert (overlap.first, overlap.second, overlap.n_neurons) == ("one", "other", 10)
    assert set(overlap.both) == set(SPACE.neurons(one & other))
    assert set(overlap.only_first) == set(SPACE.neurons(one - other))
    assert set(overlap.only_second) == set(SPACE.neurons(other - one))
    assert overlap.expected == pytest.approx(len(one) * len(other) / 10)


def test_masks_of_different_neurons():
    other = NeuronMask.of(NeuronSpace.of_array(10), [1], method="other")
    with pytest.raises(InputError, match="masks 'given' and 'other' have different neurons"):
        NeuronMask.of(SPACE, [1]).compare(other)


def test_masks_of_one_model_loaded_from_two_places(tmp_path):
    """Its revision tells that it is the same."""
    masks = []
    for folder, revision in (("here", "sha256:1"), ("there", "sha256:1"), ("new", "sha256:2")):
        space = replace(SPACE, model=f"/{folder}/lstm", revision=revision)
        NeuronMask.of(space, [1, 2], method=folder).save(tmp_path / folder)
        masks.append(NeuronMask.load(tmp_path / folder))
    assert len(masks[0].compare(masks[1]).both) == 2
    with pytest.raises(InputError, match="masks 'here' and 'new' have different neurons"):
        masks[0].compare(masks[2])


# What is refused.


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan, np.inf])
def test_a_gate_out_of_range(bad):
    gates = np.zeros(10)
    gates[4] = bad
    with pytest.raises(InputError, match="mask 'given': a gate is not between 0 and 1"):
        NeuronMask(SPACE, gates, REPLACEMENT)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_replacement_that_is_no_number(bad):
    with pytest.raises(InputError, match="mask 'given': a replacement is NaN or infinite"):
        NeuronMask.of(SPACE, [1], bad)
    with pytest.raises(InputError, match="mask 'search': a replacement is NaN or infinite"):
        random_mask().replaced_by(bad)


@pytest.mark.parametrize("shape", [(), (9,), (1, 10), (2, 10)])
def test_arrays_of_another_shape(shape):
    bad = np.ones(shape)
    for gates, values in ((bad, REPLACEMENT), (REPLACEMENT * 0, bad)):
        with pytest.raises(InputError, match=r"mask 'given': gates of shape .* for 10 neurons"):
            NeuronMask(SPACE, gates, values)
    if shape:
        with pytest.raises(InputError, match=r"shape .* for 10 neurons"):
            NeuronMask.of(SPACE, [1], bad)
        with pytest.raises(InputError, match=r"shape .* for 10 neurons"):
            random_mask().replaced_by(bad)


@pytest.mark.parametrize("column", [-1, 10])
def test_a_column_the_space_does_not_have(column):
    with pytest.raises(InputError, match=f"no column {column}; the columns are 0 to 9"):
        NeuronMask.of(SPACE, [0, column])


@pytest.mark.parametrize("neurons", [[1.5], [None], ["1.3"], "x", [True], {"1:2": 0.5}])
def test_what_is_no_neuron(neurons):
    with pytest.raises(InputError, match="give '1:3' for layer 1 and unit 3, a Neuron or a column"):
        NeuronMask.of(SPACE, neurons)


def test_no_space():
    with pytest.raises(InputError, match="space is 'm'; give a NeuronSpace"):
        NeuronMask.of("m", [1])


def cut(folder):
    path = folder / "mask.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


def drop(folder):
    (folder / "mask.safetensors").unlink()


def edit(**changes):
    def damage(folder):
        data = json.loads((folder / "mask.json").read_text())
        (folder / "mask.json").write_text(json.dumps({**data, **changes}))

    return damage


def swap(folder):
    from safetensors.numpy import save_file

    save_file({"gates": REPLACEMENT}, folder / "mask.safetensors")


def garble(folder):
    (folder / "mask.json").write_text("{")


def forget(folder):
    (folder / "mask.json").unlink()


def spoil(folder):
    from safetensors.numpy import save_file

    arrays = {"gates": np.full(10, np.nan), "replacement": REPLACEMENT}
    save_file(arrays, folder / "mask.safetensors")


def test_what_is_sought_of_sufficiency_are_the_neurons_kept():
    keeps = NeuronMask.of(SPACE, range(8), parameters={"objective": "sufficiency"})
    flips = NeuronMask.of(SPACE, [1, 8], parameters={"objective": "flip"})
    assert keeps.selected.tolist() == [8, 9] and flips.selected.tolist() == [1, 8]
    overlap = keeps.compare(flips)
    assert [str(neuron) for neuron in overlap.both] == ["0:4"]
    assert overlap.expected == 2 * 2 / 10


def test_shown_in_a_line():
    assert repr(NeuronMask.of(SPACE, [2, 7])) == "NeuronMask(given: 2 of 10 neurons, 1:2 0:3)"
    assert repr(NeuronMask.of(SPACE, [])) == "NeuronMask(given: 0 of 10 neurons, none)"
    assert repr(NeuronMask.of(SPACE, range(10))).endswith(
        "10 of 10 neurons, 1:0 1:1 1:2 1:3 0:0 0:1 0:2 0:3 ...)"
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "the mask cannot be read .*; make it again"),
        (drop, "the mask cannot be read .*; make it again"),
        (swap, "the mask cannot be read .*; make it again"),
        (garble, "mask.json"),
        (forget, "mask.json"),
        (spoil, "a gate is not between 0 and 1"),
        (edit(kind="ranking"), "does not hold a neuron mask; make it again"),
        (edit(space=None), "the mask cannot be read .*; make it again"),
        (edit(space={"model": "m"}), "the mask cannot be read .*; make it again"),
        (edit(space={**SPACE.to_dict(), "widths": [4, 5]}), "for 9 neurons"),
        (edit(space={**SPACE.to_dict(), "layers": [1]}), "give each layer once, with a width"),
    ],
)
def test_a_damaged_folder(tmp_path, damage, message):
    random_mask().save(tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        NeuronMask.load(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mask_with_something_json_does_not_have_leaves_no_files(tmp_path):
    mask = NeuronMask.of(SPACE, [1], parameters={"penalty": float("nan")})
    with pytest.raises(InputError, match="cannot be saved as JSON"):
        mask.save(tmp_path / "mask")
    assert not (tmp_path / "mask").exists()
