"""The smallest set is found: all are tried here, too, in texts with a mask for what is erased."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts, exact_erasure
from neurox_lite.errors import InputError

TEXTS = ["The bakers [MASK] the man .", "The nurse [MASK] .", "[MASK] ."]


@pytest.fixture(scope="module")
def bert():
    return nx.load_model(nx.embedded_path("models/bert"), head="language")


def smallest_set(bert, text, keep, epsilon):
    """Erased tokens become masks; special tokens stay."""
    mask = bert.tokenizer.mask_token_id
    ids = torch.tensor(bert.tokenizer(text)["input_ids"])
    place = ids.tolist().index(mask)
    free = [
        n for n, token in enumerate(ids.tolist()) if token not in bert.tokenizer.all_special_ids
    ]
    sets = list(chain.from_iterable(combinations(free, size) for size in range(len(free) + 1)))
    erased = ids.repeat(len(sets), 1)
    for row, kept in zip(erased, sets, strict=True):
        row[[n for n in free if n not in kept]] = mask
    with torch.no_grad():
        read = bert.model(input_ids=erased).logits[:, place].log_softmax(-1).double()
    intact = read[-1]
    moved = (intact.exp() * (intact - read)).sum(-1)
    stays = read.argmax(-1) == intact.argmax() if keep == "prediction" else moved <= epsilon
    size = min(len(kept) for kept, fine in zip(sets, stays, strict=True) if fine)
    best = min(n for n, kept in enumerate(sets) if len(kept) == size and stays[n])
    for number, kept in enumerate(sets):
        if len(kept) == size and stays[number] and moved[number] < moved[best]:
            best = number
    return [float(position in sets[best]) for position in range(len(ids))]


@pytest.mark.parametrize(
    ("keep", "epsilon"), [("prediction", 0.0), ("output", 0.3), ("output", 0.0)]
)
def test_it_is_the_smallest_set_with_which_the_output_stays(bert, keep, epsilon):
    found = exact_erasure(ExplainedTexts.of_texts(bert, TEXTS), keep=keep, epsilon=epsilon)
    sizes = []
    for text, values in zip(TEXTS, found.values, strict=True):
        np.testing.assert_array_equal(values, smallest_set(bert, text, keep, epsilon))
        sizes.append(values.sum())
    if epsilon == 0 and keep == "output":
        assert sizes == [5, 3, 1]


def test_what_it_refuses(bert):
    explained = ExplainedTexts.of_texts(bert, TEXTS)
    with pytest.raises(InputError, match="text 1: 5 tokens have 32 subsets"):
        exact_erasure(explained, max_tokens=4)
    with pytest.raises(InputError, match="use prediction or output"):
        exact_erasure(explained, keep="words")
    neurons = ExplainedTexts.of_neurons(bert, ["The nurse sings ."], "1:3")
    with pytest.raises(InputError, match="neurons predict nothing"):
        exact_erasure(neurons)
    assert exact_erasure(neurons, keep="output", epsilon=1.0).values[0].sum() <= 4
