"""Activations around examples, against the activations themselves.

`neurox_lite.descriptions.example_levels`
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite import TaggedCorpus
from neurox_lite.descriptions import corpus_rows, example_levels
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.example_levels import RADIUS, UNKNOWN, activations_of
from neurox_lite.descriptions.exemplars import exemplars
from tests.descriptions.test_exemplars import store_of

RNG = np.random.default_rng(0)
SENTENCES = [[f"w{number}"] * length for number, length in enumerate(RNG.integers(1, 60, 120))]
CORPUS = TaggedCorpus(SENTENCES)
X = RNG.standard_t(2, (CORPUS.n_words, 4))
X[:, 1] = 3
START = {tuple(words): first for words, first in zip(SENTENCES, CORPUS.sentence_offsets)}  # noqa: B905


@pytest.fixture(scope="module")
def found():
    return exemplars(X, CORPUS)


def test_each_word_of_an_example_has_its_activation(found):
    for column in (0, 2, 3):
        own, scale = found.of(column), found.arrays["scales"][column]
        furthest = np.abs(X[:, column] - found.arrays["medians"][column]).max()
        assert scale == pytest.approx(furthest / 127)
        for side in (own.highest, own.lowest):
            for example in side.examples + side.quantiles:
                values = X[START[example.words] :, column]
                assert len(example.activations) == len(example.words)
                for number, activation in enumerate(example.activations):
                    if abs(number - example.place) > RADIUS:
                        assert activation is None
                    else:
                        # Half of a level, and the decimals.
                        assert activation == pytest.approx(values[number], abs=0.56 * scale)


def test_the_word_itself_is_the_middle_level(found):
    for before in ("", "quantile_"):
        levels, values = (found.arrays[f"{before}{name}"] for name in ("levels", "values"))
        medians, scales = (
            found.arrays[name][:, None, None][[0, 2, 3]] for name in ("medians", "scales")
        )
        shown = medians + levels[[0, 2, 3], :, :, RADIUS] * scales
        assert (np.abs(shown - values[[0, 2, 3]]) <= 0.51 * scales).all()
    assert np.abs(found.arrays["levels"][[0, 2, 3], :, :, RADIUS]).max(axis=(1, 2)).min() == 127


def test_a_dead_neuron_has_none(found):
    assert (found.arrays["levels"][1] == UNKNOWN).all() and found.arrays["scales"][1] == 0


@pytest.mark.parametrize(("block", "at_once"), [(1, 5), (60, 16_384)])
def test_blocks_do_not_matter(monkeypatch, found, block, at_once):
    monkeypatch.setattr(corpus_rows.CorpusRows.spans, "__defaults__", (block,))
    monkeypatch.setattr(example_levels, "AT_ONCE", at_once)
    again = exemplars(X, CORPUS)
    for name in ("levels", "quantile_levels", "medians", "scales"):
        np.testing.assert_array_equal(again.arrays[name], found.arrays[name])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_activations_of_half_precision_are_theirs(dtype):
    rounded = torch.tensor(X).to(dtype)
    of_half, of_float = exemplars(rounded, CORPUS), exemplars(rounded.float(), CORPUS)
    for name in ("levels", "quantile_levels", "medians", "scales"):
        np.testing.assert_array_equal(of_half.arrays[name], of_float.arrays[name])


def test_a_word_without_activation_has_none(tmp_path):
    from tests.descriptions.test_exemplars import CORPUS as OTHER

    row = int(OTHER.sentence_offsets[1]) + 1
    own = exemplars(store_of(tmp_path / "s.h5", [row]), OTHER, n_examples=200)
    missing = [
        example
        for example in own.of(5).highest.examples
        if example.words == tuple(OTHER.sentences[1])
    ]
    assert missing and all(one.activations[1] is None for one in missing)
    assert all(one.activations[0] is not None for one in missing)
    own.save(tmp_path / "e")
    assert Exemplars.load(tmp_path / "e").of(5) == own.of(5)


def test_levels_become_activations():
    levels = np.full(2 * RADIUS + 1, UNKNOWN, np.int8)
    levels[RADIUS : RADIUS + 3] = (127, 0, -2)
    assert activations_of(levels, 1.0, 0.01, 1, 5) == (None, 2.27, 1.0, 0.98, None)
