"""Attributions: one value per token and state, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.results.token_attributions import TokenAttributions, state_names
from neurox_lite.saved_results import load_result

TOKENS = (("a", "b", "c"), ("d",))
STATES = state_names(3)
VALUES = (np.array([[0, 1, 2], [2, 0, 1], [3, 2, 5.5]]), np.array([[1.0], [2], [3]]))
PLAIN = TokenAttributions("mine", TOKENS, tuple(each[-1] for each in VALUES), ("yes", "no"))
OF_STATES = TokenAttributions("mine", TOKENS, VALUES, ("yes", "no"), STATES, status="not settled")


@pytest.mark.parametrize("result", [PLAIN, OF_STATES])
def test_saved_and_read_again(result, tmp_path):
    result.save(tmp_path / "a.json")
    again = TokenAttributions.load(tmp_path / "a.json")
    assert again.table() == result.table()
    assert again.is_special == result.is_special
    assert again.status == result.status
    assert load_result(tmp_path / "a.json").table() == result.table()
    result.save(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "text,position,token,state,value"
    assert len(lines) == 1 + sum(each.size for each in result.values)


def test_states():
    assert STATES == ("embeddings", "block 0", "output")
    np.testing.assert_array_equal(OF_STATES.at(0)[0], [0, 1, 2])
    np.testing.assert_array_equal(OF_STATES.at()[0], PLAIN.at()[0])
    with pytest.raises(InputError, match="states, not a state 9; give one of 0 to"):
        OF_STATES.at(9)
    with pytest.raises(InputError, match="0 states, not a state 0; leave it out"):
        PLAIN.at(0)
    assert OF_STATES.most_attributed(2) == [["c", "a"], ["d"]]


@pytest.mark.parametrize("values", [np.zeros(2), np.zeros((3, 1)), np.full(3, np.nan)])
def test_not_one_finite_number_per_token(values):
    with pytest.raises(InputError, match="text 1 has values"):
        TokenAttributions("mine", TOKENS, (values, VALUES[1][0]), ("yes", "no"))
    with pytest.raises(InputError, match="values for each text"):
        TokenAttributions("mine", TOKENS, (VALUES[0][0],), ("yes",))


@pytest.mark.parametrize("result", [PLAIN, OF_STATES])
def test_heat_map_of_tokens_by_states(result):
    axis = result.plot().axes[0]
    (image,) = axis.images
    np.testing.assert_array_equal(image.get_array(), np.atleast_2d(result.values[0]).T)
    assert [label.get_text() for label in axis.get_yticklabels()] == list(TOKENS[0])
    assert [label.get_text() for label in axis.get_xticklabels()] == (
        list(result.states) or ["input"]
    )
    assert axis.get_title() == ("mine: yes" if result is PLAIN else "mine: yes (doubtful)")
    assert len(result.plot(text=-1).axes[0].get_yticklabels()) == 1
    assert image.get_clim() == (0, 5.5)
    signed = replace(result, values=tuple(-each for each in result.values))
    assert signed.plot().axes[0].images[0].get_clim() == (-5.5, 5.5)
    with pytest.raises(InputError, match="from 0 to 1"):
        result.plot(text=2)
