"""Beam search for formulas, against all formulas there are."""

from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array

from neurox_lite.descriptions.concepts import Concepts
from neurox_lite.descriptions.formula_search import OPERATORS, Formula, best_formulas

JOINED = {"AND": np.logical_and, "OR": np.logical_or, "AND NOT": lambda a, b: a & ~b}


def concepts_of_bools(has):
    return Concepts(tuple(f"c{number}" for number in range(has.shape[1])), csr_array(has))


def draw(seed, n_words=60, n_concepts=6):
    rng = np.random.default_rng(seed)
    has = rng.random((n_words, n_concepts)) < rng.uniform(0.1, 0.6, n_concepts)
    return has, rng.random(n_words) < 0.3


def iou(words, active):
    return (words & active).sum() / (words | active).sum()


def every_formula(has, max_length):
    """All of them as (length, words)."""
    shortest = [(1, column) for column in has.T]
    yield from shortest
    for length in range(2, max_length + 1):
        shortest = [
            (length, JOINED[operator](words, column))
            for (_, words), operator, column in product(shortest, OPERATORS, has.T)
        ]
        yield from shortest


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("max_length", [1, 2, 3])
def test_a_wide_beam_finds_the_best_of_all_formulas(seed, max_length):
    has, active = draw(seed)
    found = best_formulas(concepts_of_bools(has), active, max_length=max_length, beam_width=10_000)[
        -1
    ]
    every = [(iou(words, active), -length) for length, words in every_formula(has, max_length)]
    assert (iou(found.holds(concepts_of_bools(has)), active), -len(found)) == max(every)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("beam_width", [1, 3, 10])
def test_each_is_longer_and_better_than_the_one_before(seed, beam_width):
    has, active = draw(seed, 300, 20)
    concepts = concepts_of_bools(has)
    found = best_formulas(concepts, active, max_length=5, beam_width=beam_width)
    assert len(found[0]) == 1
    values = [iou(formula.holds(concepts), active) for formula in found]
    assert values[0] == max(iou(column, active) for column in has.T)
    assert values == sorted(set(values))
    lengths = [len(formula) for formula in found]
    assert lengths == sorted(set(lengths)) and lengths[-1] <= 5


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        ("c0", [("AND", "c1"), ("AND NOT", "c2")]),
        ("c0", [("OR", "c7"), ("OR", "c8"), ("OR", "c9"), ("AND NOT", "c1")]),
    ],
)
def test_what_is_planted_is_found_at_its_length(first, rest):
    """Which words they are, not in which order its concepts stand."""
    has = np.random.default_rng(0).random((2000, 12)) < 0.2
    concepts = concepts_of_bools(has)
    planted = Formula(first, tuple(rest))
    active = planted.holds(concepts)
    found = best_formulas(concepts, active, max_length=5, beam_width=10)[-1]
    np.testing.assert_array_equal(found.holds(concepts), active)
    assert len(found) == len(planted)


def test_of_equally_good_formulas_the_first_is_taken():
    has = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0]], bool)
    active = np.array([1, 1, 1, 0], bool)
    found = best_formulas(concepts_of_bools(has), active, max_length=5, beam_width=10)
    assert [str(formula) for formula in found] == ["c0", "c0 OR c2"]


def test_without_an_active_word_that_has_a_concept_there_is_none():
    has = np.array([[1, 0], [0, 1], [0, 0]], bool)
    active = np.array([0, 0, 1], bool)
    assert best_formulas(concepts_of_bools(has), active, max_length=5, beam_width=10) == []


def test_text_of_formulas():
    rest = [("AND", "b"), ("AND NOT", "c"), ("AND NOT", "d"), ("OR", "e")]
    texts = [str(Formula("a", tuple(rest[:n]))) for n in range(5)]
    assert texts == [
        "a",
        "a AND b",
        "(a AND b) AND NOT c",
        "(a AND b) AND NOT c AND NOT d",
        "((a AND b) AND NOT c AND NOT d) OR e",
    ]
    assert [len(Formula("a", tuple(rest[:n]))) for n in range(5)] == [1, 2, 3, 4, 5]


def test_words_of_a_formula():
    has, _ = draw(1)
    concepts = concepts_of_bools(has)
    a, b, c = has.T[:3]
    formula = Formula("c0", (("OR", "c1"), ("AND NOT", "c2")))
    np.testing.assert_array_equal(formula.holds(concepts), (a | b) & ~c)
