"""Pairs of a condition and of templates."""

import pytest

from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.pair_selection import select_pairs
from neurox_lite.corpora.pair_templates import number_pairs
from neurox_lite.errors import InputError


@pytest.fixture(scope="module")
def pairs():
    return number_pairs(Grammar(), 5, seed=0)


def test_any_or_those_that_were_asked_for(pairs):
    assert select_pairs(pairs) == pairs
    found = select_pairs(pairs, "singular", ["simple", "nounpp"])
    assert {pair.template for pair in found} == {"simple", "nounpp"}
    assert {pair.condition for pair in found} >= {"singular", "singular_plural"}
    assert all(pair.condition.startswith("singular") for pair in found)
    assert len(found) == sum(
        pair.condition.startswith("singular") and pair.template in ("simple", "nounpp")
        for pair in pairs
    )


def test_none_of_that_kind(pairs):
    with pytest.raises(InputError, match=r"no pairs of that kind; .* did you mean 'singular"):
        select_pairs(pairs, "singulr")
    with pytest.raises(InputError, match=r"the templates .*; did you mean 'simple'\?"):
        select_pairs(pairs, templates=["simpel"])
