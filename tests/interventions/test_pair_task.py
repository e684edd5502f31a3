"""Whether a model can do what pairs ask is told from luck, and from liking one word.

Also of ``neurox_lite.results.pair_task``.
"""

from __future__ import annotations

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.interventions.pair_task import check_one_way, compare_with_chance


def pair(number: int, right: str, wrong: str) -> MinimalPair:
    return MinimalPair((f"word{number}",), right, wrong)


def one_way(n: int, n_choices: int) -> list[MinimalPair]:
    return [pair(i, f"sings{i % n_choices}", f"sing{i % n_choices}") for i in range(n)]


def turned(pairs: list[MinimalPair]) -> list[MinimalPair]:
    return [MinimalPair(("the", *p.prefix), p.wrong, p.right) for p in pairs]


def test_a_model_that_is_right():
    task = compare_with_chance(one_way(40, 8), np.full(40, 3.0))
    assert task.holds and task.n_groups == 8 and not task.both_ways
    assert (task.n_right, task.n_pairs, task.share) == (40, 40, 1)
    assert "right on 40 of 40 pairs, all one way" in str(task)


def test_a_model_that_likes_five_of_eight_verbs_better_in_one_form():
    """Of the 120 pairs 75 are right, surely more than half of independent ones; of 8 verbs not."""
    liking = np.array([1, 1, -1, 1, -1, 1, 1, -1])
    task = compare_with_chance(one_way(120, 8), np.tile(liking, 15) * 2.0)
    assert (task.n_right, task.n_groups) == (75, 8)
    assert not task.holds and task.low < 0.5


def test_a_model_that_likes_one_word_better_is_right_on_all_pairs_of_one_way():
    she = [pair(i, "she", "he") for i in range(60)]
    he = [pair(i + 60, "he", "she") for i in range(30)]
    assert compare_with_chance(she, np.full(60, 1.5)).holds
    task = compare_with_chance([*she, *he], np.concatenate([np.full(60, 1.5), np.full(30, -1.5)]))
    assert not task.holds and task.both_ways
    assert (task.n_right, task.n_pairs, task.log_odds) == (30, 60, 0)


def test_near_chance_and_below_noise():
    rng = np.random.default_rng(0)
    odds = np.where(np.arange(1000) % 5 < 3, 1.0, -1.0)
    many = compare_with_chance(one_way(1000, 1000), odds)
    assert many.low > 0.5 and many.share == 0.6 and not many.holds
    # Right on most pairs by next to nothing, wrong on the others by much.
    odds = np.where(np.arange(100) % 4 > 0, 0.01, -1.0) + rng.normal(size=100) * 1e-3
    most = compare_with_chance(one_way(100, 100), odds)
    assert most.share == 0.75 and not most.above_noise and not most.holds


@pytest.mark.parametrize(("n", "holds"), [(4, False), (5, True)])
def test_how_few_pairs_are_enough(n, holds):
    assert compare_with_chance(one_way(n, n), np.ones(n)).holds == holds


def test_pairs_that_turn_opposite_ways():
    pairs = one_way(20, 4)
    check_one_way(pairs)
    with pytest.raises(nx.InputError, match="in 5 'sings0' is right and 'sing0' wrong, in 1 the"):
        check_one_way([*pairs, *turned(pairs[:1])])


def test_templates_or_conditions_of_pairs_that_turn_opposite_ways_are_named():
    """In a file of subjects in the singular, two of them joined by *and* turn the other way."""

    def subject(number: int, right: str, wrong: str, template: str, condition: str) -> MinimalPair:
        words = {"right": right, "wrong": wrong, "template": template, "condition": condition}
        return MinimalPair((f"word{number}",), **words)

    simple = [subject(i, "sings", "sing", "simple", "singular") for i in range(3)]
    adverb = [subject(3, "sings", "sing", "adv", "singular"), subject(4, "is", "are", "adv", "")]
    joined = [subject(5, "sing", "sings", "conjunction", "singular_singular")]
    with pytest.raises(nx.InputError) as error:
        check_one_way([*simple, *adverb, *joined])
    assert "in 4 (template adv, simple) 'sings' is right" in str(error.value)
    assert "in 1 (template conjunction) the reverse" in str(error.value)
    plural = [subject(6, "sing", "sings", "simple", "plural")]
    with pytest.raises(nx.InputError) as error:
        check_one_way([*simple, *plural])
    assert "in 3 (condition singular) 'sings'" in str(error.value)
    assert "in 1 (condition plural) the reverse" in str(error.value)
