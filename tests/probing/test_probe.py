"""The probe as an estimator: its contract, its errors, and its files.

Also of ``neurox_lite.probing.linear``.
"""

import json
import pickle
import warnings

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression


def task(n=150, d=6, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X = 1 + rng.normal(size=(n, d)) * np.linspace(0.5, 2, d)
    y = np.argmax(X[:, :n_classes] + 0.5 * rng.gumbel(size=(n, n_classes)), axis=1)
    return X, np.array(["ADJ", "NOUN", "VERB"])[y]


NOT_TO_THE_LAST_DIGIT = "the optimum is reached to tol; test_weights_are_repetitions is as strict"


@parametrize_with_checks(
    [ElasticNetProbe(), ElasticNetRegression()],
    expected_failed_checks=lambda _: {
        "check_sample_weight_equivalence_on_dense_data": NOT_TO_THE_LAST_DIGIT
    },
)
def test_is_a_scikit_learn_estimator(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_are_consistent(n_classes):
    X, y = task(n_classes=n_classes)
    probe = ElasticNetProbe().fit(X, y)
    weights, intercept = probe.raw_weights()
    np.testing.assert_allclose(probe.logits(X), X @ weights + intercept, atol=1e-10)
    standardised = (X - X.mean(0)) / X.std(0)
    by_hand = standardised @ probe.coef_.T + probe.intercept_
    np.testing.assert_allclose(probe.logits(X), by_hand, atol=1e-10)
    np.testing.assert_allclose(probe.predict_proba(X), softmax(by_hand, axis=1), atol=1e-10)
    np.testing.assert_array_equal(probe.predict(X), probe.classes_[by_hand.argmax(1)])
    decision = probe.decision_function(X)
    if n_classes == 2:
        np.testing.assert_array_equal(decision > 0, probe.predict(X) == probe.classes_[1])
    else:
        np.testing.assert_allclose(decision, by_hand, atol=1e-10)


def test_without_standardisation_it_is_scikit_learns_on_raw_data():
    X, y = task()
    l2 = 1e-2
    probe = ElasticNetProbe(0, l2, standardize=False, tol=1e-10).fit(X, y)
    reference = LogisticRegression(C=1 / (len(y) * 2 * l2), tol=1e-10, max_iter=5000).fit(X, y)
    np.testing.assert_allclose(probe.coef_, reference.coef_, atol=1e-4)
    np.testing.assert_allclose(probe.predict_proba(X), reference.predict_proba(X), atol=1e-4)
    _, intercept = probe.raw_weights()
    shift = intercept - reference.intercept_
    np.testing.assert_allclose(shift, shift.mean(), atol=1e-3)
    np.testing.assert_allclose(probe.mean_, X.mean(0))
    np.testing.assert_array_equal(probe.scale_, 1)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_saved_and_loaded_it_predicts_the_same(tmp_path, dtype):
    X, y = task()
    probe = ElasticNetProbe(2e-3, 1e-4, tol=1e-5).fit(X.astype(dtype), y)
    probe.save(tmp_path / "probe")
    assert sorted(p.name for p in (tmp_path / "probe").iterdir()) == [
        "probe.json",
        "probe.safetensors",
    ]
    assert json.loads((tmp_path / "probe" / "probe.json").read_text())["classes"] == list(
        probe.classes_
    )
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads((tmp_path / "probe" / "probe.safetensors").read_bytes())
    loaded = ElasticNetProbe.load(tmp_path / "probe")
    np.testing.assert_array_equal(loaded.logits(X), probe.logits(X))
    np.testing.assert_array_equal(loaded.predict(X), probe.predict(X))
    assert loaded.get_params() == probe.get_params()
    assert loaded.certificate_ == probe.certificate_
    assert loaded.space_ == probe.space_
    assert loaded.n_iter_ == probe.n_iter_
    # What was loaded can be a start, and be saved again.
    assert loaded.fit(X, y, start=loaded).certificate_.converged


def test_integer_labels_survive_saving(tmp_path):
    X, y = task()
    ids = np.unique(y, return_inverse=True)[1]
    probe = ElasticNetProbe().fit(X, ids)
    probe.save(tmp_path)
    np.testing.assert_array_equal(ElasticNetProbe.load(tmp_path).predict(X), probe.predict(X))


def test_loading_something_else_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"probe\.json: cannot be read"):
        ElasticNetProbe.load(tmp_path)
    (tmp_path / "probe.json").write_text('{"kind": "neuron ranking"}')
    with pytest.raises(InputError, match="does not hold an elastic-net probe"):
        ElasticNetProbe.load(tmp_path)


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "inf")])
def test_bad_activations_are_named(value, kind):
    X, y = task()
    probe = ElasticNetProbe().fit(X, y)
    X[41, 5] = value
    message = f"neuron 0:5 in row 41 is {kind}"
    with pytest.raises(InputError, match=message):
        ElasticNetProbe().fit(X, y)
    with pytest.raises(InputError, match=message):
        probe.predict(X)


def test_float16_overflow_is_named():
    X, y = task()
    X[3, 2] = 70_000
    with np.errstate(over="ignore"):
        half = X.astype(np.float16)
    with pytest.raises(InputError, match="neuron 0:2 in row 3 is inf"):
        ElasticNetProbe().fit(half, y)


def test_bad_input_is_an_error():
    X, y = task()
    with pytest.raises(InputError, match="150 rows of activations for 149 labels"):
        ElasticNetProbe().fit(X, y[1:])
    with pytest.raises(InputError, match="only one class, 'NOUN'"):
        ElasticNetProbe().fit(X, ["NOUN"] * len(X))
    for penalties in ((-1e-3, 0), (0, -1e-3)):
        with pytest.raises(InputError, match="at least 0"):
            ElasticNetProbe(*penalties).fit(X, y)
    with pytest.raises(InputError, match="7 features"):
        ElasticNetProbe().fit(X, y).predict(np.ones((2, 7)))
    start = ElasticNetProbe().fit(X[:, :3], y)
    with pytest.raises(InputError, match="other neurons"):
        ElasticNetProbe().fit(X, y, start=start)


def test_works_in_scikit_learns_tools():
    X, y = task()
    pipeline = make_pipeline(MinMaxScaler(), ElasticNetProbe(1e-3, 1e-3))
    scores = cross_val_score(pipeline, X, y, cv=3)
    # Standardisation undoes any scaling before it.
    np.testing.assert_allclose(scores, cross_val_score(ElasticNetProbe(), X, y, cv=3), atol=0.03)
    assert scores.min() > 0.6
    search = GridSearchCV(ElasticNetProbe(), {"l1": [1e-3, 10.0]}, cv=3).fit(X, y)
    assert search.best_params_ == {"l1": 1e-3}
    copy = clone(search.best_estimator_)
    assert copy.l1 == 1e-3
    assert not hasattr(copy, "coef_")


def test_arrays_tensors_and_lists_are_the_same():
    X, y = task()
    X = X.astype(np.float32)
    expected = ElasticNetProbe().fit(X, y).logits(X)
    tensor = torch.from_numpy(X)
    for same in (tensor, tensor.clone().requires_grad_(), X.tolist()):
        probe = ElasticNetProbe().fit(same, y.tolist())
        np.testing.assert_allclose(probe.logits(same), expected, atol=1e-4)
    rounded = tensor.to(torch.bfloat16)
    probe = ElasticNetProbe().fit(rounded, y)
    np.testing.assert_array_equal(probe.predict(rounded), probe.predict(rounded.float()))


@pytest.fixture
def store(tmp_path):
    """Two layers, three and two units wide, of the columns of the task."""
    X, _ = task()
    words = [f"w{i}" for i in range(len(X))]
    corpus = TaggedCorpus((tuple(words),), {}, source="here")
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({1: X[:, :3].astype("f4"), 4: X[:, 3:5].astype("f4")})
        writer.finish({})
    with ActivationStore(tmp_path / "s.h5") as opened:
        yield opened


def test_a_store_is_as_good_as_an_array(store):
    _, y = task()
    matrix = store.matrix()
    probe = ElasticNetProbe().fit(matrix, y)
    from_array = ElasticNetProbe().fit(np.asarray(matrix), y)
    np.testing.assert_array_equal(probe.coef_, from_array.coef_)
    np.testing.assert_array_equal(probe.logits(matrix), from_array.logits(np.asarray(matrix)))
    assert str(probe.space_.neuron(4)) == "4:1"
    with pytest.raises(InputError, match="5 weights per output"):
        probe.predict(store.layer(1))


def test_labels_may_be_booleans():
    X, y = task()
    probe = ElasticNetProbe().fit(X, y == "VERB")
    assert probe.predict(X).dtype == bool
    assert np.mean(probe.predict(X) == (y == "VERB")) > 0.8


def test_weights_are_repetitions():
    X, y = task()
    times = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = ElasticNetProbe(tol=1e-11).fit(X, y, sample_weight=times)
    repeated = ElasticNetProbe(tol=1e-11).fit(X.repeat(times, axis=0), y.repeat(times))
    np.testing.assert_allclose(weighted.mean_, repeated.mean_, atol=1e-12)
    np.testing.assert_allclose(weighted.scale_, repeated.scale_, atol=1e-12)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-5)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


def test_balanced_classes_have_the_same_share():
    X, y = task()
    keep = (y != "NOUN") | (np.arange(len(y)) % 5 == 0)
    X, y = X[keep], y[keep]
    probe = ElasticNetProbe(1e2, 0, class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(probe.predict_proba(X[:1])[0], [1 / 3] * 3, atol=1e-6)
    given = {label: 1 / np.mean(y == label) for label in np.unique(y)}
    by_hand = ElasticNetProbe(tol=1e-10, class_weight=given).fit(X, y)
    balanced = ElasticNetProbe(tol=1e-10, class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(balanced.coef_, by_hand.coef_, atol=1e-8)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"shape \(3,\) for 150 rows"),
        (np.full(150, -1.0), "at least 0"),
        (np.full(150, np.nan), "finite"),
        (np.zeros(150), "not all zero"),
        (task()[1] != "VERB", "class 'VERB' have zero weight"),
    ],
)
def test_bad_weights_are_an_error(weights, message):
    X, y = task()
    with pytest.raises(InputError, match=message):
        ElasticNetProbe().fit(X, y, sample_weight=weights)


def test_sparse_input_is_refused_with_a_reason():
    X, y = task()
    with pytest.raises(InputError, match="sparse input is not supported"):
        ElasticNetProbe().fit(csr_matrix(X), y)


def test_balanced_weights_are_repetitions_too():
    X, y = task()
    times = np.random.default_rng(0).integers(0, 4, len(y))
    options = {"tol": 1e-11, "class_weight": "balanced"}
    weighted = ElasticNetProbe(**options).fit(X, y, sample_weight=times)
    repeated = ElasticNetProbe(**options).fit(X.repeat(times, axis=0), y.repeat(times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-4)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"NOUN": 0}, "above 0"),
        ({"NOUN": -1}, "above 0"),
        ({"NOUN": np.nan}, "above 0"),
        ({"NOUN": np.inf}, "finite"),
        ({"NOUN": "a"}, "above 0"),
        ({"X": 2}, "existing classes"),
    ],
)
def test_bad_class_weights_are_an_error(weights, message):
    with pytest.raises(InputError, match=message):
        ElasticNetProbe(class_weight=weights).fit(*task())


def test_parameters_of_any_kind_of_number_survive_saving(tmp_path):
    X, y = task()
    ids = np.unique(y, return_inverse=True)[1]
    probe = ElasticNetProbe(
        np.float32(1e-3), max_iter=np.int64(500), class_weight={0: 2.0, 1: np.float32(0.5)}
    )
    probe.fit(X, ids).save(tmp_path)
    loaded = ElasticNetProbe.load(tmp_path)
    assert loaded.class_weight == {0: 2.0, 1: 0.5}
    assert loaded.l1 == probe.l1
    np.testing.assert_array_equal(clone(loaded).fit(X, ids).coef_, probe.coef_)


def test_a_parameter_that_json_cannot_hold_leaves_the_folder_as_it_is(tmp_path):
    X, y = task()
    probe = ElasticNetProbe().fit(X, y)
    probe.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match="cannot be saved as JSON"):
        probe.set_params(device=object()).save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "labels", [[0, 1, 2, 3], [True, False, False, True], [0.0, 1.0, 2.0, 3.0], ["0", "1", "2", "3"]]
)
def test_labels_come_back_as_they_went_in(tmp_path, labels):
    X, y = task()
    labels = np.array(labels)[np.unique(y, return_inverse=True)[1]]
    probe = ElasticNetProbe().fit(X, labels)
    probe.save(tmp_path)
    for fitted in (probe, ElasticNetProbe.load(tmp_path)):
        assert fitted.classes_.tolist() == np.unique(labels).tolist()
        assert fitted.predict(X).dtype.kind == labels.dtype.kind
        majority = np.unique(labels, return_counts=True)[1].max() / len(labels)
        assert fitted.score(X, labels) == fitted.score(X, labels.tolist()) > majority
    other = labels.astype(str) if labels.dtype.kind != "U" else labels.astype(int)
    with pytest.raises(InputError, match=r"y holds .*, but the labels they are compared to are"):
        probe.score(X, other)
    weights = np.arange(len(X))
    expected = np.average(probe.predict(X) == labels, weights=weights)
    assert probe.score(X, labels, weights) == pytest.approx(expected)


def test_data_frames_keep_their_names():
    pandas = pytest.importorskip("pandas")
    X, y = task()
    frame = pandas.DataFrame(X, columns=[f"n{i}" for i in range(X.shape[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probe = ElasticNetProbe().fit(frame, y)
        np.testing.assert_array_equal(probe.predict(frame), ElasticNetProbe().fit(X, y).predict(X))
    with pytest.raises(InputError, match="feature names"):
        probe.predict(frame[frame.columns[::-1]])


@pytest.mark.parametrize(
    "X",
    [
        torch.zeros(5),
        torch.zeros(5, 2, 2),
        torch.zeros(0, 3),
        torch.zeros(5, 2, dtype=torch.complex64),
        torch.zeros(5, 2).to_sparse(),
    ],
)
def test_tensors_that_are_no_activations_are_refused(X):
    with pytest.raises(
        InputError, match=r"give real numbers|give \(n_words, n_neurons\)|sparse input"
    ):
        ElasticNetProbe().fit(X, np.array(["a", "b", "a", "b", "a"])[: len(X)])


def test_sparse_input_is_refused_when_predicting():
    X, y = task()
    with pytest.raises(InputError, match="sparse input is not supported"):
        ElasticNetProbe().fit(X, y).predict(csr_matrix(X))


@pytest.mark.parametrize("options", [{"l1": None}, {"l2": "a"}, {"max_iter": "many"}])
def test_parameters_that_are_no_numbers_are_an_error(options):
    with pytest.raises(InputError, match=r"give a (whole )?number"):
        ElasticNetProbe(**options).fit(*task())


def test_a_start_that_is_not_fitted_is_an_error():
    with pytest.raises(InputError, match="is not fitted"):
        ElasticNetProbe().fit(*task(), start=ElasticNetProbe())
