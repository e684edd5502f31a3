"""Several rankings from their files: each has a name of its own."""

from dataclasses import replace

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import agreement, random_ranking
from neurox_lite.results.rankings import common_labels, load_rankings

SPACE = NeuronSpace("tiny", "hidden_states", (0, 1), (15, 15))


def test_files_are_part_of_names_that_two_have(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.json", "b.json", "c.json")]
    for seed, path in enumerate(paths):
        ranking = random_ranking(SPACE, seed)
        (replace(ranking, method="mine") if seed == 2 else ranking).save(path)
    assert [r.method for r in load_rankings(paths)] == [
        "random (a.json)",
        "random (b.json)",
        "mine",
    ]
    with pytest.raises(InputError, match="a ranking is given twice"):
        load_rankings([paths[0], paths[0]])


def test_labels_that_all_have(tmp_path):
    labels = {"tag": "upos", "corpus": ["my.conllu"]}
    ranking = random_ranking(SPACE)
    noted = replace(ranking, provenance={"labels": labels})
    other = replace(ranking, provenance={"labels": {"tag": "xpos"}})
    assert common_labels([noted, ranking, noted]) == labels
    assert common_labels([noted, other]) == {}
    assert common_labels([ranking]) == {}


def test_a_tenth_is_compared_by_default():
    first, second = random_ranking(SPACE, 0), random_ranking(SPACE, 1)
    assert agreement([first, second]).k == 3
    np.testing.assert_array_equal(
        agreement([first, second]).overlap, agreement([first, second], 3).overlap
    )
