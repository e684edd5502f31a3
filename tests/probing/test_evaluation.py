"""What is said of a probe: accuracies counted by hand, and an interval that knows of sentences."""

import json

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.probing.evaluation import evaluate_probe
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression

N_SENTENCES = 100


def part(wrong):
    """Sentences of five words, whose activations tell the label of all but the wrong sentences."""
    y = np.tile(["A", "B", "A", "A", "B"], N_SENTENCES)
    sentences = np.arange(len(y)) // 5
    told = (y == "A") ^ (sentences < wrong)
    X = np.column_stack([told, np.ones(len(y))]).astype(np.float32)
    return LabelledActivations(X, y, np.arange(len(y)), sentences)


def test_a_probe_without_weights_is_said_to_be_one(caplog):
    splits = LabelledSplits(part(0), part(10), part(20), left_out={})
    assert evaluate_probe(ElasticNetProbe(l1=10).fit(splits.train), splits)["nonzero_weights"] == 0
    assert "all weights of the probe are 0" in caplog.text and "l1 is 10; give a" in caplog.text


def test_accuracies_and_the_interval_of_the_one_on_test():
    splits = LabelledSplits(part(0), part(10), part(20), left_out={"C": 1})
    probe = ElasticNetProbe().fit(splits.train.X, splits.train.y)
    evaluation = json.loads(json.dumps(evaluate_probe(probe, splits)))
    assert evaluation["train_accuracy"] == 1
    assert evaluation["dev_accuracy"] == 0.9
    assert evaluation["test_accuracy"] == 0.8
    assert evaluation["majority_accuracy"] == 0.6
    assert evaluation["n_test"] == 500
    # 100 sentences, each all right or all wrong; 500 words would give less than half the width.
    half = 1.96 * np.sqrt(0.8 * 0.2 / N_SENTENCES)
    np.testing.assert_allclose(
        evaluation["test_accuracy_interval"], [0.8 - half, 0.8 + half], atol=0.015
    )
    # 20 sentences of three A and two B have the other label.
    assert evaluation["confusions"] == [
        {"label": "A", "predicted": "B", "words": 60},
        {"label": "B", "predicted": "A", "words": 40},
    ]


def numbers(shift):
    """Labels 0 to 9 as strings, and one activation that is the label plus a shift."""
    y = np.tile(np.arange(10), 20)
    X = (y + shift).astype(np.float32)[:, None]
    return LabelledActivations(X, y.astype(str), np.arange(len(y)), np.arange(len(y)) // 10)


def test_a_regression_has_r2_on_every_split():
    splits = LabelledSplits(numbers(0), numbers(1), numbers(3), left_out={})
    probe = ElasticNetRegression(1e-6, 0, tol=1e-6).fit(splits.train.X, splits.train.y)
    evaluation = json.loads(json.dumps(evaluate_probe(probe, splits)))
    assert evaluation.pop("certificate")["value"] <= 1e-6
    # All predictions are off by the shift, and the labels have variance 8.25.
    r2 = {"train_r2": 1, "dev_r2": 1 - 1 / 8.25, "test_r2": 1 - 9 / 8.25}
    counts = {"n_train": 200, "n_dev": 200, "n_test": 200, "nonzero_weights": 1}
    assert set(evaluation) == set(r2 | counts)
    for name, value in (r2 | counts).items():
        np.testing.assert_allclose(evaluation[name], value, atol=1e-3)
