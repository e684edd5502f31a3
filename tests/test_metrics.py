"""Metrics, against hand counts and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import classification_report, confusion_matrix

from neurox_lite.metrics import accuracy, confusions, majority_accuracy, per_class

Y = np.array(["A", "A", "A", "B", "B", "C"])
PREDICTED = np.array(["A", "B", "A", "B", "D", "A"])


def test_accuracy():
    assert accuracy(Y, PREDICTED) == 0.5
    assert accuracy(list(Y), Y) == 1.0
    assert accuracy(np.array([1, 2]), np.array([2, 1])) == 0.0


def test_majority_is_of_the_training_labels():
    assert majority_accuracy(np.array(["B", "B", "A"]), Y) == pytest.approx(2 / 6)
    assert majority_accuracy(np.array(["Z"]), Y) == 0


def test_per_class_by_hand():
    a, b, c = per_class(Y, PREDICTED)
    assert (a.label, a.precision, a.recall, a.support) == ("A", 2 / 3, 2 / 3, 3)
    assert (b.label, b.precision, b.recall, b.f1, b.support) == ("B", 0.5, 0.5, 0.5, 2)
    assert (c.label, c.precision, c.recall, c.f1, c.support) == ("C", 0, 0, 0, 1)


def test_confusions_equal_scikit_learns_matrix():
    rng = np.random.default_rng(0)
    y, predicted = rng.choice(list("ABCDE"), p=[0.5, 0.2, 0.1, 0.1, 0.1], size=(2, 300))
    found = {(row.label, row.predicted): row.words for row in confusions(y, predicted)}
    matrix = confusion_matrix(y, predicted, labels=list("ABCDE"))
    for (row, column), words in np.ndenumerate(matrix):
        expected = 0 if row == column else words
        assert found.pop(("ABCDE"[row], "ABCDE"[column]), 0) == expected
    assert not found
    words = [row.words for row in confusions(y, predicted)]
    assert words == sorted(words, reverse=True)
    assert confusions(y, y) == []


def test_per_class_equals_scikit_learns_report():
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(4, size=(2, 300))
    report = classification_report(y, predicted, output_dict=True)
    for row in per_class(y, predicted):
        expected = report[row.label]
        assert [row.precision, row.recall, row.f1, row.support] == pytest.approx(
            [expected[k] for k in ("precision", "recall", "f1-score", "support")]
        )
