"""Detection: what a perfect and a random description score, and which examples are drawn."""

import numpy as np
import pytest
from simulated_neurons import Simulation
from sklearn.metrics import balanced_accuracy_score, f1_score

from neurox_lite.descriptions.detection import detect, draw
from neurox_lite.descriptions.scored_examples import Examples
from neurox_lite.descriptions.scoring import score_description
from neurox_lite.errors import InputError

N = 2000
ACTIVATIONS = np.random.default_rng(0).normal(size=N)
ACTIVE = ACTIVATIONS > 1.5
HOW = {"activations": ACTIVATIONS, "sentences": np.arange(N) // 2, "threshold": 1.5}


def test_a_perfect_description():
    found = detect(ACTIVE, **HOW)
    assert (found.n_active, found.n_inactive) == (50, 50)
    for interval in (found.balanced_accuracy, found.f1):
        assert (interval.value, interval.high) == (1, 1)
        assert 0.9 < interval.low < 1
    assert detect(~ACTIVE, **HOW).balanced_accuracy.value == 0


def test_a_random_description_is_at_chance():
    rng = np.random.default_rng(0)
    found = [detect(rng.random(N) < 0.3, **HOW, seed=seed) for seed in range(100)]
    accuracies = [one.balanced_accuracy for one in found]
    assert np.mean([one.value for one in accuracies]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([one.low <= 0.5 <= one.high for one in accuracies]) >= 0.9
    # TP and FN of active, FP of inactive examples: 2 * 0.3 / (2 * 0.3 + 0.3 + 0.7)
    assert np.mean([one.f1.low <= 0.375 <= one.f1.high for one in found]) >= 0.9


def test_descriptions_of_everything_and_of_nothing():
    everything, nothing = (detect(np.full(N, said), **HOW) for said in (1.0, 0.0))
    assert everything.balanced_accuracy.value == nothing.balanced_accuracy.value == 0.5
    assert everything.f1.value == pytest.approx(2 / 3) and nothing.f1.value == 0


def test_scores_are_those_of_scikit_learn():
    present = np.random.default_rng(1).random(N) * 0.5 + ACTIVE * 0.4
    found = detect(present, **HOW, n=60, seed=3)
    examples = Examples.of(present, ACTIVATIONS, HOW["sentences"], 1.5)
    drawn = np.concatenate(draw(examples, 60, np.random.default_rng(3)))
    of_drawn = ACTIVE[drawn], present[drawn] >= 0.5
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(*of_drawn))
    assert found.f1.value == pytest.approx(f1_score(*of_drawn))


@pytest.mark.parametrize("n", [50, 53])
def test_active_examples_are_of_ten_quantiles(n):
    examples = Examples.of(ACTIVE, **HOW)
    active, inactive = draw(examples, n, np.random.default_rng(0))
    assert ACTIVE[active].all() and not ACTIVE[inactive].any()
    assert len(np.unique(active)) == len(np.unique(inactive)) == n
    order = np.flatnonzero(ACTIVE)[np.argsort(ACTIVATIONS[ACTIVE])]
    counts = [np.isin(part, active).sum() for part in np.array_split(order, 10)]
    assert sum(counts) == n and max(counts) - min(counts) <= 1


def test_fewer_active_examples_than_asked():
    present, sentences = np.arange(40) < 7, np.arange(40)
    found = detect(present, present * 1.0, sentences, threshold=0.5)
    assert (found.n_active, found.n_inactive) == (7, 33)
    assert found.balanced_accuracy.value == 1


def test_it_hardly_sees_what_is_claimed_too_much():
    """Why it is not what descriptions are compared by: labels doubled at random."""
    rng = np.random.default_rng(0)
    present, activations, sentences = Simulation(20_000, share=0.01, signal=9).draw(rng)
    doubled = present | (rng.random(20_000) < 0.01)
    how = {"activations": activations, "sentences": sentences, "threshold": 5.0}
    of_both = [detect(said, **how).balanced_accuracy.value for said in (present, doubled)]
    assert of_both[1] > of_both[0] - 0.04
    of_both = [score_description(said, **how).f1.value for said in (present, doubled)]
    assert of_both[1] < of_both[0] - 0.3


def test_the_seed_decides():
    present = np.random.default_rng(0).random(N)
    assert detect(present, **HOW) == detect(present, **HOW)
    assert detect(present, **HOW) != detect(present, **HOW, seed=1)


def test_errors():
    for threshold, which in ((9, "none"), (-9, "every one")):
        with pytest.raises(InputError, match=f"of {N} examples {which} is active at the thresh"):
            detect(ACTIVE, **{**HOW, "threshold": threshold})
    with pytest.raises(InputError, match="n is 9; give at least 10"):
        detect(ACTIVE, **HOW, n=9)
    with pytest.raises(InputError, match="present is 3 in example 0"):
        detect(ACTIVE + 3, **HOW)
