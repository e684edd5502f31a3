"""Which labels are taken for which: counts by hand, and scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from neurox_lite.errors import InputError
from neurox_lite.probing.confusion import Confusion
from neurox_lite.saved_results import load_result

Y = ["A", "A", "A", "A", "B", "B"]
SAID = ["A", "A", "A", "B", "B", "C"]


def test_counts_and_shares_by_hand(tmp_path):
    found = Confusion.of(Y, SAID)
    assert found.labels == ("A", "B", "C")
    assert found.counts == ((3, 1, 0), (0, 1, 1), (0, 0, 0))
    assert "right 4" in str(found).replace("  ", " ")
    assert "A taken for B: 1" in str(found) and "B taken for A" not in str(found)
    axis, _ = found.plot().axes
    shares = [[0.75, 0.25, 0], [0, 0.5, 0.5], [0, 0, 0]]
    np.testing.assert_array_equal(axis.images[0].get_array(), shares)
    written = {text.get_position(): text.get_text() for text in axis.texts}
    assert written == {(0, 0): "3", (1, 0): "1", (1, 1): "1", (2, 1): "1"}  # (column, row)
    assert axis.get_title().replace("\n", " ") == "accuracy 0.667 of 6 words"
    assert found.to_pandas()["words"].sum() == 6
    found.save(tmp_path / "c.json")
    assert load_result(tmp_path / "c.json") == found


def test_counts_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, said = rng.integers(0, 30, (2, 5000))
    found = Confusion.of(y, said)
    np.testing.assert_array_equal(found.counts, confusion_matrix(y, said))
    assert found.labels[2] == "2"
    assert not found.plot().axes[0].texts  # too many for numbers


def test_what_cannot_be_counted():
    for y, said, message in (
        ([], [], "no label"),
        (["A"], ["A", "B"], "2 predicted labels for 1 word"),
        (["A", ""], ["A", "A"], "y"),
        (["A"], [1], "predicted"),
    ):
        with pytest.raises(InputError, match=message):
            Confusion.of(y, said)
