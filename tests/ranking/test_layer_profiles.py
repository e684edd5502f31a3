"""Neurons per layer of several properties; their entropy by closed forms and by drawing.

Also of ``neurox_lite.ranking.layer_entropy``.
"""

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.ranking import layer_profiles
from neurox_lite.ranking.layer_entropy import expected_entropy, layer_entropy
from neurox_lite.ranking.layer_profiles import LayerProfiles
from neurox_lite.report.compared import profile_rows
from neurox_lite.results.ranking import NeuronRanking

SPACE = NeuronSpace("folder/model", "mlp", layers=(0, 1, 2, 3), widths=(5, 5, 5, 5))


def ranking(first, space=SPACE):
    scores = np.zeros(space.n_neurons)
    scores[first] = np.arange(len(first), 0, -1)
    return NeuronRanking.from_scores(space, scores, "planted")


def test_one_layer_has_entropy_0_and_an_even_spread_1():
    one, spread = ranking([5, 6, 7, 8]), ranking([0, 5, 10, 15])
    found = layer_profiles({"one": one, "spread": spread}, 4)
    assert [profile.counts for profile in found.profiles] == [(0, 4, 0, 0), (1, 1, 1, 1)]
    assert [profile.entropy for profile in found.profiles] == pytest.approx([0, 1])
    assert found.table()[2] == ["one", "folder/model", 1, 4, 1.0, 0.25, None]


def test_entropy_of_equal_layers_is_that_of_shannon_and_of_others_is_1_where_spread_as_they_are():
    p = np.array([0.5, 0.25, 0.25])
    shannon = -(p * np.log(p)).sum() / np.log(3)
    assert layer_entropy([2, 1, 1], [7, 7, 7]) == pytest.approx(shannon)
    assert layer_entropy([1, 3], [10, 30]) == pytest.approx(1)
    assert layer_entropy([4, 0], [10, 30]) == pytest.approx(0)
    assert 0 < layer_entropy([0, 4], [10, 30]) < 1
    assert layer_entropy([0, 0], [1, 1]) is layer_entropy([3], [9]) is None
    assert expected_entropy(3, [9]) is expected_entropy(0, [9, 9]) is None


def test_expected_entropy_is_the_mean_of_random_draws():
    widths, rng = [4, 10, 6], np.random.default_rng(0)
    layer = np.repeat([0, 1, 2], widths)
    for n_chosen in (1, 2, 7):
        drawn = [
            layer_entropy(np.bincount(rng.permutation(layer)[:n_chosen], minlength=3), widths)
            for _ in range(4000)
        ]
        assert expected_entropy(n_chosen, widths) == pytest.approx(np.mean(drawn), abs=0.01)
    assert expected_entropy(20, widths) == pytest.approx(1)


def test_scores_of_layers_and_several_models(tmp_path):
    scores = LayerScores(
        "accuracy", (0, 1, 2, 3), (0.5, 0.6, 0.7, 0.8), (0.5, 0.6, 0.7, 0.9), 0.3, True
    )
    first = layer_profiles({"a": ranking([1, 2])}, 2, scores={"a": scores})
    other = layer_profiles({"a": ranking([1], NeuronSpace("n", "mlp", (0, 1), (6, 6)))}, 1)
    both = LayerProfiles.joined([first, other])
    both.save(tmp_path / "p.json")
    assert LayerProfiles.load(tmp_path / "p.json") == both
    assert both.profiles[0].scores == scores.separate
    titles = [axis.get_title() for axis in both.plot().axes]
    assert titles == ["folder/model", "n", "", ""]


def test_heads_are_called_heads(tmp_path):
    heads = NeuronSpace("m", "attention_heads", (0, 1), (4, 4)).grouped([0, 0, 1, 1] * 2)
    found = layer_profiles({"a": ranking([1], heads)}, 1)
    other = layer_profiles({"a": ranking([1])}, 1)
    units = heads.unit_name
    assert units != "neurons" and found.units == units and f"1 {units}" in str(found)
    assert found.table()[0][3] == units
    found.save(tmp_path / "p.json")
    assert LayerProfiles.load(tmp_path / "p.json") == found
    axis = found.plot().axes[0]
    assert axis.get_ylabel() == f"% of the property's {units}"
    assert f"all {units}" in axis.get_legend_handles_labels()[1]
    head, (row,) = profile_rows(found)
    assert head[2] == units and f"of all {units})" in row[3]
    assert (other.units, LayerProfiles.joined([found, other]).units) == ("neurons", "units")


def test_bad_input():
    scores = LayerScores("accuracy", (0, 1), (0.5, 0.6), (0.5, 0.6), 0.3, True)
    with pytest.raises(InputError, match="are of other layers"):
        layer_profiles({"a": ranking([1])}, scores={"a": scores})
    with pytest.raises(InputError, match="unknown property of scores 'b'"):
        layer_profiles({"a": ranking([1])}, scores={"b": scores})
