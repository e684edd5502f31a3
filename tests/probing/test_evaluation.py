"""What is said of a probe: accuracies counted by hand, and an interval that knows of sentences."""

import json

import numpy as np

from neurox_lite.activations.labelled import LabelledActivations, LabelledSplits
from neurox_lite.probing.evaluation import evaluate_probe
from neurox_lite.probing.probe import ElasticNetProbe

N_SENTENCES = 100


def part(wrong):
    """Sentences of five words, whose activations tell the label of all but the wrong sentences."""
    y = np.tile(["A", "B", "A", "A", "B"], N_SENTENCES)
    sentences = np.arange(len(y)) // 5
    told = (y == "A") ^ (sentences < wrong)
    X = np.column_stack([told, np.ones(len(y))]).astype(np.float32)
    return LabelledActivations(X, y, np.arange(len(y)), sentences)


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
