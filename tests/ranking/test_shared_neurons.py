"""Neurons of several properties: counted by hand, and chance by drawing the sets themselves.

Also of ``neurox_lite.ranking.property_tops``.
"""

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.ranking import shared_neurons
from neurox_lite.ranking.shared_neurons import SharedNeurons
from neurox_lite.results.ranking import NeuronRanking

SPACE = NeuronSpace("m", "mlp", layers=(1, 4), widths=(8, 12))


def ranking(first, space=SPACE):
    """These columns first, then the others."""
    order = [*first, *(c for c in range(space.n_neurons) if c not in first)]
    return NeuronRanking(space, np.array(order), -np.argsort(order).astype(float), "planted")


def counts_of(found):
    return {count.of: count for count in found.counts}


SETS = {"a": [0, 1, 2, 3], "b": [2, 3, 9], "c": [3, 9, 15, 16, 17]}


@pytest.fixture(scope="module")
def found():
    rankings = {name: ranking(columns) for name, columns in SETS.items()}
    return shared_neurons(rankings, {name: len(columns) for name, columns in SETS.items()})


def test_shared_and_specific_neurons_by_hand(found):
    assert {of: count.neurons for of, count in counts_of(found).items()} == {
        **{"a and b": 2, "a and c": 1, "b and c": 2},
        **{"at least 2 of 3": 3, "all 3": 1, "only a": 2, "only b": 0, "only c": 3},
    }
    assert found.shared() == [Neuron(1, 3)]
    assert found.shared(2) == [Neuron(1, 2), Neuron(1, 3), Neuron(4, 1)]
    assert found.only("c") == [Neuron(4, 7), Neuron(4, 8), Neuron(4, 9)]
    assert found.only("b") == []


def test_chance_is_that_of_sets_drawn_at_random(found):
    """From all neurons and, for the means, from the same layers."""
    rng = np.random.default_rng(5)
    draws = {of: [] for of in counts_of(found)}
    within = {of: [] for of in draws}
    in_layer = {
        name: [np.sum(np.array(own) < 8), np.sum(np.array(own) >= 8)] for name, own in SETS.items()
    }
    for _ in range(4000):
        every = np.zeros((3, 20), int)
        layered = np.zeros((3, 20), int)
        for row, name in enumerate(SETS):
            every[row, rng.permutation(20)[: len(SETS[name])]] = 1
            layered[row, rng.permutation(8)[: in_layer[name][0]]] = 1
            layered[row, 8 + rng.permutation(12)[: in_layer[name][1]]] = 1
        for drawn, of_sets in ((draws, every), (within, layered)):
            total = of_sets.sum(0)
            for i, j in ((0, 1), (0, 2), (1, 2)):
                drawn[f"{'abc'[i]} and {'abc'[j]}"].append((of_sets[i] & of_sets[j]).sum())
            drawn["at least 2 of 3"].append((total >= 2).sum())
            drawn["all 3"].append((total == 3).sum())
            for i, name in enumerate("abc"):
                drawn[f"only {name}"].append((of_sets[i] & (total == 1)).sum())
    for of, count in counts_of(found).items():
        simulated = np.array(draws[of])
        assert count.expected == pytest.approx(simulated.mean(), abs=0.06)
        assert count.expected_in_layers == pytest.approx(np.mean(within[of]), abs=0.06)
        assert count.p_at_least == pytest.approx(np.mean(simulated >= count.neurons), abs=0.03)
        assert count.p_at_most == pytest.approx(np.mean(simulated <= count.neurons), abs=0.03)
        assert np.mean((simulated >= count.low) & (simulated <= count.high)) > 0.94


def test_the_same_set_disjoint_sets_and_as_many_as_by_chance():
    space = NeuronSpace("m", "mlp", (0,), (400,))
    first = list(range(40))
    for second, verdict in (
        (first, "more"),
        (list(range(40, 80)), "fewer"),
        (list(range(36, 76)), "chance"),  # 4 of 40, as 40 * 40 / 400
    ):
        two = {"x": ranking(first, space), "y": ranking(second, space)}
        count = counts_of(shared_neurons(two, 40))["x and y"]
        assert count.expected == 4
        is_more, is_fewer = count.neurons > count.high, count.neurons < count.low
        assert (is_more, is_fewer) == (verdict == "more", verdict == "fewer")


def test_draws_do_not_change_and_the_result_is_saved(found, tmp_path):
    rankings = {name: ranking(columns) for name, columns in SETS.items()}
    again = shared_neurons(rankings, {name: len(columns) for name, columns in SETS.items()})
    assert again == found
    found.save(tmp_path / "s.json")
    assert SharedNeurons.load(tmp_path / "s.json") == found


def test_neurons_that_a_ranking_does_not_order_are_in_no_top():
    scores = np.zeros(20)
    scores[[4, 7]] = 2, 1
    sparse = NeuronRanking.from_scores(SPACE, scores, "sparse")
    found = shared_neurons({"s": sparse, "t": ranking([4])}, 5)
    assert found.neurons[0] == (Neuron(1, 4), Neuron(1, 7))
    tenth = shared_neurons({"s": sparse, "t": ranking([4])})
    assert [len(own) for own in tenth.neurons] == [2, 2]


def test_bad_input(found):
    with pytest.raises(InputError, match="unknown property 'd'; use a, b, c"):
        found.only("d")
    one, other = ranking([0]), ranking([0], NeuronSpace("m", "mlp", (0,), (20,)))
    with pytest.raises(InputError, match="only 'a'; give two properties"):
        shared_neurons({"a": one})
    with pytest.raises(InputError, match="no rankings"):
        shared_neurons({})
    with pytest.raises(InputError, match="is of mlp, layers"):
        shared_neurons({"a": one, "b": other})
    with pytest.raises(InputError, match=r"unknown property of k 'Numbr'.*did you mean 'Number'"):
        shared_neurons({"Number": one, "b": one}, {"Numbr": 2})
    for k, says in ((0, "at least 1"), (21, "from 0 to 20"), (1.5, "whole number")):
        with pytest.raises(InputError, match=says):
            shared_neurons({"a": one, "b": one}, k)
    with pytest.raises(InputError, match="give a dict from the names"):
        shared_neurons([one, one])
