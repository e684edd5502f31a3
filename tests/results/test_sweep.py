"""Sweeps over the neurons of rankings, and files of curves by earlier versions."""

import json

import numpy as np
import pytest

from neurox_lite.interventions.steering_curves import SteeringCurves
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.sweep import NeuronSets, Sweep, count_neurons

SPACE = NeuronSpace("m", "mlp", (0,), (4,))
RANKINGS = [
    NeuronRanking(SPACE, np.array(order), np.zeros(4), "given")
    for order in ([2, 0, 1, 3], [0, 1, 2, 3])
]
SETS = NeuronSets.of(RANKINGS, (1, 3), n_random=2, seed=0)


def test_sets_are_the_first_of_every_order():
    chosen = [columns.tolist() for columns in SETS.columns()]
    assert chosen[:8] == [[2], [2, 0, 1], [0], [0, 1, 2], [3], [3, 1, 0], [3], [3, 2, 1]]
    assert len(chosen) == 12
    assert chosen[8] == chosen[9][:1] and chosen[10] == chosen[11][:1]


def test_weights_go_by_rank():
    weights = SETS.weights(np.array([8.0, 4.0, 2.0, 1.0]))
    np.testing.assert_array_equal(weights[:2], [[0, 0, 8, 0], [4, 2, 8, 0]])
    np.testing.assert_array_equal(np.sort(weights[1::2]), [[0, 2, 4, 8]] * 6)


def test_what_was_measured_of_sets_goes_to_their_rankings():
    """Of each set its smallest column: the top, the bottom, and mean and range of random sets."""
    first, second = SETS.sweeps(9, [columns.min() for columns in SETS.columns()])
    assert (first.intact, first.top, first.bottom) == (9.0, (2, 0), (3, 0))
    assert (second.top, second.bottom) == ((0, 0), (3, 1))
    (one, _), (other, _) = np.reshape([c.min() for c in SETS.columns()[8:]], (2, 2))
    for sweep in (first, second):
        assert sweep.random_mean[0] == (one + other) / 2
        assert (sweep.random_low[0], sweep.random_high[0]) == (min(one, other), max(one, other))


@pytest.mark.parametrize(("share", "count"), [(0.001, 1), (0.1, 1), (0.5, 5), (1.0, 10)])
def test_shares_of_ten_neurons(share, count):
    assert count_neurons([share], 10) == (count,)


TASK = (
    '{"n_right": 9, "n_pairs": 12, "both_ways": true, "n_groups": 12, "low": 0.47, "high": 0.91, '
    '"log_odds": 1.25, "above_noise": true}'
)
ABLATION = (
    '{"kind": "ablation curves", "curves": ['
    '{"method": "lca", "retrained": true, "replacement": "none", "metric": "accuracy", '
    '"n_neurons": 10, "intact": 0.9, "shares": [0.1, 0.5], "counts": [1, 5], '
    '"keep_top": [0.5, 0.8], "remove_top": [0.7, 0.2], "keep_bottom": [0.1, 0.3], '
    '"random_mean": [0.3, 0.4], "random_low": [0.2, 0.35], "random_high": [0.4, 0.5], '
    '"converged": false}, '
    '{"method": "lca", "retrained": false, "replacement": "mean", "metric": "log odds", '
    '"n_neurons": 10, "intact": 2.5, "shares": [0.1, 0.5], "counts": [1, 5], '
    '"keep_top": [0.5, 0.8], "remove_top": [0.7, 0.2], "keep_bottom": [0.1, 0.3], '
    '"random_mean": [0.3, 0.4], "random_low": [0.2, 0.35], "random_high": [0.4, 0.5], '
    '"converged": true, "remove_bottom": [2.4, 2.0], "remove_random_mean": [2.1, 1.5], '
    '"remove_random_low": [2.0, 1.0], "remove_random_high": [2.2, 1.9], "task": ' + TASK + "}]}"
)
MEASURE = (
    '{"intact": 0.0, "top": [0.5, 1.0], "bottom": [0.0, 0.25], "random_mean": [0.1, 0.5], '
    '"random_low": [0.0, 0.25], "random_high": [0.25, 0.75]}'
)
STEERING = (
    '{"kind": "steering curves", "curves": [{"method": "lca", "mode": "add", "strength": 8.0, '
    '"positions": "all", "n_neurons": 10, "n_pairs": 8, "n_left_out": 2, "counts": [1, 5], '
    f'"success": {MEASURE}, "log_odds": {MEASURE}, "kl": {MEASURE}, "perplexity": null, '
    f'"task": {TASK}}}]}}'
)


@pytest.mark.parametrize(("kind", "text"), [(AblationCurves, ABLATION), (SteeringCurves, STEERING)])
def test_a_file_by_an_earlier_version_is_read_and_written_anew(tmp_path, kind, text):
    json.loads(text)
    (tmp_path / "old.json").write_text(text)
    curves = kind.load(tmp_path / "old.json")
    curves.save(tmp_path / "new.json")
    assert kind.load(tmp_path / "new.json") == curves
    assert len(curves.table()) > 2


def test_what_the_earlier_files_say(tmp_path):
    (tmp_path / "ablation.json").write_text(ABLATION)
    (tmp_path / "steering.json").write_text(STEERING)
    kept = Sweep(0.9, (0.5, 0.8), (0.1, 0.3), (0.3, 0.4), (0.2, 0.35), (0.4, 0.5))
    stored, in_model = AblationCurves.load(tmp_path / "ablation.json").curves
    assert (stored.keep, stored.remove) == (kept, Sweep(0.9, (0.7, 0.2)))
    assert (stored.intact, stored.converged, stored.task) == (0.9, False, None)
    assert in_model.remove == Sweep(2.5, (0.7, 0.2), (2.4, 2.0), (2.1, 1.5), (2.0, 1.0), (2.2, 1.9))
    assert in_model.task.n_right == 9 and not in_model.holds
    (steered,) = SteeringCurves.load(tmp_path / "steering.json").curves
    assert steered.success.random_high == (0.25, 0.75)
    assert steered.task == in_model.task and steered.perplexity is None
