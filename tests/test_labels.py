"""What is a label: one rule at the door of every function that takes ``y``."""

import time

import numpy as np
import pandas
import pytest
import torch
from sklearn.base import clone

import neurox_lite as nx
from neurox_lite.errors import InputError
from neurox_lite.interventions.replacement_values import class_means
from neurox_lite.labels import is_missing, validate_labels

RNG = np.random.default_rng(0)
N, D = 60, 4
Y = np.array(["a", "b", "c"])[np.arange(N) % 3]
X = RNG.normal(size=(N, D)) + np.eye(3, D)[np.arange(N) % 3] * 3
GROUPS = np.arange(N) // 6
PROBE = nx.ElasticNetProbe(tol=1e-2)
FITTED = clone(PROBE).fit(X, Y)
RANKING = nx.ranking.linguistic_correlation(FITTED)
ROWS = np.arange(N)


def labelled(y):
    from neurox_lite.activations.inputs import LabelledActivations

    return LabelledActivations(X, y, ROWS, GROUPS)


TAKES_Y = {
    "fit": lambda y: clone(PROBE).fit(X, y),
    "score": lambda y: FITTED.score(X, y),
    "regression": lambda y: nx.probing.ElasticNetRegression().fit(X, y),
    "regression score": lambda y: nx.probing.ElasticNetRegression().fit(X, X[:, 0]).score(X, y),
    "grid": lambda y: nx.probing.batched.fit_grid(PROBE, X, y, l1s=[0.1], l2s=[0.1]),
    "one_vs_rest": lambda y: nx.probing.fit_one_vs_rest(PROBE, X, y),
    "search y": lambda y: nx.probing.regularisation_search(PROBE, X, y, X, Y),
    "search dev": lambda y: nx.probing.regularisation_search(PROBE, X, Y, X, y),
    "fit_layers": lambda y: nx.probing.fit_layers(PROBE, X, y, space=nx.NeuronSpace.of_array(D)),
    "layer_scores": lambda y: nx.probing.layer_scores(PROBE, X, Y, X, y, space=RANKING.space),
    "learning_curve": lambda y: nx.probing.learning_curve(PROBE, X, y, GROUPS, X, Y),
    "learning_curve test": lambda y: nx.probing.learning_curve(PROBE, X, Y, GROUPS, X, y),
    "online_code": lambda y: nx.probing.online_code_length(PROBE, X, y, GROUPS),
    "online_code groups": lambda y: nx.probing.online_code_length(PROBE, X, Y, y),
    "rank_intervals": lambda y: nx.evaluation.rank_intervals(nx.ranking.probeless, X, y, GROUPS),
    "rank_intervals groups": lambda y: nx.evaluation.rank_intervals(nx.ranking.probeless, X, Y, y),
    "selectivity": lambda y: nx.selectivity(FITTED, labelled(y), labelled(Y), ["w"] * N),
    "control_labels": lambda y: nx.probing.control_labels(["w"] * N, y),
    "accuracy_interval": lambda y: nx.intervals.accuracy_interval(Y == "a", y),
    "ablate": lambda y: nx.ablate([RANKING], X, y),
    "ablate test": lambda y: nx.ablate([RANKING], X, Y, probe=FITTED, X_test=X, y_test=y),
    "minimal_set": lambda y: nx.minimal_set(RANKING, FITTED, X, y, X, Y),
    "minimal_set dev": lambda y: nx.minimal_set(RANKING, FITTED, X, Y, X, y),
    "redundancy": lambda y: nx.evaluation.disjoint_minimal_sets(
        FITTED, nx.ranking.linguistic_correlation, X, y, X, Y
    ),
    "class_means": lambda y: class_means(X, y),
    "activation_probability": lambda y: nx.ranking.activation_probability(X, y),
    "average_precision": lambda y: nx.ranking.average_precision(X, y),
    "extra_trees": lambda y: nx.ranking.extra_trees(X, y, n_trees=2),
    "gaussian": lambda y: nx.ranking.gaussian(X, y, X, Y),
    "gaussian dev": lambda y: nx.ranking.gaussian(X, Y, X, y),
    "iou": lambda y: nx.ranking.iou(X, y),
    "lape": lambda y: nx.ranking.lape(X, y),
    "mean_select": lambda y: nx.ranking.mean_select(X, y),
    "mutual_information": lambda y: nx.ranking.mutual_information(X, y),
    "permutation_importance": lambda y: nx.ranking.permutation_importance(X, y, X, Y, n_trees=2),
    "permutation_importance dev": lambda y: nx.ranking.permutation_importance(
        X, Y, X, y, n_trees=2
    ),
    "point_biserial": lambda y: nx.ranking.point_biserial(X, y),
    "probeless": lambda y: nx.ranking.probeless(X, y),
    "differentiable_mask": lambda y: nx.ranking.differentiable_mask(FITTED, X, y),
}


def with_one(value, dtype=object):
    labels = np.array(Y, dtype=dtype)
    labels[7] = value
    return labels


NO_LABEL = {
    "None": with_one(None),
    "NaN": with_one(float("nan")),
    "NaN in a list": with_one(np.nan).tolist(),
    "empty": with_one("", str),
    "blank": with_one(" \t", str),
    "NA": pandas.Series(with_one(pandas.NA)),
    "string column": pandas.Series(with_one(None), dtype="string"),
    "category": pandas.Series(with_one(None)).astype("category"),
    "masked": np.ma.masked_array(Y, np.arange(N) == 7),
    "float": np.where(np.arange(N) == 7, np.nan, np.arange(N) % 3),
    "tensor": torch.where(torch.arange(N) == 7, torch.nan, torch.arange(N) % 3),
    "integer column": pandas.Series(np.where(np.arange(N) == 7, None, 1)).astype("Int64"),
}
OTHER = {
    "mixed": with_one(1).tolist(),
    "bool and int": [True, 2] * (N // 2),
    "bytes": Y.astype(bytes),
    "dates": np.full(N, np.datetime64("2020-01-01")),
    "lists": [[1]] * N,
    "one string": "NOUN VERB",
    "dict": dict.fromkeys(range(N), "a"),
    "number": 3,
    "None": None,
    "two columns": np.stack([Y, Y], axis=1),
}


@pytest.mark.parametrize("use", TAKES_Y.values(), ids=TAKES_Y)
def test_a_row_without_a_label_is_refused(use):
    for y in NO_LABEL.values():
        with pytest.raises(InputError, match=r"(y|labels|groups)\w* has no label in row 7 \("):
            use(y)


@pytest.mark.parametrize("use", TAKES_Y.values(), ids=TAKES_Y)
def test_what_are_no_labels_is_refused(use):
    for y in OTHER.values():
        with pytest.raises(InputError) as refused:
            use(y)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["b", "a"], ["b", "a"]),
        (np.array(["b", "a"], dtype=object), ["b", "a"]),
        (pandas.Series(["b", "a"], index=[3, 1]), ["b", "a"]),
        (pandas.Series(["b", "a"], dtype="category"), ["b", "a"]),
        (pandas.Series(["b", "a"], dtype="string"), ["b", "a"]),
        (np.array(["b", "a"], dtype=np.dtypes.StringDType()), ["b", "a"]),
        (np.ma.masked_array(["b", "a"]), ["b", "a"]),
        (("1", "2"), ["1", "2"]),
        ([1, np.int8(0)], [1, 0]),
        (np.array([1, 0], dtype=np.uint8), [1, 0]),
        (torch.tensor([1, 0]), [1, 0]),
        (pandas.Series([1, 0], dtype="Int64"), [1, 0]),
        ([True, np.bool_(False)], [True, False]),
        (torch.tensor([True, False]), [True, False]),
        ([1.5, 0], [1.5, 0.0]),
        (torch.tensor([1.5, 0.5], dtype=torch.bfloat16), [1.5, 0.5]),
        ((label for label in "ba"), ["b", "a"]),
        ([], []),
    ],
)
def test_labels_stay_what_they_are(given, kept):
    labels = validate_labels(given)
    assert isinstance(labels, np.ndarray)
    assert labels.tolist() == kept
    assert list(map(type, labels.tolist())) == list(map(type, kept))


@pytest.mark.parametrize("value", ["None", "nan", "-", 0, 0.0, False, b"", [], float("inf")])
def test_what_is_not_missing(value):
    assert not is_missing(value)


def test_infinite_labels():
    with pytest.raises(InputError, match="y has label inf in row 1; give finite numbers"):
        validate_labels([0.0, np.inf])


def test_how_many_rows_have_no_label():
    with pytest.raises(InputError, match=r"y_dev has no label in row 1 and 2 others \(None\)"):
        validate_labels(["a", None, "b", "", float("nan")], name="y_dev")


def test_checking_a_treebank_takes_milliseconds():
    array = np.array(["NOUN", "VERB", "ADJ"])[RNG.integers(3, size=200_000)]
    for labels in (array, array.astype(object), array.tolist(), np.arange(200_000)):
        start = time.process_time()
        validate_labels(labels)
        assert time.process_time() - start < 0.3


# Numbers as labels.


def test_rankings_keep_integer_classes(tmp_path):
    y = np.arange(N) % 3
    text = nx.ranking.probeless(X, Y)
    fitted = clone(PROBE).fit(X, y)
    for ranking in (
        nx.ranking.probeless(X, y),
        nx.ranking.linguistic_correlation(fitted),
        nx.ranking.iou(X, torch.tensor(y)),
        nx.ranking.mean_select(X, y.tolist()),
    ):
        ranking.save(tmp_path / "r.json")
        for each in (ranking, nx.NeuronRanking.load(tmp_path / "r.json")):
            assert each.classes == (0, 1, 2)
            assert list(each.salient()) == list(each.columns_above()) == [0, 1, 2]
            for label in (1, np.int64(1), "1"):
                one = each.for_class(label)
                assert one.parameters["class"] == 1
                np.testing.assert_array_equal(one.scores, each.class_scores[1])
        for label in (3, "a", None, 1.5):
            with pytest.raises(InputError, match=r"has no class '.*'; it has 0, 1, 2"):
                ranking.for_class(label)
    np.testing.assert_array_equal(text.order, nx.ranking.probeless(X, y).order)
    text.for_class("a").save(tmp_path / "a.json")


def test_bools_as_classes(tmp_path):
    ranking = nx.ranking.probeless(X, Y == "a")
    ranking.save(tmp_path / "r.json")
    assert nx.NeuronRanking.load(tmp_path / "r.json").classes == (False, True)
    assert ranking.for_class(True).parameters["class"] is True


def test_one_probe_for_each_integer_label():
    y = np.arange(N) % 3
    probes = nx.probing.fit_one_vs_rest(PROBE, X, y)
    assert list(probes) == [0, 1, 2]
    assert probes[1].classes_.tolist() == ["1", "not 1"]
    of_text = nx.probing.fit_one_vs_rest(PROBE, X, y.astype(str))
    np.testing.assert_array_equal(probes[1].coef_, of_text["1"].coef_)
    assert list(class_means(X, y)) == [0, 1, 2]


def test_strings_are_not_compared_to_numbers():
    """No string equals a number, so accuracy would be 0 without a word."""
    y = np.arange(N) % 3
    of_numbers = clone(PROBE).fit(X, y)
    for use in (
        lambda: of_numbers.score(X, y.astype(str)),
        lambda: nx.ablate([RANKING], X, y, probe=of_numbers, X_test=X, y_test=y.astype(str)),
        lambda: nx.minimal_set(RANKING, of_numbers, X, y, X, y.astype(str)),
        lambda: nx.probing.regularisation_search(PROBE, X, y, X, y.astype(str)),
        lambda: nx.probing.learning_curve(PROBE, X, y, GROUPS, X, y.astype(str)),
        lambda: nx.ranking.gaussian(X, y, X, y.astype(str)),
    ):
        with pytest.raises(InputError, match="holds strings, but the labels they are compared to"):
            use()
