"""Descriptors that say the same.

`neurox_lite.descriptions.descriptor_clusters`
"""

from __future__ import annotations

import numpy as np
import pytest

from neurox_lite import InputError
from neurox_lite.descriptions.descriptor_clusters import cluster_descriptors


def test_forms_of_a_word_are_one_by_its_most_frequent():
    names = ["student", "bread", "students", "fresh bread"]
    found = cluster_descriptors(names, np.array([3, 9, 5, 1]))
    assert [names[number] for number in found] == ["students", "bread", "students", "fresh bread"]


def test_embeddings_say_what_is_alike():
    """The one in the middle begins the cluster, since it is near both others."""
    angles = np.deg2rad([0, 35, 70, 180])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = cluster_descriptors(list("abcd"), np.array([1, 2, 5, 4]), lambda names: 3 * vectors)
    assert found.tolist() == [2, 2, 2, 3]


def test_many_descriptors_are_compared_in_parts(monkeypatch):
    from neurox_lite.descriptions import descriptor_clusters

    names = [f"{a}{b}{a}{b}" for a in "abcdef" for b in "uvwxyz"] + ["auau auau", "auaus"]
    whole = cluster_descriptors(names, np.arange(len(names)))
    monkeypatch.setattr(descriptor_clusters, "AT_ONCE", 5)
    np.testing.assert_array_equal(cluster_descriptors(names, np.arange(len(names))), whole)


@pytest.mark.parametrize("wrong", [np.ones((1, 3)), np.full((2, 3), np.nan), np.ones(2)])
def test_bad_vectors(wrong):
    with pytest.raises(InputError, match=r"embed gave .* for 2 descriptors"):
        cluster_descriptors(["a", "b"], np.ones(2), lambda names: wrong)
