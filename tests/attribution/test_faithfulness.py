"""Faithfulness where the truth is known: what every token does is.

`neurox_lite.attribution.erasing`
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import stats
from sum_model import texts_of_sums

import neurox_lite as nx
from neurox_lite.attribution import (
    ExplainedTexts,
    TokenAttributions,
    faithfulness,
    leave_one_out,
    uniform,
)
from neurox_lite.errors import InputError
from neurox_lite.interventions.text_outputs import Choices

WEIGHTS = ((4.0, -1.0, 2.0, 0.5), (1.0, 3.0, 2.0, 0.25))
QUARTERS = (0.25, 0.5, 0.75, 1.0)


def given(explained, rows, method="mine"):
    """Attributions of ordinary tokens; the special one has the largest of all."""
    values = tuple(np.array([1000.0, *row]) for row in rows)
    return TokenAttributions(method, explained.inputs.tokens, values, ("",) * len(values))


@pytest.mark.parametrize("logistic", [False, True])
def test_the_true_order_is_the_best_of_all_orders(logistic):
    explained = texts_of_sums(WEIGHTS[1:], logistic=logistic)
    orders = list(permutations(range(4)))
    several = [given(explained, [order], str(order)) for order in orders]
    found = faithfulness(explained, several, shares=QUARTERS, n_random=1)
    # A token's place among the weights, as a value.
    true = orders.index(tuple(np.argsort(np.argsort(WEIGHTS[1])).tolist()))
    for values, best in (
        (found.comprehensiveness, max),
        (found.area, max),
        (found.sufficiency, min),
    ):
        of_orders = [interval.value for interval in values[: len(orders)]]
        assert of_orders.index(best(of_orders)) == true
        assert sorted(of_orders).count(of_orders[true]) == 1


def test_closed_forms_of_a_sum():
    explained = texts_of_sums(WEIGHTS)
    found = faithfulness(explained, given(explained, WEIGHTS), shares=(0.01, 0.3, 1.0))
    # Of four tokens 1, 2 and 4.
    expected = np.array([[4.0, 6.0, 5.5], [3.0, 5.0, 6.25]])
    assert found.measure == "score"
    assert found.comprehensiveness[0].value == pytest.approx(expected.mean())
    np.testing.assert_allclose(found.comprehensiveness_at[0], expected.mean(0), rtol=1e-6)
    left = expected[:, [-1]] - expected
    assert found.sufficiency[0].value == pytest.approx(left.mean())
    np.testing.assert_allclose(found.sufficiency_at[0], left.mean(0), atol=1e-6)
    # From (0, 0) over (1/4, first) and (1/2, second) to (1, third).
    areas = expected @ [0.25, 0.375, 0.25]
    assert found.area[0].value == pytest.approx(areas.mean())
    assert found.all_erased.value == pytest.approx(5.875)
    assert found.intact.value == pytest.approx(105.875 + 0.3)
    low, high = stats.t.interval(0.95, 1, 5.875, stats.sem([5.5, 6.25]))
    assert (found.all_erased.low, found.all_erased.high) == pytest.approx((low, high))


def test_what_chance_gives_is_in_the_interval_of_a_random_order():
    rng = np.random.default_rng(0)
    rows = [rng.normal(1, 1, size=rng.integers(3, 12)) for _ in range(200)]
    explained = texts_of_sums(rows)
    truth = given(explained, rows)
    nothing = replace(uniform(explained), method="uniform")
    found = faithfulness(explained, [truth, nothing], n_random=3)
    counts = [np.ceil(np.array(found.shares) * len(row) - 1e-9) for row in rows]
    expected = np.mean([
        (count / len(row) * row.sum()).mean() for count, row in zip(counts, rows, strict=True)
    ])  # fmt: skip
    for number in (1, 2):
        interval = found.comprehensiveness[number]
        assert interval.low < expected < interval.high
        rest = found.sufficiency[number]
        assert rest.low < np.mean([row.sum() for row in rows]) - expected < rest.high
        assert found.above_random[number].low <= 0 <= found.above_random[number].high
    assert found.above_random[0].low > 0
    assert found.methods == ("mine", "uniform", "random order")


def test_equal_values_are_not_in_the_order_of_the_text():
    rows = [[1.0, 0, 0, 0]] * 300
    explained = texts_of_sums(rows)
    found = faithfulness(explained, uniform(explained), shares=(0.25,), n_random=1)
    assert found.comprehensiveness[0].low < 0.25 < found.comprehensiveness[0].high
    again = faithfulness(explained, uniform(explained), shares=(0.25,), n_random=1)
    assert again == found
    other = faithfulness(explained, uniform(explained), shares=(0.25,), n_random=1, seed=1)
    assert other.comprehensiveness != found.comprehensiveness


def test_a_probability_is_that_of_what_was_said():
    """The embedded BERT reads a mask in the place of each erased word."""
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::200]
    explained = ExplainedTexts.of_pairs(nx.embedded_path("models/bert"), pairs)
    values = leave_one_out(explained)
    found = faithfulness(explained, values, shares=(0.2, 0.5))
    assert found.measure == "probability"
    loaded = explained.states.loaded
    falls = []
    for row in range(len(pairs)):
        only = torch.tensor([row])
        batch = explained.inputs.batch(only)
        special = explained.inputs.is_special[row, : batch["input_ids"].shape[1]]
        places = np.flatnonzero(~special.numpy())
        order = places[np.argsort(-values.values[row][places])]
        before = explained.intact(only)[0].exp()

        def probability(erased, batch=batch, only=only, before=before):
            ids = batch["input_ids"].clone()
            ids[0, erased] = loaded.tokenizer.mask_token_id
            parts = explained.output.forward({**batch, "input_ids": ids}, only)
            return float(parts[0].exp()[0, before.argmax()].detach())

        n = len(order)
        falls.append([
            [
                float(before.max()) - probability(order[:k].tolist()),
                float(before.max()) - probability(order[k:].tolist()),
            ]
            for k in (int(np.ceil(0.2 * n)), int(np.ceil(0.5 * n)))
        ])  # fmt: skip
    mean = np.mean(falls, axis=0)
    np.testing.assert_allclose(found.comprehensiveness_at[0], mean[:, 0], atol=1e-5)
    np.testing.assert_allclose(found.sufficiency_at[0], mean[:, 1], atol=1e-5)
    assert found.above_random[0].low > 0


def test_of_two_choices_their_probabilities_are_multiplied():
    one = texts_of_sums(WEIGHTS, logistic=True)
    output = one.output

    def twice(batch, rows):
        return output.forward(batch, rows) * 2

    both = replace(one, output=Choices(twice, output.name))
    mine = given(one, WEIGHTS)
    single, double = (faithfulness(each, mine, shares=(0.5,), n_random=1) for each in (one, both))
    before = torch.sigmoid(torch.tensor(WEIGHTS).sum(1)).numpy()
    after = torch.sigmoid(torch.tensor([0.5 - 1, 0.25 + 1])).numpy()
    assert single.intact.value == pytest.approx(before.mean())
    assert double.intact.value == pytest.approx((before**2).mean())
    assert single.comprehensiveness[0].value == pytest.approx((before - after).mean())
    assert double.comprehensiveness[0].value == pytest.approx((before**2 - after**2).mean())


def test_of_neurons_their_activation_falls():
    texts = ["The baker near the doctors helps the man .", "The nurse sings ."]
    model = nx.embedded_path("models/gpt2")
    explained = ExplainedTexts.of_neurons(model, texts, "1:3", nx.Location("hidden_states"))
    found = faithfulness(explained, leave_one_out(explained), n_random=1)
    assert found.measure == "score"
    intact = explained.intact(torch.arange(2))[0]
    assert found.intact.value == pytest.approx(float(intact.mean()))


def test_batches_do_not_matter(monkeypatch):
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::400]
    explained = ExplainedTexts.of_pairs(nx.embedded_path("models/gpt2"), pairs)
    values = leave_one_out(explained)
    together = faithfulness(explained, values, n_random=2)
    for module in ("attribution.erasing", "interventions.explained_texts"):
        monkeypatch.setattr(f"neurox_lite.{module}.TOKENS_AT_ONCE", 1)
    alone = faithfulness(explained, values, n_random=2)
    for name in ("comprehensiveness", "sufficiency", "area"):
        for one, other in zip(getattr(together, name), getattr(alone, name), strict=True):
            assert one.value == pytest.approx(other.value, abs=1e-6)


def test_saved_and_read_again_and_drawn(tmp_path):
    explained = texts_of_sums(WEIGHTS)
    found = faithfulness(explained, given(explained, WEIGHTS))
    found.save(tmp_path / "f.json")
    assert nx.load_result(tmp_path / "f.json") == found
    alone = faithfulness(texts_of_sums(WEIGHTS[:1]), given(texts_of_sums(WEIGHTS[:1]), WEIGHTS[:1]))
    alone.save(tmp_path / "a.json")
    assert nx.load_result(tmp_path / "a.json") == alone
    assert not alone.intact.is_known
    assert alone.table()[1][:3] == ["mine", alone.comprehensiveness[0].value, None]
    assert "not known" in str(alone)
    axes = found.plot().axes
    assert [axis.get_title().split("\n")[0] for axis in axes] == [
        "comprehensiveness", "sufficiency", "area",
    ]  # fmt: skip
    points = [line.get_xdata()[0] for line in axes[0].lines if len(line.get_xdata()) == 1]
    assert points == [each.value for each in found.comprehensiveness]


def test_what_is_refused():
    explained = texts_of_sums(WEIGHTS)
    mine = given(explained, WEIGHTS)
    with pytest.raises(InputError, match="given twice"):
        faithfulness(explained, [mine, mine])
    with pytest.raises(InputError, match="name of the baseline"):
        faithfulness(explained, replace(mine, method="random order"))
    with pytest.raises(InputError, match="of other texts"):
        faithfulness(texts_of_sums(WEIGHTS[:1]), mine)
    with pytest.raises(InputError, match="shares"):
        faithfulness(explained, mine, shares=(0.5, 0.1))
    with pytest.raises(InputError, match="n_random"):
        faithfulness(explained, mine, n_random=0)
    only_special = texts_of_sums([(1.0,), ()])
    with pytest.raises(InputError, match=r"text 2: .* special tokens only"):
        faithfulness(only_special, given(only_special, [(1.0,), ()]))
