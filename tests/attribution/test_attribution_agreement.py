"""Agreement of attributions, beside scipy's tau and where it is known.

`neurox_lite.attribution.agreement`
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from scipy.stats import kendalltau

import neurox_lite as nx
from neurox_lite.attribution import TokenAttributions, agreement
from neurox_lite.errors import InputError

LENGTHS = (1, 2, 5, 12, 12)
RNG = np.random.default_rng(0)


def made(method, *, seed, ties=False):
    rng = np.random.default_rng(seed)
    # The special token, first, has a value that would change everything.
    values = [
        np.array([99.0 * seed, *(rng.integers(3, size=n) if ties else rng.normal(size=n))])
        for n in LENGTHS
    ]
    tokens = tuple(tuple("abcdefghijklm"[: n + 1]) for n in LENGTHS)
    special = tuple((True, *(False,) * n) for n in LENGTHS)
    return TokenAttributions(method, tokens, tuple(values), ("",) * 5, (), special)


ONE, TIED, OTHER = made("one", seed=1), made("tied", seed=2, ties=True), made("other", seed=3)


@pytest.mark.parametrize("block", [5, 64])
def test_kendall_is_that_of_scipy(block, monkeypatch):
    # The module; its function has the same name.
    monkeypatch.setattr(import_module("neurox_lite.attribution.agreement"), "BLOCK", block)
    found = agreement([ONE, TIED, OTHER])
    assert found.n_texts == 4
    for i, first in enumerate((ONE, TIED, OTHER)):
        for j, second in enumerate((ONE, TIED, OTHER)):
            taus = [
                kendalltau(a[1:], b[1:]).statistic
                for a, b in zip(first.values[1:], second.values[1:], strict=True)
            ]
            expected = 1.0 if i == j else np.mean(np.nan_to_num(taus))
            assert found.kendall[i][j].value == pytest.approx(expected)
            assert found.kendall[i][j] == found.kendall[j][i]


def test_overlap_is_the_mean_over_ways_to_break_ties():
    found = agreement([ONE, TIED], share=0.3)
    rng = np.random.default_rng(0)
    overlaps = []
    for one, tied in zip(ONE.values[1:], TIED.values[1:], strict=True):
        n = len(one) - 1
        k = int(np.ceil(0.3 * n))
        ways = [
            len(
                set(np.argsort(-one[1:])[:k])
                & set(np.lexsort((rng.random(n), -tied[1:]))[:k])
            )
            / k
            for _ in range(4000)
        ]  # fmt: skip
        overlaps.append(np.mean(ways))
    assert found.overlap[0][1].value == pytest.approx(np.mean(overlaps), abs=0.01)
    assert found.expected_overlap == np.mean([1 / 2, 2 / 5, 4 / 12, 4 / 12])


def test_equal_opposite_and_constant():
    opposite = replace(ONE, method="opposite", values=tuple(-each for each in ONE.values))
    constant = replace(ONE, method="constant", values=tuple(0 * each for each in ONE.values))
    same = replace(ONE, method="same", values=tuple(np.exp(each) for each in ONE.values))
    found = agreement([ONE, same, opposite, constant])
    assert [each.value for each in found.kendall[0]] == [1, 1, -1, 0]
    assert [each.value for each in found.overlap[0][:3]] == [1, 1, 0]
    assert found.overlap[0][3].value == pytest.approx(found.expected_overlap)


def test_independent_orders_agree_by_chance():
    def noise(method, seed):
        values = tuple(np.random.default_rng(seed).normal(size=(400, 10)))
        tokens = (tuple("abcdefghij"),) * 400
        return TokenAttributions(method, tokens, values, ("",) * 400)

    found = agreement([noise("a", 1), noise("b", 2)])
    assert found.kendall[0][1].low < 0 < found.kendall[0][1].high
    assert found.overlap[0][1].low < found.expected_overlap < found.overlap[0][1].high


def test_saved_and_read_again_and_drawn(tmp_path):
    found = agreement([ONE, TIED, OTHER])
    found.save(tmp_path / "a.json")
    assert nx.load_result(tmp_path / "a.json") == found
    assert [row[:2] for row in found.table()[1:]] == [
        ["one", "tied"], ["one", "other"], ["tied", "other"],
    ]  # fmt: skip
    axes = found.plot().axes
    assert [axis.get_title() for axis in axes] == ["Kendall's tau", "top 20 % shared"]
    assert axes[0].images[0].get_array()[0, 2] == found.kendall[0][2].value


def test_what_is_refused():
    with pytest.raises(InputError, match="two or more"):
        agreement([ONE])
    with pytest.raises(InputError, match="given twice"):
        agreement([ONE, ONE])
    with pytest.raises(InputError, match="different texts"):
        agreement([ONE, TokenAttributions("x", (("a",),), (np.ones(1),), ("",))])
    with pytest.raises(InputError, match="share is 1"):
        agreement([ONE, TIED], share=1)
    short = [
        TokenAttributions(method, (("a",),), (np.ones(1),), ("",)) for method in ("one", "two")
    ]
    with pytest.raises(InputError, match="no text has two tokens"):
        agreement(short)
