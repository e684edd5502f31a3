"""What the checksum of chunks finds, and the little that it does not."""

from __future__ import annotations

import zlib
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.activations.fast_checksum import N_SUMS, STRIDE, FastChecksum, fast_checksum

PAGE, SECTOR = 4096, 512
CHUNK = 1 << 20


def random_bytes(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(256, size=size, dtype=np.uint8)


def normal_bytes(n_rows: int, width: int, dtype: str) -> np.ndarray:
    """Rows of activations, shape (n_rows, bytes of a row)."""
    rows = np.random.default_rng(0).normal(size=(n_rows, width)).astype(dtype)
    return rows.view(np.uint8).reshape(n_rows, -1)


def value(data: np.ndarray) -> int:
    return fast_checksum(data.reshape(-1).data)


def exchange(blocks: np.ndarray, first: int, second: int) -> None:
    blocks[[first, second]] = blocks[[second, first]]


@pytest.mark.parametrize("size", [0, 1, 7, 8, STRIDE - 1, STRIDE, STRIDE + 1, 3 * STRIDE + 77])
def test_it_is_what_its_description_says(size: int) -> None:
    data = random_bytes(size).tobytes()
    whole = size - size % STRIDE
    sums = [0] * N_SUMS
    for place in range(0, whole, 8):
        number = place // 8 % N_SUMS
        sums[number] = (sums[number] + int.from_bytes(data[place : place + 8], "little")) % 2**64
    text = b"".join(each.to_bytes(8, "little") for each in sums)
    expected = zlib.crc32(text + data[whole:] + size.to_bytes(8, "little"))
    assert fast_checksum(memoryview(data)) == expected


def test_it_stays_the_same_in_later_versions() -> None:
    """Stores have been written with it."""
    assert fast_checksum(memoryview(bytes(range(256)) * 40)) == 464540782


@given(st.lists(st.integers(0, 3 * STRIDE), max_size=6), st.integers(0, 3 * STRIDE))
def test_parts_give_the_same_as_the_whole(cuts: list[int], size: int) -> None:
    data = random_bytes(size)
    checksum = FastChecksum()
    places = [0, *sorted(min(cut, size) for cut in cuts), size]
    for first, last in pairwise(places):
        checksum.update(data[first:last].data)
    assert checksum.value() == value(data)


def test_every_wrong_bit_is_found() -> None:
    data = random_bytes(STRIDE + 100)
    data[:64], data[64:128] = 0, 255  # carries through a whole integer, or none
    before = value(data)
    for place in range(len(data)):
        for bit in range(8):
            data[place] ^= 1 << bit
            assert value(data) != before
            data[place] ^= 1 << bit
    assert value(data) == before


def test_every_zeroed_sector_is_found() -> None:
    data = normal_bytes(256, 1024, "float32").reshape(-1)
    assert data.size == CHUNK
    before = value(data)
    for sector in data.reshape(-1, SECTOR):
        kept = sector.copy()
        sector[:] = 0
        assert value(data) != before
        sector[:] = kept
    assert value(data) == before


@pytest.mark.parametrize("first", [0, 100])
def test_exchanged_and_doubled_pages_are_found(first: int) -> None:
    data = normal_bytes(CHUNK // PAGE, PAGE // 4, "float32")
    before = value(data)
    for second in set(range(len(data))) - {first}:
        exchange(data, first, second)
        assert value(data) != before
        exchange(data, first, second)
        kept = data[second].copy()
        data[second] = data[first]
        assert value(data) != before
        data[second] = kept
    assert value(data) == before


@pytest.mark.parametrize(
    ("width", "dtype"), [(768, "float32"), (1024, "float16"), (1040, "float32"), (4096, "float32")]
)
def test_exchanged_rows_are_found(width: int, dtype: str) -> None:
    rows = normal_bytes(64, width, dtype)
    before = value(rows)
    for first, second in combinations(range(0, 64, 3), 2):
        exchange(rows, first, second)
        assert value(rows) != before
        exchange(rows, first, second)


@pytest.mark.parametrize("data", [random_bytes(3 * STRIDE), np.zeros(3 * STRIDE, np.uint8)])
def test_a_lost_end_is_found(data: np.ndarray) -> None:
    values = [value(data[:size]) for size in [*range(0, 3 * STRIDE, 61), 3 * STRIDE]]
    assert len(set(values)) == len(values)


@given(st.data())
def test_a_replaced_run_is_found(data: st.DataObject) -> None:
    before = random_bytes(data.draw(st.integers(1, 4 * STRIDE)))
    after = before.copy()
    start = data.draw(st.integers(0, len(before) - 1))
    run = after[start : start + data.draw(st.integers(1, STRIDE - 8))]
    kind = data.draw(st.sampled_from(["zeros", "ones", "another", "shifted", "reversed"]))
    run[:] = {
        "zeros": np.zeros_like(run),
        "ones": np.full_like(run, 255),
        "another": random_bytes(len(run), seed=1),
        "shifted": np.roll(run, 1),
        "reversed": run[::-1].copy(),
    }[kind]
    assert (value(after) == value(before)) == np.array_equal(after, before)


def test_what_goes_unnoticed() -> None:
    """Errors that cancel, as described."""
    data = random_bytes(3 * STRIDE)
    before = value(data)
    exchange(data.reshape(3, STRIDE), 0, 2)
    assert value(data) == before
    data[5], data[5 + STRIDE] = 0b1000, 0b0000
    before = value(data)
    data[5], data[5 + STRIDE] = 0b0000, 0b1000
    assert value(data) == before


def test_how_often_two_wrong_bits_cancel() -> None:
    """One in 521 * 64 * 2; of those in the same sum, one in 64 * 2."""
    rng = np.random.default_rng(0)
    n_tried, n_missed = 5_000, 0
    data = random_bytes(2 * STRIDE)
    before = value(data)
    for _ in range(n_tried):
        places = np.array([0, STRIDE]) + 8 * rng.integers(N_SUMS) + rng.integers(8, size=2)
        bits = 1 << rng.integers(8, size=2, dtype=np.uint8)
        data[places] ^= bits
        n_missed += value(data) == before
        data[places] ^= bits
    assert n_missed / n_tried == pytest.approx(1 / 128, rel=0.3)
