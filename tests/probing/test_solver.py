"""The elastic-net solver: scikit-learn's optimum, exact zeros, and a certificate that holds.

Also of ``neurox_lite.probing.descent``, ``neurox_lite.probing.fista``.
"""

import warnings

import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax, xlogy
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, LogisticRegression

from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.probing import fit_inputs as inputs_module
from neurox_lite.probing import solver
from neurox_lite.probing.losses import CrossEntropy, SquaredError
from neurox_lite.probing.objective import Problem
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.solver import solve
from neurox_lite.probing.standardized import StandardizedMatrix

pytestmark = pytest.mark.heavy

PENALTIES = [(1e-2, 1e-3), (3e-3, 1e-2), (0.0, 1e-2), (1e-2, 0.0), (0.0, 0.0)]


def task(n=240, d=8, n_classes=3, seed=0):
    """Standardised activations and noisy labels that half of the neurons determine."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 0.5 * rng.normal(size=(n, 1))
    X = (X - X.mean(0)) / X.std(0)
    W = rng.normal(size=(d, n_classes)) * (np.arange(d) < d / 2)[:, None]
    return X, np.argmax(X @ W + rng.gumbel(size=(n, n_classes)), axis=1)


def objective(W, b, X, y, l1, l2):
    """F for weights of shape (n_classes, n_neurons)."""
    logits = X @ W.T + b
    loss = np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(y)), y])
    return loss + l1 * np.abs(W).sum() + l2 * np.square(W).sum()


def entropy(y):
    shares = np.bincount(y) / len(y)
    return -np.sum(shares * np.log(shares))


def run(X, y, l1, l2, *, tol=1e-9, max_iter=4000, start=None):
    """The solver on activations as they are: W (n_classes, n_neurons), b, certificate."""
    X = torch.from_numpy(X)
    ones = torch.ones(X.shape[1], dtype=X.dtype)
    rows = StandardizedMatrix(X, 0 * ones, ones, torch.empty(0, dtype=torch.int64))
    loss = CrossEntropy(torch.from_numpy(y)[:, None], int(y.max()) + 1)
    penalties = (torch.tensor([p], dtype=torch.float64) for p in (l1, l2))
    if start is not None:
        start = start[0][:, None], start[1][None]
    W, b, [certificate] = solve(
        Problem(rows, loss, *penalties), tol=tol, max_iter=max_iter, start=start
    )
    return W[:, 0].numpy().T, b[0].numpy(), certificate


def probe_objective(probe, X, y, l1, l2):
    """F of a fitted probe on activations standardised here."""
    X = X.astype(np.float64)
    std = X.std(0)
    X = (X - X.mean(0)) / np.where(std > 0, std, 1)
    return objective(probe.coef_, probe.intercept_, X, y, l1, l2)


@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_optimum_is_scikit_learns(l1, l2):
    X, y = task()
    total = l1 + 2 * l2
    reference = LogisticRegression(
        solver="saga" if l1 else "lbfgs",
        l1_ratio=l1 / total if total else 0,
        C=1 / (len(y) * total) if total else np.inf,
        tol=1e-8,
        max_iter=20_000,
    ).fit(X, y)
    W, b, certificate = run(X, y, l1, l2)
    assert certificate.converged
    expected = objective(reference.coef_, reference.intercept_, X, y, l1, l2)
    assert objective(W, b, X, y, l1, l2) == pytest.approx(expected, abs=1e-6)
    assert certificate.objective == pytest.approx(objective(W, b, X, y, l1, l2), abs=1e-12)
    np.testing.assert_allclose(softmax(X @ W.T + b, axis=1), reference.predict_proba(X), atol=2e-3)


def test_two_classes_are_binary_logistic_regression():
    # softmax of (-w/2, w/2) is the logistic function of w, at l1 |w| and l2 / 2 w^2.
    X, y = task(n_classes=2)
    W, b, _ = run(X, y, 0.0, 2e-2)
    reference = LogisticRegression(C=1 / (len(y) * 2e-2), tol=1e-10, max_iter=5000).fit(X, y)
    np.testing.assert_allclose(W[1] - W[0], reference.coef_[0], atol=1e-4)
    np.testing.assert_allclose(b[1] - b[0], reference.intercept_[0], atol=1e-4)


@pytest.mark.parametrize(("l1", "l2"), [(2e-2, 1e-3), (2e-2, 0.0), (0.0, 1e-2)])
def test_zeros_are_exact_and_the_optimality_conditions_hold(l1, l2):
    X, y = task(d=12)
    W, b, _ = run(X, y, l1, l2, tol=1e-10)
    gradient = (softmax(X @ W.T + b, axis=1) - np.eye(3)[y]).T @ X / len(y)
    assert (l1 > 0) == bool(np.any(W == 0))
    assert np.any(W != 0)
    assert np.all(np.abs(gradient[W == 0]) <= l1 + 1e-6)
    np.testing.assert_allclose(gradient[W != 0], (-l1 * np.sign(W) - 2 * l2 * W)[W != 0], atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("max_iter", [5, 12, 40])
def test_the_certificate_bounds_the_distance_of_solutions_stopped_early(seed, max_iter):
    rng = np.random.default_rng(seed)
    X, y = task(n=int(rng.integers(20, 150)), d=int(rng.integers(1, 40)), seed=seed)
    l1, l2 = 10 ** rng.uniform(-4, -1, size=2) * [(1, 1), (1, 0), (0, 1)][seed % 3]
    W, b, certificate = run(X, y, l1, l2, tol=0, max_iter=max_iter)
    *best, tight = run(X, y, l1, l2, tol=1e-8, max_iter=20_000)
    assert tight.converged
    distance = objective(W, b, X, y, l1, l2) - objective(*best, X, y, l1, l2)
    assert distance <= certificate.value * entropy(y) + 1e-9
    assert distance >= -2e-8 * entropy(y)


def test_the_certificate_holds_from_a_saturated_start():
    X, y = task()
    rng = np.random.default_rng(1)
    start = tuple(torch.from_numpy(rng.normal(scale=1e4, size=s)) for s in ((8, 3), 3))
    W, b, certificate = run(X, y, 1e-3, 1e-3, max_iter=4, start=start)
    *best, _ = run(X, y, 1e-3, 1e-3)
    distance = objective(W, b, X, y, 1e-3, 1e-3) - objective(*best, X, y, 1e-3, 1e-3)
    assert distance <= certificate.value * entropy(y)
    assert not certificate.converged


def test_the_certificate_claims_nothing_without_the_best_intercept(monkeypatch):
    monkeypatch.setattr(CrossEntropy, "best_intercept", lambda loss, Z, b: b + torch.arange(3))
    X, y = task()
    *_, certificate = run(X, y, 1e-3, 1e-3, max_iter=60)
    assert certificate.value == pytest.approx(certificate.objective / entropy(y))


@pytest.mark.parametrize("seed", range(3))
def test_without_l2_the_dual_point_is_feasible(seed):
    # Weak duality: no point theta with |X' theta / n| <= l1 proves a smaller distance than
    # the best one along the residual.
    l1 = 1e-2
    X, y = task(d=20, seed=seed)
    W, b, certificate = run(X, y, l1, 0.0, tol=0, max_iter=10)
    onehot = np.eye(3)[y]
    residual = softmax(X @ W.T + b, axis=1) - onehot
    largest = min(1, l1 / np.abs(residual.T @ X / len(y)).max())
    assert largest < 0.99
    bounds = [
        -np.sum(xlogy(q, q)) / len(y)
        for q in (onehot + s * residual for s in np.linspace(0, largest, 50))
    ]
    distance = objective(W, b, X, y, l1, 0.0) - max(bounds)
    assert certificate.value * entropy(y) >= distance - 1e-9


def test_above_the_largest_useful_l1_only_the_intercept_is_left():
    X, y = task()
    shares = np.bincount(y) / len(y)
    largest = np.abs((shares - np.eye(3)[y]).T @ X / len(y)).max()
    W, b, certificate = run(X, y, 1.001 * largest, 0.0)
    assert not np.any(W)
    np.testing.assert_allclose(b - logsumexp(b), np.log(shares), atol=1e-9)
    assert certificate.objective == pytest.approx(entropy(y))
    W, *_ = run(X, y, 0.98 * largest, 0.0)
    assert np.any(W)


def test_not_converged_is_said():
    X, y = task()
    with pytest.warns(ConvergenceWarning, match=r"did not converge: duality gap .* max_iter"):
        probe = ElasticNetProbe(1e-4, 1e-4, tol=1e-9, max_iter=6).fit(X, y)
    assert not probe.certificate_.converged
    assert probe.n_iter_ <= 7


@pytest.mark.parametrize("max_iter", [30, 300])
def test_separable_without_penalty_ends_and_is_never_converged(max_iter):
    X, _ = task()
    y = (X[:, 0] > 0).astype(int)
    W, b, certificate = run(X, y, 0.0, 0.0, tol=1e-2, max_iter=max_iter)
    is_right = np.argmax(X @ W.T + b, axis=1) == y
    assert certificate.kind == ("separable" if is_right.all() else "gradient")
    assert not certificate.converged
    assert certificate.n_iter <= max_iter + 1
    assert np.all(np.isfinite(W))
    assert np.mean(np.argmax(X @ W.T + b, axis=1) == y) > 0.97


def test_separable_without_penalty_is_said():
    X, _ = task()
    with pytest.warns(ConvergenceWarning, match="no optimum, as the classes are separable"):
        probe = ElasticNetProbe(0, 0).fit(X, X[:, 0] > 0)
    assert not probe.certificate_.converged
    assert probe.n_iter_ < 500
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ElasticNetProbe(0, 1e-6).fit(X, X[:, 0] > 0)
        ElasticNetProbe(0, 0).fit(*task())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_certificate_holds_for_rare_classes(seed, dtype):
    """A few positives of thousands: their entropy, the yardstick, is next to nothing."""
    rng = np.random.default_rng(seed)
    n, n_positive = 8_000, 1 + seed % 5
    X = rng.normal(size=(n, 15))
    y = np.zeros(n, dtype=np.int64)
    y[:n_positive] = 1
    X[:n_positive, 0] += rng.uniform(0, 3)
    l2 = 1e-4
    probe = ElasticNetProbe(0, l2, tol=1e-3).fit(X.astype(dtype), y)
    Z = (X.astype(dtype).astype("f8") - probe.mean_) / probe.scale_
    # With two outputs of opposite weights, w = W1 - W0, the penalty is l2 w^2 / 2.
    reference = LogisticRegression(C=1 / (n * l2), tol=1e-12, max_iter=10_000).fit(Z, y)
    W = np.concatenate([-reference.coef_, reference.coef_]) / 2
    b = np.array([0.0, reference.intercept_[0]])
    best = objective(W, b, Z, y, 0, l2)
    reached = objective(probe.coef_, probe.intercept_, Z, y, 0, l2)
    gap = (reached - best) / entropy(y)
    assert probe.certificate_.converged
    assert probe.certificate_.value <= 1e-3
    assert gap <= probe.certificate_.value + 1e-6


def test_weights_beyond_the_range_of_numbers_are_an_error():
    X, y = task()
    X = X.astype(np.float32)
    X[:, 0] *= 3e24
    with pytest.raises(InputError, match="too large to compute with"):
        ElasticNetProbe(0, 0, standardize=False).fit(X, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("penalty", [0.0, 1e-3])
def test_a_constant_neuron_gets_no_weight_and_changes_nothing(dtype, penalty):
    X, y = task()
    with_constant = np.insert(X, 3, 12_345.678, axis=1).astype(dtype)
    probe = ElasticNetProbe(penalty, penalty, tol=1e-5).fit(with_constant, y)
    without = ElasticNetProbe(penalty, penalty, tol=1e-5).fit(X.astype(dtype), y)
    assert not np.any(probe.coef_[:, 3])
    assert probe.scale_[3] == 1
    np.testing.assert_allclose(np.delete(probe.coef_, 3, axis=1), without.coef_, atol=1e-3)


def test_duplicated_neurons_share_their_weight():
    X, y = task()
    probe = ElasticNetProbe(1e-3, 1e-2, tol=1e-9).fit(np.hstack([X, X]), y)
    np.testing.assert_allclose(probe.coef_[:, :8], probe.coef_[:, 8:], atol=1e-5)
    # |w| stays and w^2 halves when a weight is divided between two copies.
    single = ElasticNetProbe(1e-3, 5e-3, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(2 * probe.coef_[:, :8], single.coef_, atol=1e-4)


def test_a_class_with_one_example():
    X, y = task(n=60)
    y[7] = 3
    probe = ElasticNetProbe(1e-3, 1e-3, tol=1e-6).fit(X, y)
    assert probe.certificate_.converged
    assert list(probe.classes_) == [0, 1, 2, 3]
    assert probe.predict_proba(X)[:, 3].mean() == pytest.approx(1 / 60, abs=1e-5)


@pytest.mark.parametrize("offset", [0, 30, 1e3, 1e5])
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_float32_with_large_means_reaches_the_optimum(offset, l1, l2):
    X, y = task()
    X = (X + offset).astype(np.float32)
    probe = ElasticNetProbe(l1, l2, tol=3e-5, max_iter=1000).fit(X, y)
    assert probe.coef_.dtype == np.float32
    assert probe.certificate_.converged
    exact = ElasticNetProbe(l1, l2, tol=1e-9, max_iter=5000).fit(X.astype(np.float64), y)
    best = probe_objective(exact, X, y, l1, l2)
    assert probe_objective(probe, X, y, l1, l2) == pytest.approx(best, abs=4e-5)
    assert probe.certificate_.objective == pytest.approx(best, abs=4e-5)


def test_float32_does_not_stall_in_the_line_search():
    # Once the loss only changes by rounding, steps must still be accepted.
    X, y = task(n=2000, d=30, seed=1)
    probe = ElasticNetProbe(0, 1e-2, tol=1e-5).fit(X.astype(np.float32), y)
    assert probe.n_iter_ < 200


def test_unscaled_activations_around_a_large_mean():
    X, y = task()
    raw = (X + 1e3).astype(np.float32)
    probe = ElasticNetProbe(1e-3, 1e-3, standardize=False, tol=1e-5).fit(raw, y)
    centred = ElasticNetProbe(1e-3, 1e-3, standardize=False, tol=1e-5).fit(X, y)
    assert probe.certificate_.converged
    np.testing.assert_allclose(probe.predict_proba(raw), centred.predict_proba(X), atol=2e-3)


def test_standardised_neurons_can_be_rescaled():
    X, y = task()
    scales = 10.0 ** np.linspace(-8, 8, X.shape[1])
    probe = ElasticNetProbe(1e-3, 1e-3, tol=1e-8).fit(X, y)
    rescaled = ElasticNetProbe(1e-3, 1e-3, tol=1e-8).fit(X * scales - 3 * scales, y)
    np.testing.assert_allclose(probe.coef_, rescaled.coef_, atol=1e-9)
    in_float32 = ElasticNetProbe(1e-3, 1e-3, tol=1e-6).fit((X * scales).astype(np.float32), y)
    assert in_float32.certificate_.converged
    assert probe_objective(in_float32, X, y, 1e-3, 1e-3) == pytest.approx(
        probe_objective(probe, X, y, 1e-3, 1e-3), abs=2e-6
    )


def test_float16_integers_and_strided_input_agree_with_float32():
    X, y = task()
    X = np.round(X * 100)
    expected = ElasticNetProbe().fit(X.astype(np.float32), y)
    strided = np.repeat(X.astype(np.float32), 2, axis=1)[:, ::2]
    for same in (X.astype(np.float16), X.astype(np.int64), strided, np.asfortranarray(X, "f4")):
        probe = ElasticNetProbe().fit(same, y)
        np.testing.assert_allclose(probe.coef_, expected.coef_, atol=1e-6)
        np.testing.assert_allclose(probe.logits(same), expected.logits(X), atol=1e-5)


def test_input_is_not_changed():
    X, y = task()
    X = (X + 1e4).astype(np.float32)
    before = X.copy()
    ElasticNetProbe().fit(X, y).predict(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(("l1", "l2"), PENALTIES[1:])
def test_result_does_not_depend_on_row_order_or_start(l1, l2):
    X, y = task()
    probe = ElasticNetProbe(l1, l2, tol=1e-8).fit(X, y)
    best = probe_objective(probe, X, y, l1, l2)
    order = np.random.default_rng(3).permutation(len(y))
    shuffled = ElasticNetProbe(l1, l2, tol=1e-8).fit(X[order], y[order])
    assert probe_objective(shuffled, X, y, l1, l2) == pytest.approx(best, abs=1e-6)
    other = ElasticNetProbe(1e-1, 0).fit(X.astype(np.float32), y)
    warm = ElasticNetProbe(l1, l2, tol=1e-8).fit(X, y, start=other)
    assert probe_objective(warm, X, y, l1, l2) == pytest.approx(best, abs=1e-6)
    again = ElasticNetProbe(l1, l2, tol=2e-5).fit(X.astype(np.float32), y, start=probe)
    assert probe_objective(again, X, y, l1, l2) == pytest.approx(best, abs=1e-6)


def test_same_input_gives_the_same_bits():
    X, y = task()
    first, second = (ElasticNetProbe().fit(X, y).coef_ for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("scale", [1e-3, 1, 1e2])
def test_best_intercept_matches_the_class_shares(scale):
    X, y = task(seed=5)
    rng = np.random.default_rng(0)
    Z = torch.from_numpy(scale * (X @ rng.normal(size=(8, 3)) + 5 * np.eye(3)[y]))
    loss = CrossEntropy(torch.from_numpy(y)[:, None], 3)
    b = loss.best_intercept(Z.T[None], loss.first_intercept())
    shares = np.bincount(y) / len(y)
    np.testing.assert_allclose(torch.softmax(Z + b, 1).mean(0), shares, atol=1e-6)


def test_nothing_to_learn_from():
    # Every neuron is constant: the gradient and the curvature at zero vanish.
    y = np.array([0, 1, 1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probe = ElasticNetProbe(0, 0).fit(np.ones((4, 3)), y)
    assert not np.any(probe.coef_)
    np.testing.assert_allclose(probe.predict_proba(np.ones((1, 3)))[0], [0.25, 0.5, 0.25])


# Many rows: a sample of them stands in for the curvature.


@pytest.fixture
def small_samples(monkeypatch):
    monkeypatch.setattr(solver, "MIN_SAMPLE", 500)


def many_rows(n=9_000, d=40, n_classes=4, seed=0):
    X, y = task(n, d, n_classes, seed)
    return X.astype(np.float32), y


def problem_of(X, y, penalties, n_classes):
    """One problem per pair of penalties, on activations as they are."""
    X = torch.from_numpy(X)
    ones = torch.ones(X.shape[1], dtype=X.dtype)
    rows = StandardizedMatrix(X, 0 * ones, ones, torch.empty(0, dtype=torch.int64))
    loss = CrossEntropy(torch.from_numpy(y)[:, None].expand(-1, len(penalties)), n_classes)
    return Problem(rows, loss, *torch.tensor(penalties, dtype=torch.float64).T)


@pytest.mark.parametrize(("l1", "l2"), [*PENALTIES, (1e-4, 1e-4)])
def test_sampling_finds_the_optimum_of_all_rows(l1, l2, small_samples):
    X, y = many_rows()
    problem = problem_of(X, y, [(l1, l2)], 4)
    W, b, [sampled] = solve(problem, tol=3e-5, max_iter=500)
    exact = problem_of(X.astype(np.float64), y, [(l1, l2)], 4)
    start = W.double(), b.double()  # certified, it is the optimum wherever it came from
    *_, [best] = solve(exact, tol=1e-7, max_iter=5000, start=start, sampled=False)
    assert sampled.converged and best.converged
    assert sampled.objective == pytest.approx(best.objective, abs=3e-5 * entropy(y) + 1e-7)
    assert sampled.objective == pytest.approx(
        objective(W[:, 0].numpy().T, b[0].numpy(), X, y, l1, l2), abs=1e-6
    )


@pytest.mark.parametrize("tol", [1e-2, 1e-3, 1e-4])
def test_sampling_leaves_the_same_weights_at_zero(tol, monkeypatch):
    """More neurons than the sample can tell apart: its steps are too long and are shortened."""
    monkeypatch.setattr(solver, "MIN_SAMPLE", 1000)
    monkeypatch.setattr(solver, "PER_NEURON", 0)
    X, y = many_rows(n=4_000, d=300)
    problem = problem_of(X, y, [(1e-3, 1e-3)], 4)
    sampled, _, [certificate] = solve(problem, tol=tol, max_iter=600, sampled=True)
    full, *_ = solve(problem, tol=tol, max_iter=2000, sampled=False)
    best, *_ = solve(problem, tol=1e-6, max_iter=2000, sampled=False)
    assert certificate.converged
    is_zero = best == 0
    assert is_zero.float().mean() > 0.2
    found, found_by_full = (float((W[is_zero] == 0).float().mean()) for W in (sampled, full))
    assert found > 0.8 * found_by_full > 0.4


def test_a_penalty_that_leaves_next_to_nothing(small_samples):
    """On the sample alone no weight is worth its penalty; on all rows some are."""
    X, y = many_rows()
    shares = np.bincount(y) / len(y)
    largest = np.abs((shares - np.eye(4)[y]).T @ X / len(y)).max()
    W, _, [certificate] = solve(
        problem_of(X, y, [(0.995 * largest, 0.0)], 4), tol=1e-5, max_iter=200
    )
    assert certificate.converged
    assert 1 <= int((W != 0).sum()) <= 3
    W, _, [certificate] = solve(
        problem_of(X, y, [(1.005 * largest, 0.0)], 4), tol=1e-5, max_iter=200
    )
    assert certificate.converged
    assert not W.any()


def test_sampling_takes_fewer_passes(small_samples):
    X, y = many_rows()
    problem = problem_of(X, y, [(1e-4, 1e-4)], 4)
    passes = {
        sampled: solve(problem, tol=1e-4, max_iter=500, sampled=sampled)[2][0].n_iter
        for sampled in (True, False)
    }
    assert passes[True] < passes[False]


@pytest.mark.parametrize("order", [1, -1])
def test_sorted_rows_are_sampled_evenly(order, small_samples):
    """A corpus may be sorted by anything; rows from one end of it would mislead."""
    X, y = many_rows()
    by_label = np.argsort(order * y, kind="stable")
    problem = problem_of(X[by_label], y[by_label], [(1e-3, 1e-3)], 4)
    *_, [certificate] = solve(problem, tol=1e-4, max_iter=100)
    assert certificate.converged


@pytest.mark.parametrize("n", [300, 9_000])
def test_problems_side_by_side_are_as_good_as_one_by_one(n, small_samples):
    penalties = [(1e-2, 1e-3), (1e-3, 1e-2), (0.0, 1e-2)]
    X, y = task(n, 12, 3)
    together = solve(problem_of(X, y, penalties, 3), tol=1e-8, max_iter=5000)
    for number, pair in enumerate(penalties):
        W, _, [alone] = solve(problem_of(X, y, [pair], 3), tol=1e-8, max_iter=5000)
        assert together[2][number].converged
        assert together[2][number].objective == pytest.approx(alone.objective, abs=2e-8)
        np.testing.assert_allclose(together[0][:, number], W[:, 0], atol=2e-3)


def test_linear_regression_is_scikit_learns():
    X, _ = task(d=10)
    y = X @ np.r_[1.0, -2, np.zeros(8)] + 3 + 0.1 * np.random.default_rng(1).normal(size=len(X))
    l1, l2 = 3e-2, 1e-2
    ones = torch.ones(10, dtype=torch.float64)
    rows = StandardizedMatrix(
        torch.from_numpy(X), 0 * ones, ones, torch.empty(0, dtype=torch.int64)
    )
    penalties = (torch.tensor([p], dtype=torch.float64) for p in (l1, l2))
    loss = SquaredError(torch.from_numpy(y)[:, None])
    W, b, [certificate] = solve(Problem(rows, loss, *penalties), tol=1e-10, max_iter=2000)
    reference = ElasticNet(alpha=l1 + 2 * l2, l1_ratio=l1 / (l1 + 2 * l2), tol=1e-12).fit(X, y)
    assert certificate.converged
    np.testing.assert_allclose(W[:, 0, 0], reference.coef_, atol=1e-5)
    assert b.item() == pytest.approx(reference.intercept_, abs=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_store_is_streamed_to_the_same_bits(tmp_path, dtype, small_samples, monkeypatch):
    monkeypatch.setattr(inputs_module, "HELD_BYTES", 0)
    X, y = many_rows(n=8_500, d=16)
    sentences = [["w"] * 17] * 500
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    path = tmp_path / "s.h5"
    with open_writer(path, TaggedCorpus(sentences), dtype=dtype, metadata=metadata) as writer:
        writer.append({0: X[:, :6], 1: X[:, 6:]})
        writer.finish({})
    matrix = ActivationStore(path).matrix()
    streamed = ElasticNetProbe().fit(matrix, y)
    held = ElasticNetProbe().fit(matrix[:], y)
    np.testing.assert_array_equal(streamed.coef_, held.coef_)
    np.testing.assert_array_equal(streamed.intercept_, held.intercept_)
    if dtype == "bfloat16":
        tensor = torch.from_numpy(matrix[:]).bfloat16()
        np.testing.assert_array_equal(ElasticNetProbe().fit(tensor, y).coef_, held.coef_)
