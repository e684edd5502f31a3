"""Online code: bits computed by hand, the entropy of labels, and what activations save."""

import warnings

import numpy as np
import pytest
import torch

from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.probing.online_code import OnlineCodeLength, online_code_length
from neurox_lite.probing.probe import ElasticNetProbe

PROBE = ElasticNetProbe(1e-3, 1e-3)


def entropy(shares):
    return float(-np.sum(shares * np.log2(shares)))


def labels(n, shares, seed=0):
    return np.random.default_rng(seed).choice(["A", "B", "C", "D"][: len(shares)], n, p=shares)


def in_order(groups, seed):
    """Rows in the order in which their sentences are sent."""
    order = np.random.default_rng(seed).permutation(len(np.unique(groups)))
    return np.concatenate([np.flatnonzero(groups == sentence) for sentence in order])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_constant_activations_it_is_laplaces_rule_block_by_block(seed):
    # The probe gives the shares of classes so far; mixed with 1 / C, (count + 1) / (n + C).
    groups = np.repeat(np.arange(100), 2)
    y = labels(200, [0.7, 0.2, 0.1], seed)
    code = online_code_length(PROBE, np.ones((200, 3), np.float32), y, groups, seed=seed)
    # 0.1 % to 0.8 % of 200 rows end in the first sentence, and 1.6 % in the second.
    assert code.block_ends == (2, 4, 8, 14, 26, 50, 100, 200)
    sent = y[in_order(groups, seed)]
    bits = [2 * np.log2(3)]
    for start, end in zip(code.block_ends, code.block_ends[1:], strict=False):
        seen = sent[:start]
        each = [(np.sum(seen == label) + 1) / (start + 3) for label in sent[start:end]]
        bits.append(-np.sum(np.log2(each)))
    assert code.block_bits == pytest.approx(bits, abs=1e-4)
    assert code.codelength == pytest.approx(sum(bits), abs=1e-3)
    assert code.uniform_codelength == pytest.approx(200 * np.log2(3))
    assert code.converged


def test_labels_that_activations_do_not_tell_cost_their_entropy():
    groups = np.arange(2000) // 5
    X = np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)
    for shares in ([0.25] * 4, [0.8, 0.2]):
        y = labels(2000, shares)
        # A strong penalty, since a probe that finds chance in small blocks codes worse than this.
        code = online_code_length(ElasticNetProbe(0.1, 0.1), X, y, groups)
        _, counts = np.unique(y, return_counts=True)
        least = 2000 * entropy(counts / 2000)
        assert least - 5 < code.codelength < 1.03 * least
        assert code.compression == pytest.approx(code.uniform_codelength / code.codelength)
    uniform = online_code_length(ElasticNetProbe(0.1, 0.1), X, labels(2000, [0.25] * 4), groups)
    assert uniform.compression == pytest.approx(1, abs=0.03)


def test_labels_that_activations_tell_are_compressed():
    groups = np.arange(2000) // 5
    y = labels(2000, [0.25] * 4)
    X = np.eye(4, dtype=np.float32)[np.unique(y, return_inverse=True)[1]]
    clear = online_code_length(ElasticNetProbe(1e-5, 1e-6), X, y, groups)
    assert clear.compression > 15
    noisy = X + np.random.default_rng(0).normal(size=X.shape).astype(np.float32)
    assert 1.2 < online_code_length(PROBE, noisy, y, groups).compression < clear.compression / 4


def test_a_class_that_comes_late_has_a_finite_code():
    y = np.array(["A", "B"] * 50)
    groups = np.arange(100)
    late = in_order(groups, 0)[-1]
    y[late] = "C"
    code = online_code_length(PROBE, np.ones((100, 1)), y, groups)
    before = y[in_order(groups, 0)[:50]]
    last = y[in_order(groups, 0)[50:]]
    by_hand = [(np.sum(before == label) + 1) / 53 for label in last]
    assert by_hand[-1] == 1 / 53
    assert code.block_bits[-1] == pytest.approx(-np.sum(np.log2(by_hand)), abs=1e-4)


def test_the_code_is_of_sentences_and_follows_the_seed():
    y, groups = labels(60, [0.5, 0.5]), np.repeat(np.arange(3), 20)
    X = np.random.default_rng(1).normal(size=(60, 2))
    code = online_code_length(PROBE, X, y, groups, seed=4)
    assert code.block_ends == (20, 40, 60)
    assert online_code_length(PROBE, torch.from_numpy(X), y.tolist(), groups, seed=4) == code
    others = {online_code_length(PROBE, X, y, groups, seed=seed).codelength for seed in range(6)}
    assert len(others) > 1
    whole = online_code_length(PROBE, X, y, np.zeros(60))
    assert (whole.block_ends, whole.compression) == ((60,), 1)


def test_a_store_gives_the_same_code_as_an_array(tmp_path):
    y, groups = labels(300, [0.5, 0.5]), np.repeat(np.arange(75), 4)
    X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    X[:, 2] += y == "A"
    corpus = TaggedCorpus([["word"] * 4] * 75, {})
    metadata = {"model": "tiny", "revision": "", "site": "hidden_states"}
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: X})
        writer.finish({})
    with ActivationStore(tmp_path / "s.h5") as store:
        assert online_code_length(PROBE, store.matrix(), y, groups) == online_code_length(
            PROBE, X, y, groups
        )


def test_the_probe_is_not_changed_and_convergence_is_told():
    groups, y = np.arange(200), labels(200, [0.5, 0.5])
    X = np.random.default_rng(0).normal(size=(200, 5)) + (y == "A")[:, None]
    hasty = ElasticNetProbe(1e-4, 1e-4, max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not online_code_length(hasty, X, y, groups).converged
    assert not hasattr(hasty, "coef_")


def test_saved_and_loaded_it_is_the_same(tmp_path):
    code = OnlineCodeLength(10.5, 21.0, (2, 9), (3.5, 7.0), True)
    assert code.compression == 2
    code.save(tmp_path / "code.json")
    assert OnlineCodeLength.load(tmp_path / "code.json") == code


def test_errors():
    X = np.ones((4, 2))
    with pytest.raises(InputError, match="only one class, 'A'"):
        online_code_length(PROBE, X, ["A"] * 4, range(4))
    with pytest.raises(InputError, match="4 rows of activations for 3 labels"):
        online_code_length(PROBE, X, ["A", "B", "A"], range(3))
    with pytest.raises(InputError, match=r"groups of shape \(2,\) for 4 rows"):
        online_code_length(PROBE, X, list("ABAB"), [0, 1])
