"""The toy task of the benchmarks, and the scores against a known truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.benchmarks.attribution_scores import hits_at_k, score_truth
from tests.benchmarks.toy_task import (
    EMBEDDINGS,
    ENCODER,
    Examples,
    ToyModel,
    draw_examples,
    explained_toy,
)


@pytest.fixture(scope="module")
def many() -> Examples:
    return draw_examples(40_000, seed=7)


def test_shares_of_the_generator(many):
    m, n = many.queries.T
    assert (m != n).all()
    for symbols in (m, n):
        assert torch.bincount(symbols).numpy() == pytest.approx(np.full(10, 4000), abs=300)
    lengths = many.real.sum(1)
    assert torch.bincount(lengths)[1:].numpy() == pytest.approx(np.full(10, 4000), abs=300)
    for which in (0, 1):
        share = many.equal(which).sum() / many.real.sum()
        assert float(share) == pytest.approx(0.25, abs=0.005)
    # More m than n is as probable as the other way round; a tie is neither.
    ties = (many.equal(0).sum(1) == many.equal(1).sum(1)).double().mean()
    assert float(many.labels.double().mean()) == pytest.approx(float(1 - ties) / 2, abs=0.01)
    assert (many.symbols[many.real == 0] == 0).all()


def test_uniform_and_erasure_have_the_scores_that_follow_from_the_task(many):
    """.68 / .20, and infinite / .26: what they must have whatever the classifier."""
    some = many[:8000]
    uniform = score_truth([np.ones(len(each)) for each in some.truth], some.truth).means()
    assert (uniform["kl"], uniform["js"]) == pytest.approx((0.68, 0.20), abs=0.015)
    erased = score_truth(some.one_that_suffices, some.truth).means()
    assert erased["kl"] == np.inf
    assert erased["js"] == pytest.approx(0.26, abs=0.01)


def test_an_example():
    examples = Examples(
        torch.tensor([[3, 5], [3, 5], [1, 2]]),
        torch.tensor([[3, 5, 3, 9], [7, 5, 3, 0], [0, 0, 0, 0]]),
        torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]]),
    )
    assert examples.labels.tolist() == [1, 0, 0]
    assert [each.tolist() for each in examples.truth] == [
        [True, True, True, False],
        [False, True, True],
        [False, False],
    ]
    assert [each.tolist() for each in examples.one_that_suffices] == [
        [1, 0, 0, 0],
        [0, 1, 0],
        [0, 0],
    ]


def test_padding_and_batches_change_nothing():
    torch.manual_seed(0)
    model, examples = ToyModel().eval(), draw_examples(50, seed=0)
    texts = explained_toy(model, examples, at=EMBEDDINGS, train=examples)
    (together,) = texts.intact(torch.arange(50))
    for row in (0, 17):
        (alone,) = texts.intact(torch.tensor([row]))
        torch.testing.assert_close(alone[0], together[row])
        assert alone.exp().sum() == pytest.approx(1)


@pytest.mark.parametrize("at", [EMBEDDINGS, ENCODER])
def test_states_are_those_that_the_model_continues_from(at):
    torch.manual_seed(0)
    model, examples = ToyModel().eval(), draw_examples(20, seed=0)
    texts = explained_toy(model, examples, at=at, train=examples)
    rows = torch.arange(20)
    states, parts = texts.states_and_parts(rows)
    assert texts.states.widths == tuple(each.shape[-1] for each in states)
    assert texts.states.widths == ((64, 2) if at == EMBEDDINGS else (2,))
    for state, values in enumerate(states):
        (same,) = texts.parts(rows, state, lambda _, values=values: values)
        torch.testing.assert_close(same, parts[0])
        (other,) = texts.parts(rows, state, lambda _, values=values: values.flip(0))
        assert not torch.allclose(other, parts[0], atol=1e-4)
    (after,) = texts.intact(rows)
    torch.testing.assert_close(after, parts[0])


def test_scores_in_closed_form():
    truth = np.array([True, True, False, False])
    exact, uniform, wrong = (
        np.array(v, dtype=float) for v in ([2, 2, 0, 0], [1] * 4, [0, 0, 1, 0])
    )
    scores = score_truth([exact, uniform, wrong, -uniform], [truth] * 4)
    half = np.log(2)
    expected_js = 0.5 * (np.log(0.5 / 0.375)) + 0.5 * (
        0.5 * np.log(0.25 / 0.375) + 0.5 * np.log(0.25 / 0.125)
    )
    assert scores.kl == pytest.approx([0, half, np.inf, half])
    assert scores.js == pytest.approx([0, expected_js, np.log(2), expected_js])
    assert scores.hits == pytest.approx([1, 0.5, 1 / 3, 0.5])


def test_texts_in_which_nothing_decides_are_left_out():
    nothing, one = np.zeros(3, dtype=bool), np.array([False, True])
    scores = score_truth([np.ones(3), np.array([0.0, 5.0])], [nothing, one])
    assert scores.kl.tolist() == [0.0]


def test_ties_count_as_a_random_order_would():
    deciding = np.array([True, False, True, False])
    assert hits_at_k(np.array([3.0, 1.0, 1.0, 0.0]), deciding) == pytest.approx(0.75)
    assert hits_at_k(np.array([0.0, 1.0, 1.0, 1.0]), deciding) == pytest.approx(2 / 3 / 2)
