import numpy as np
import pytest
import torch

from neurox_lite.extraction.aggregation import WordPositions
from neurox_lite.extraction.model_input import ModelInput

STATES = torch.tensor(
    [[[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]], [[3.0, 5.0], [7.0, 9.0], [0, 0], [0, 0]]]
)


def model_input(*words):
    """An input with the given subwords per word; the other fields play no part."""
    nothing = np.empty(0, np.int64)
    return ModelInput(
        ids=nothing,
        token_types=nothing,
        rows=np.arange(len(words)),
        positions=np.array([p for word in words for p in word], np.int64),
        counts=np.array([len(word) for word in words], np.int64),
        source=nothing,
    )


def aggregated(states, aggregation, *inputs):
    return WordPositions(inputs, torch.device("cpu")).aggregate(states, aggregation)


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("first", [[1, 10], [2, 20], [3, 5]]),
        ("last", [[1, 10], [8, 80], [7, 9]]),
        ("average", [[1, 10], [14 / 3, 140 / 3], [5, 7]]),
    ],
)
def test_by_hand(aggregation, expected):
    vectors = aggregated(STATES, aggregation, model_input([0], [1, 2, 3]), model_input([0, 1]))

    torch.testing.assert_close(vectors, torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("first", [[2, 20], [8, 80], [7, 9], [3, 5]]),
        ("last", [[8, 80], [8, 80], [7, 9], [7, 9]]),
        ("average", [[5, 50], [8, 80], [7, 9], [5, 7]]),
    ],
)
def test_words_may_have_gaps_overlap_and_stand_in_any_order(aggregation, expected):
    """As special tokens do, and every word of a sentence that is pooled by its first token."""
    inputs = model_input([1, 3], [3]), model_input([1], [0, 1])

    torch.testing.assert_close(
        aggregated(STATES, aggregation, *inputs), torch.tensor(expected, dtype=torch.float32)
    )


def test_the_average_of_half_precision_is_summed_in_float32():
    states = torch.full((1, 4, 1), 40000.0, dtype=torch.float16)

    vectors = aggregated(states, "average", model_input([0, 1, 2, 3]))

    assert vectors.dtype == torch.float32
    assert vectors.item() == 40000


def test_one_object_serves_every_layer():
    positions = WordPositions([model_input([0], [1, 2, 3])], torch.device("cpu"))

    assert positions.aggregate(STATES[:1], "last").tolist() == [[1, 10], [8, 80]]
    assert positions.aggregate(STATES[:1, :, :1] * 2, "last").tolist() == [[2], [16]]
