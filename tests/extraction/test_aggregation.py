import pytest
import torch

from neurox_lite.extraction.aggregation import aggregate

STATES = torch.tensor(
    [[[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]], [[3.0, 5.0], [7.0, 9.0], [0, 0], [0, 0]]]
)
SENTENCE_OF_WORD = [0, 0, 0, 1]
SUBWORDS = [(0,), (), (1, 2, 3), (0, 1)]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("first", [[1, 10], [2, 20], [3, 5]]),
        ("last", [[1, 10], [8, 80], [7, 9]]),
        ("average", [[1, 10], [14 / 3, 140 / 3], [5, 7]]),
    ],
)
def test_by_hand(aggregation, expected):
    vectors = aggregate(STATES, SENTENCE_OF_WORD, SUBWORDS, aggregation)

    torch.testing.assert_close(vectors, torch.tensor(expected, dtype=torch.float32))


def test_the_average_of_half_precision_is_summed_in_float32():
    states = torch.full((1, 4, 1), 40000.0, dtype=torch.float16)

    vectors = aggregate(states, [0], [(0, 1, 2, 3)], "average")

    assert vectors.item() == 40000


@pytest.mark.parametrize("aggregation", ["first", "last", "average"])
def test_no_word_has_subwords(aggregation):
    assert aggregate(STATES, [0, 1], [(), ()], aggregation).shape == (0, 2)
