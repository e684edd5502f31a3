"""Control tasks: labels of word types, and what selectivity says about memory and information."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.errors import InputError
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.selectivity import control_labels, selectivity

TASK_LABELS = np.array(["NOUN"] * 60 + ["VERB"] * 30 + ["ADJ"] * 10)


def test_every_type_has_one_label():
    words = [f"w{i % 37}" for i in range(500)]
    control = control_labels(words, TASK_LABELS)
    assert control.shape == (500,)
    labels = {}
    for word, label in zip(words, control, strict=True):
        assert labels.setdefault(word, label) == label
    assert len(set(labels.values())) > 1


def test_labels_follow_the_distribution_of_the_task():
    control = control_labels([f"w{i}" for i in range(20_000)], TASK_LABELS, seed=3)
    for label, share in (("NOUN", 0.6), ("VERB", 0.3), ("ADJ", 0.1)):
        assert np.mean(control == label) == pytest.approx(share, abs=0.02)


def test_word_order_does_not_matter_and_the_seed_does():
    words = np.array([f"w{i % 80}" for i in range(300)])
    order = np.random.default_rng(0).permutation(300)
    control = control_labels(words, TASK_LABELS, seed=1)
    np.testing.assert_array_equal(control_labels(words[order], TASK_LABELS, seed=1), control[order])
    assert np.any(control_labels(words, TASK_LABELS, seed=2) != control)


@pytest.mark.heavy
def test_labels_are_the_same_whatever_the_hash_seed():
    code = (
        "import numpy as np; from neurox_lite.probing.selectivity import control_labels; "
        "labels = control_labels(sorted({f'w{i}' for i in range(99)}), np.array(['A', 'B'])); "
        "print(''.join(labels))"
    )
    here = os.environ.get("PYTHONHASHSEED")  # at random if there is none
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1" if here == "0" else "0"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    expected = control_labels(sorted(f"w{i}" for i in range(99)), np.array(["A", "B"]))
    assert printed.strip() == "".join(expected)


def activations(kind, seed=0, n=600, n_types=30):
    """Words of 30 types with labels of their own; X knows the word, or the label of the token."""
    rng = np.random.default_rng(seed)
    types = rng.integers(n_types, size=n)
    words = [f"w{t}" for t in types]
    if kind == "identity":
        # The task is a property of word types, and X is the word and nothing else.
        y = np.array([hashlib.md5(w.encode()).hexdigest() < "8" for w in words])
        X = np.eye(n_types)[types]
    else:
        y = rng.random(n) < 0.5
        X = np.column_stack([y + 0.2 * rng.normal(size=n), rng.normal(size=(n, 4))])
    y = np.where(y, "A", "B")
    rows = np.arange(n)
    parts = [LabelledActivations(X[r], y[r], r, r // 4) for r in (rows[:400], rows[400:])]
    return words, *parts


def test_memory_of_words_is_not_selective():
    words, train, test = activations("identity")
    probe = ElasticNetProbe(1e-4, 1e-4).fit(train.X, train.y)
    result = selectivity(probe, train, test, words)
    assert result.task_accuracy > 0.95
    assert result.selectivity == pytest.approx(0, abs=0.05)
    assert result.n_word_types == 30
    assert result.control_converged


def test_information_is_selective():
    words, train, test = activations("information")
    probe = ElasticNetProbe().fit(train.X, train.y)
    weights = probe.coef_.copy()
    result = selectivity(probe, train, test, words)
    assert result.task_accuracy > 0.95
    assert result.selectivity > 0.2
    assert result.selectivity == result.task_accuracy - result.control_accuracy
    np.testing.assert_array_equal(probe.coef_, weights)


def test_several_control_tasks_are_those_of_the_seeds_after_it():
    words, train, test = activations("information")
    probe = ElasticNetProbe().fit(train.X, train.y)
    single = [selectivity(probe, train, test, words, seed=seed) for seed in (5, 6, 7)]
    several = selectivity(probe, train, test, words, n_seeds=3, seed=5)
    assert several.control_accuracies == tuple(one.control_accuracy for one in single)
    assert len(set(several.control_accuracies)) > 1
    assert several.control_accuracy == pytest.approx(np.mean(several.control_accuracies))
    assert single[0].control_accuracies == (single[0].control_accuracy,)
    with pytest.raises(InputError, match="n_seeds is 0; give at least 1"):
        selectivity(probe, train, test, words, n_seeds=0)
