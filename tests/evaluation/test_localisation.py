"""How localised planted properties are, and whether a localised one is told from a spread one.

Also of ``neurox_lite.evaluation.localisations`` and
``neurox_lite.evaluation.localisation_measures``.
"""

from dataclasses import replace

import numpy as np
import pytest

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.errors import InputError
from neurox_lite.evaluation.localisation import localisation
from neurox_lite.evaluation.localisation_measures import ENTROPY, OVERLAP, class_overlap
from neurox_lite.evaluation.localisations import Localisations
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.ranking import NeuronRanking

N, SPACE = 500, NeuronSpace("m", "mlp", (0, 1, 2, 3), (10, 10, 10, 10))
PROBE = ElasticNetProbe(3e-3, 1e-3, tol=1e-3)


def planted(columns, strength, model=0, words=0):
    """Each of the columns tells one of three classes from the others; the rest is noise."""
    y = np.random.default_rng([words]).integers(3, size=2 * N)
    rng = np.random.default_rng([words, model, 1])
    X = rng.normal(size=(2 * N, SPACE.n_neurons)).astype(np.float32)
    X[:, columns] += strength * (y[:, None] == np.arange(len(columns)) % 3)
    y, sentences = np.array(["a", "b", "c"])[y], np.arange(2 * N) // 5
    train, test = (
        LabelledActivations(X[rows], y[rows], np.arange(2 * N)[rows], sentences[rows])
        for rows in (slice(0, N), slice(N, None))
    )
    return LabelledSplits(train, test, test, {})


def localise(data, model="m", **options):
    options = {"n_resamples": 8, "probe": PROBE, "space": SPACE} | options
    return replace(localisation(data, "tag", **options), model=model)


FEW, SPREAD = [11, 13, 17], [*range(0, 40, 2)]


@pytest.fixture(scope="module")
def found():
    """A localised model, a spread one, and another like the first."""
    return {
        "few": localise(planted(FEW, 4.0), "few"),
        "spread": localise(planted(SPREAD, 1.0, 1), "spread"),
        "again": localise(planted([21, 24, 28], 4.0, 2), "again"),
    }


def value(result, name):
    return result.measure(name).value


def test_number_of_neurons_for_a_share_of_the_accuracy(found):
    """Two of three indicators tell three classes apart."""
    few, spread = found["few"], found["spread"]
    assert 1 < value(few, "neurons for 95 %") <= 3
    assert value(few, "neurons for 99 %") <= 3
    assert value(spread, "neurons for 95 %") > 5
    target = spread.baseline + 0.95 * (spread.accuracy - spread.baseline)
    reached = [k for k, a in zip(spread.counts, spread.accuracies, strict=True) if a >= target]
    before = max(k for k in spread.counts if k < reached[0])
    assert before < value(spread, "neurons for 95 %") <= reached[0]
    for one in (few, spread):
        for measure in one.measures:
            assert 0 <= measure.low <= measure.value <= measure.high
            assert len(measure.resampled) == 8
    assert few.converged


def test_entropy_over_layers(found):
    assert value(found["few"], ENTROPY) == 0
    assert value(found["spread"], ENTROPY) > 0.8
    assert 0 < found["few"].measure(ENTROPY).by_chance < 1


def test_a_localised_model_is_told_from_a_spread_one_and_equal_ones_are_not(found):
    differences = {
        (d.model, d.other, d.measure): d
        for d in Localisations.of(list(found.values())).differences()
    }
    clear = differences["few", "spread", "neurons for 95 %"]
    assert clear.is_ratio and clear.paired and clear.is_clear
    assert clear.value < clear.high < 1
    entropy = differences["few", "spread", ENTROPY]
    assert entropy.is_clear and entropy.high < 0
    for measure in ("neurons for 95 %", "neurons for 99 %", ENTROPY):
        same = differences["few", "again", measure]
        assert not same.is_clear
        assert same.low <= (1 if same.is_ratio else 0) <= same.high


def test_other_words_are_compared_without_pairs(found):
    other = localise(planted(SPREAD, 1.0, 1, words=1), "other words")
    differences = Localisations.of([found["few"], other]).differences()
    assert not any(d.paired for d in differences)
    assert differences[0].is_clear


def test_overlap_of_classes_by_hand():
    space = NeuronSpace("m", "mlp", (0,), (200,))
    scores = np.zeros((3, 200))
    scores[0, [1, 2]] = scores[1, [2, 3]] = scores[2, [5, 6]] = 2, 1
    ranking = NeuronRanking.from_scores(
        space, scores.sum(0), "planted", classes=("a", "b", "c"), class_scores=scores
    )
    share, by_chance = class_overlap(ranking)
    assert share == pytest.approx((0.5 + 0 + 0) / 3)
    assert by_chance == pytest.approx(2 / 200)
    assert (
        class_overlap(replace(ranking, classes=("a", "b"), class_scores=scores[:2])) == (None,) * 2
    )
    assert class_overlap(replace(ranking, class_scores=None)) == (None, None)


def test_shared_class_neurons_overlap(found):
    """One neuron that tells all classes, against one for each."""
    data = planted([], 0.0)
    for part in (data.train, data.test):
        part.X[:, 5] += 6 * (part.y == "a") + 3 * (part.y == "b")
    together = localise(data, n_resamples=2)
    assert value(together, OVERLAP) > value(found["few"], OVERLAP)


def test_results_do_not_change_and_are_saved(found, tmp_path):
    few = found["few"]
    assert localise(planted(FEW, 4.0), "few") == few
    both = Localisations.of([few, found["spread"]])
    both.save(tmp_path / "l.json")
    assert Localisations.load(tmp_path / "l.json") == both
    few.save(tmp_path / "one.json")
    assert type(few).load(tmp_path / "one.json") == few


def test_labels_that_nothing_knows_have_no_number():
    data = planted([], 0.0)
    found = localise(data, n_resamples=2, probe=ElasticNetProbe(10.0, 1.0))
    assert value(found, "neurons for 95 %") is value(found, ENTROPY) is None
    assert Localisations.of([found, replace(found, model="n")]).differences() == []


def test_bad_input(found):
    data = planted(FEW, 4.0)
    with pytest.raises(InputError, match="n_resamples is 1; give at least 2"):
        localise(data, n_resamples=1)
    with pytest.raises(InputError, match="shares"):
        localise(data, shares=(0.99, 0.95))
    one = replace(data.test, sentences=np.zeros(N, int))
    with pytest.raises(InputError, match="all words of test are from one sentence"):
        localise(replace(data, test=one))
    with pytest.raises(InputError, match="tag in few is there twice"):
        Localisations.of([found["few"], found["few"]])
    with pytest.raises(InputError, match="no results"):
        Localisations.of([])
