"""Scores of a description: those of scikit-learn, and they fall when the description gets worse.

Also of ``neurox_lite.descriptions.scored_examples``.
"""

import numpy as np
import pandas
import pytest
import torch
from scipy.stats import pearsonr
from simulated_neurons import Simulation
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    jaccard_score,
    precision_score,
    recall_score,
)

from neurox_lite.descriptions.description_scores import MEASURES
from neurox_lite.descriptions.scored_examples import Examples
from neurox_lite.descriptions.scoring import score_description, score_with_references
from neurox_lite.errors import InputError

SOUND = ("auprc", "f1", "iou", "correlation")
EPSILON = 1e-3
"""How far a score has to fall in NeuronEval."""


def values(present, activations, threshold):
    score = score_description(present, activations, np.arange(len(present)), threshold=threshold)
    return {name: getattr(score, name).value for name in MEASURES}


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("decimals", [0, 8])
def test_scores_are_those_of_scikit_learn(graded, decimals):
    rng = np.random.default_rng(0)
    present, activations, _ = Simulation(400, share=0.2).draw(rng)
    activations = activations.round(decimals)  # with ties, and without
    if graded:
        present = (present * 0.5 + rng.random(400) * 0.5).round(2)
    is_present, active = present >= 0.5, activations >= 1
    assert values(present, activations, 1.0) == pytest.approx(
        {
            "auprc": average_precision_score(active, present),
            "f1": f1_score(active, is_present),
            "iou": jaccard_score(active, is_present),
            "correlation": pearsonr(present, activations).statistic,
            "inverse_auprc": average_precision_score(is_present, activations),
        }
    )


def test_what_it_counts():
    present, activations = [True, True, False, False], [2.0, 0.0, 1.0, 0.5]
    score = score_description(present, activations, ["a", "b", "b", "c"], threshold=1)
    assert (score.n_examples, score.n_sentences) == (4, 3)
    assert (score.prevalence, score.density) == (0.5, 0.5)
    # One of two active examples is described, as is one inactive one.
    assert score.f1.value == 0.5 and score.iou.value == pytest.approx(1 / 3)


def missing(present, rng):
    """Half of the positive labels are dropped."""
    return present & (rng.random(len(present)) < 0.5)


def extra(present, rng):
    """There are twice as many, the others at random."""
    return present | (rng.random(len(present)) < present.mean() / (1 - present.mean()))


@pytest.mark.parametrize("share", [0.499, 0.1, 0.01])
@pytest.mark.parametrize("signal", [None, 3.0], ids=["ideal", "noisy"])
@pytest.mark.parametrize("worse", [missing, extra])
def test_every_score_falls_when_labels_are_dropped_or_doubled(worse, signal, share):
    """The two sanity checks of NeuronEval, on its ideal neurons and on noisy ones."""
    rng = np.random.default_rng(0)
    simulation = Simulation(5000, share=share, signal=signal or 0.0)
    present, activations, _ = simulation.draw(rng)
    threshold = 0.5
    if signal is None:
        activations = present.astype(float)
    else:
        threshold = simulation.threshold
    before = values(present, activations, threshold)
    for _ in range(5):
        after = values(worse(present, rng), activations, threshold)
        for name in SOUND:
            assert after[name] < before[name] - EPSILON, name


@pytest.mark.parametrize("share", [0.1, 0.01])
def test_how_far_scores_of_an_ideal_neuron_fall(share):
    place = np.arange(10_000) / 10_000
    active, half, double = (place < times * share for times in (1, 0.5, 2))
    assert values(half, active, 0.5) == pytest.approx(
        {
            "f1": 2 / 3,
            "iou": 1 / 2,
            "auprc": 1 / 2 + share / 2,
            "inverse_auprc": 1 / 2,
            "correlation": np.sqrt((1 - share) / 2 / (1 - share / 2)),
        }
    )
    assert values(double, active, 0.5) == pytest.approx(
        {
            "f1": 2 / 3,
            "iou": 1 / 2,
            "auprc": 1 / 2,
            "inverse_auprc": 1 / 2 + share,
            "correlation": np.sqrt((1 - 2 * share) / 2 / (1 - share)),
        }
    )


def test_measures_that_do_not_fall():
    """Negative controls: what NeuronEval found wanting, and why the inverse AUPRC is not sound."""
    rng = np.random.default_rng(0)
    activations = present = rng.random(50_000) < 0.01
    doubled = extra(present, rng)
    assert recall_score(activations, doubled) == 1
    assert precision_score(activations, missing(present, rng)) == 1
    # Correlation where half of the examples are active ones: it falls in a uniform sample only.
    others = rng.choice(len(present), present.sum(), replace=False)
    drawn = np.concatenate([np.flatnonzero(activations), others])
    assert pearsonr(activations[drawn], doubled[drawn]).statistic > 0.97
    assert values(doubled, activations, 0.5)["correlation"] < 0.75
    # What is present in half of the examples comes to be everywhere, and is then all found.
    activations = present = rng.random(50_000) < 0.499
    found = values(extra(present, rng), activations, 0.5)
    assert found["inverse_auprc"] > 0.99 and found["auprc"] < 0.51


def test_a_description_of_nothing_and_one_of_everything():
    _, activations, sentences = Simulation(300, share=0.2).draw(np.random.default_rng(0))
    nowhere, everywhere = (
        score_description(np.full(300, said), activations, sentences, threshold=1)
        for said in (False, True)
    )
    density = float((activations > 1).mean())
    assert nowhere.density == everywhere.density == density
    for score in (nowhere, everywhere):
        assert score.auprc.value == pytest.approx(density)
        assert score.auprc.low < density < score.auprc.high
        assert score.correlation.value == 0 and not score.correlation.is_known
    assert nowhere.f1.value == nowhere.iou.value == nowhere.inverse_auprc.value == 0
    assert everywhere.iou.value == pytest.approx(density)
    assert everywhere.f1.value == pytest.approx(2 * density / (1 + density))
    assert everywhere.inverse_auprc.value == 1


def test_a_neuron_that_is_never_active():
    score = score_description([True] * 5 + [False] * 15, [0.0] * 20, range(20), threshold=0)
    assert score.density == score.auprc.value == score.f1.value == score.correlation.value == 0
    assert not score.auprc.is_known and not score.correlation.is_known
    empty = score_description([False] * 20, [0.0] * 20, range(20), threshold=0)
    assert empty.iou.value == 0 and not empty.iou.is_known


def test_which_examples_are_active():
    def active(activations, threshold):
        present = np.zeros(len(activations))
        return Examples.of(present, activations, present, threshold).is_active.tolist()

    assert active([0.0, 0.0, 1.0], 0) == [False, False, True]
    assert active([0.0, 1.0, 1.0], 1) == [False, True, True]
    assert active([1.0, 2.0], 0) == [True, True]


def test_few_sentences_are_too_few():
    present, activations, _ = Simulation(200, share=0.3).draw(np.random.default_rng(0))
    for sentences, is_known in ((np.zeros(200), False), (np.arange(200), True)):
        score = score_description(present, activations, sentences, threshold=1)
        assert all(getattr(score, name).is_known is is_known for name in MEASURES)
        assert ("not known" in str(score)) is not is_known
    # Four sentences with what is described among 200: how the others are found says little.
    present[:] = np.arange(200) < 4
    score = score_description(present, activations, np.arange(200), threshold=1)
    assert not score.correlation.is_known and not score.inverse_auprc.is_known
    assert score.auprc.is_known and score.iou.is_known


def test_references():
    simulation = Simulation(500, n_words=4, share=0.1, signal=3, in_common=0.3)
    present, activations, sentences = simulation.draw(np.random.default_rng(0))
    how = {"threshold": 2.0, "description": "a noun"}
    scores = score_with_references(present, activations, sentences, **how)
    own, constant, shuffled = scores.scores
    assert own == score_description(present, activations, sentences, **how)
    assert (constant.prevalence, constant.correlation.value) == (1, 0)
    assert constant.auprc.value == pytest.approx(own.density)
    assert shuffled.density == own.density and shuffled.prevalence == own.prevalence
    assert shuffled.auprc.low < own.density < shuffled.auprc.high < own.auprc.low
    assert shuffled.correlation.low < 0 < shuffled.correlation.high
    assert [row[0] for row in scores.table()[1:]] == ["a noun", "constant", "shuffled activations"]
    again = [
        score_with_references(present, activations, sentences, **how, seed=seed) for seed in (0, 1)
    ]
    assert again[0] == scores != again[1]


def test_shuffled_sentences_stay_together_and_begin_elsewhere():
    """Of sentences in any order; one word a sentence is a permutation."""
    rng = np.random.default_rng(0)
    sentences = rng.permutation(np.repeat(np.arange(50), 6))
    rank = np.argsort(np.argsort(sentences, kind="stable")) % 6
    examples = Examples.of(rank == 0, 10.0 * sentences + rank, sentences, 0.5)
    shuffled = examples.with_shuffled(rng).activations
    assert sorted(shuffled) == sorted(examples.activations)
    starts = []
    for sentence in range(50):
        found = shuffled[sentences == sentence]
        assert len(set(found // 10)) == 1
        assert set(np.diff(found % 10)) <= {1, -5}
        starts.append(found[0] % 10)
    assert len(set(starts)) == 6
    assert (shuffled != examples.activations).mean() > 0.9


@pytest.mark.parametrize(
    "kind", [list, torch.tensor, pandas.Series, lambda x: torch.tensor(x, requires_grad=True)]
)
def test_numbers_of_any_kind(kind):
    present, activations, _ = Simulation(50, share=0.3).draw(np.random.default_rng(0))
    names = [f"sentence {number:02}" for number in range(50)]
    given = score_description(present.tolist(), kind(activations), names, threshold=1)
    assert given == score_description(present, activations, range(50), threshold=1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"present": [0, 1, 2]}, r"present is 2 in example 2; give numbers from 0 to 1"),
        ({"present": [0, 1, np.nan]}, r"present is nan in example 2; give finite numbers"),
        ({"present": ["yes", "no", "no"]}, r"present is a list; give one number per example"),
        ({"present": [None, 1, 0]}, "give one number per example"),
        ({"present": [[0], [1, 1]]}, "give one number per example"),
        ({"activations": [1.0, np.inf, 0]}, r"activations is inf in example 1"),
        ({"activations": np.ma.array([1.0, 2, 3], mask=[0, 1, 0])}, "nan in example 1"),
        ({"activations": [1.0, 2]}, r"2 activations for 3 examples; give one for each"),
        ({"sentences": [1, 2]}, r"sentences of shape \(2,\) for 3 rows"),
        ({"threshold": np.nan}, r"threshold is nan; give a finite activation"),
        ({"threshold": "high"}, r"threshold is 'high'; give a number"),
        ({"description": 3}, "description is 3; give the text"),
        ({"present": [], "activations": [], "sentences": []}, "no examples; give at"),
    ],
)
def test_errors(changed, message):
    given = {"present": [0, 1, 1], "activations": [0.0, 1, 2], "sentences": [0, 1, 2]}
    for function in (score_description, score_with_references):
        with pytest.raises(InputError, match=message) as error:
            function(**{**given, "threshold": 1.0, **changed})
        assert "\n" not in str(error.value)


def test_an_error_of_the_seed():
    with pytest.raises(InputError, match="seed is -1"):
        score_with_references([0, 1], [0, 1], [0, 1], threshold=0.5, seed=-1)
