"""Rows of other sentences, whose neighbours stay neighbours."""

import numpy as np

from neurox_lite.descriptions.shuffling import shuffled_rows


def test_every_row_once_and_neighbours_stay():
    sentences = np.repeat(np.arange(200), np.random.default_rng(0).integers(1, 20, 200))
    rows = shuffled_rows(sentences, np.random.default_rng(1))
    assert sorted(rows.tolist()) == list(range(len(sentences)))
    # Within a sentence the rows follow each other, but where its end meets its beginning.
    of_row = sentences[rows]
    follows = np.diff(rows) == 1
    assert follows[of_row[1:] == of_row[:-1]].sum() >= len(rows) - 2 * 200
    assert (np.diff(of_row) != 0).sum() == 199
    assert (sentences == of_row).mean() < 0.05


def test_of_no_rows_there_are_none():
    assert not len(shuffled_rows(np.zeros(0, int), np.random.default_rng(0)))
