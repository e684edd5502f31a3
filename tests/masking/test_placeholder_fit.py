"""A placeholder learned from random masks takes no side.

`neurox_lite.masking.placeholder_fit`
"""

from __future__ import annotations

import pytest
import torch

from neurox_lite.masking.gate_network import TokenGates
from neurox_lite.masking.masked_texts import IntactTexts
from neurox_lite.masking.placeholder_fit import fit_placeholders, random_mask_divergence
from neurox_lite.masking.token_search import endless_batches
from tests.masking.token_truth import NO, TEXTS, YES, some_texts, texts_of_words

pytestmark = pytest.mark.heavy


def gates_of(explained, start):
    intact = IntactTexts(explained, [0, 0])
    gates = TokenGates(True, intact.means, intact.stds, [start])
    return gates, intact


@pytest.mark.parametrize("word", [YES, NO])
def test_it_says_neither_word_though_it_began_as_one(word):
    explained = texts_of_words(TEXTS)
    gates, intact = gates_of(explained, explained.states.table[word])
    side = gates.placeholder(0)[0].item()
    assert abs(side) == 3
    generator = torch.Generator().manual_seed(0)
    fit_placeholders(
        explained,
        gates,
        [0],
        intact,
        endless_batches(torch.arange(len(TEXTS)), 32, generator),
        n_steps=300,
        generator=generator,
    )
    assert abs(gates.placeholder(0)[0].item()) < 0.2


def test_the_divergence_is_that_of_its_closed_form():
    """A neutral placeholder is wrong by log 2 where the word that decides is masked.

    Of shares that are uniform, that is in half of the texts.
    """
    explained = texts_of_words(some_texts(4000, seed=3))
    gates, intact = gates_of(explained, torch.zeros(6))
    found = random_mask_divergence(
        explained, gates, 0, [0], intact, torch.arange(4000), torch.Generator().manual_seed(0)
    )
    assert found.item() == pytest.approx(0.5 * torch.tensor(2.0).log().item(), abs=0.02)
