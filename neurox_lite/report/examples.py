"""Sentences at which neurons are high and low, as few characters as show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.neuron_exemplars import Example, NeuronExemplars, TopWord
from neurox_lite.neurons import Neuron
from neurox_lite.report.blocks import plain

AROUND = 12
"""Words shown on either side of the word of an example."""

N_ENDS, N_WORDS = 6, 10
"""Examples of the highest activations and of the lowest, and words of each."""

QUANTILES = (0, 2, 4, 7)
"""Of ten, the first the highest, that are shown."""

ZERO, STEPS = 80, 45
"""Of a level the character is that of ZERO + level; levels go from -STEPS to STEPS."""

UNKNOWN = " "
"""The character of a word without a known activation."""

BANDS = (
    ("highest", "", 0),
    ("sentences by their largest activation, from high to low", "quantile_", 0),
    ("sentences by their smallest activation, from high to low", "quantile_", 1),
    ("lowest", "", 1),
)
"""Name, and where they are in the arrays: what begins their names, and the sign."""


@dataclass
class Sentences:
    """Sentences that are examples of some neuron, numbered as they come."""

    found: list[list[str]] = field(default_factory=list)
    numbers: dict[tuple[str, ...], int] = field(default_factory=dict)

    def number(self, words: Sequence[str]) -> int:
        """The number of a sentence, which is the same wherever it comes from."""
        key = tuple(words)
        if key not in self.numbers:
            self.numbers[key] = len(self.found)
            self.found.append(list(words))
        return self.numbers[key]


def rows_of(exemplars: Exemplars, neurons: Iterable[Neuron]) -> list[int | None]:
    """The row of each neuron in the arrays; None of one that is not among them."""
    space = exemplars.space
    columns = exemplars.arrays.get("columns", np.arange(space.n_neurons))
    row_of = {column: row for row, column in enumerate(columns.tolist())}
    return [
        row_of.get(space.column(neuron)) if neuron.layer in space.layers else None
        for neuron in neurons
    ]


def of_arrays(exemplars: Exemplars, row: int, sentences: Sentences) -> dict[str, Any]:
    """Bands, words, histogram and scale of one neuron, by its row."""
    arrays = exemplars.arrays
    has_levels = "levels" in arrays
    scale = float(arrays["scales"][row]) if has_levels else 0.0
    median = float(arrays["medians"][row]) if has_levels else 0.0
    bands = []
    for name, before, sign in BANDS:
        chosen = _chosen(before, sign, arrays[f"{before}examples"].shape[-1])
        examples = []
        for rank in chosen:
            number = int(arrays[f"{before}examples"][row, sign, rank])
            if number < 0:
                continue
            words = exemplars.sentences[number]
            place = int(arrays[f"{before}places"][row, sign, rank])
            first, last = _window(place, len(words))
            levels = UNKNOWN * (last - first)
            if has_levels:
                own = arrays[f"{before}levels"][row, sign, rank]
                radius = len(own) // 2
                levels = _characters(own[first - place + radius : last - place + radius])
            exact = _short(float(arrays[f"{before}values"][row, sign, rank]))
            examples.append([sentences.number(words), place, first, levels, exact])
        if examples:
            bands.append({"name": name, "examples": examples})
    words_of = {
        side: [_word(exemplars, row, sign, rank) for rank in _known(exemplars, row, sign)]
        for sign, side in enumerate(("highest", "lowest"))
    }
    return {
        "median": _short(median),
        "scale": _short(scale * _LARGEST / STEPS),
        "histogram": _histogram(
            arrays["histogram"][row], arrays["smallest"][row], arrays["largest"][row]
        ),
        "bands": bands,
        "words": words_of,
    }


def of_one(own: NeuronExemplars, sentences: Sentences) -> dict[str, Any]:
    """The same of a neuron whose exemplars stand beside its description."""
    median, scale = _scale_of(own)
    bands = []
    for name, before, sign in BANDS:
        side = (own.highest, own.lowest)[sign]
        several = side.quantiles if before else side.examples
        chosen = [several[i] for i in _chosen(before, sign, len(several))]
        examples = [_example(each, median, scale, sentences) for each in chosen]
        if examples:
            bands.append({"name": name, "examples": examples})
    sides = {"highest": own.highest, "lowest": own.lowest}
    return {
        "median": _short(median),
        "scale": _short(scale),
        "histogram": _histogram(own.histogram, own.smallest, own.largest),
        "bands": bands,
        "words": {
            name: [_top_word(word) for word in side.words[:N_WORDS]] for name, side in sides.items()
        },
    }


_LARGEST = 127


def _chosen(before: str, sign: int, count: int) -> list[int]:
    """Which examples of a band are shown: the first, or some quantiles, highest first."""
    if not before:
        return list(range(min(N_ENDS, count)))
    chosen = [place for place in QUANTILES if place < count]
    # Of the lowest sign the first is the lowest.
    return [count - 1 - place for place in chosen] if sign else chosen


def _window(place: int, n_words: int) -> tuple[int, int]:
    return max(0, place - AROUND), min(n_words, place + AROUND + 1)


_TABLE = [chr(ZERO + round(level * STEPS / _LARGEST)) for level in range(-_LARGEST, _LARGEST + 1)]


def _characters(levels: np.ndarray) -> str:
    """Of levels from -127 to 127; -128 is not known."""
    return "".join(
        UNKNOWN if level < -_LARGEST else _TABLE[level + _LARGEST] for level in levels.tolist()
    )


def _scale_of(own: NeuronExemplars) -> tuple[float, float]:
    """The middle of what is known, and a step."""
    middle = _median_of_histogram(own)
    furthest = max(own.largest - middle, middle - own.smallest)
    return middle, furthest / STEPS


def _median_of_histogram(own: NeuronExemplars) -> float:
    counts = np.cumsum(own.histogram)
    if not len(counts) or not counts[-1]:
        return (own.smallest + own.largest) / 2
    place = int(np.searchsorted(counts, counts[-1] / 2))
    width = (own.largest - own.smallest) / len(counts)
    return float(own.smallest + (place + 0.5) * width)


def _example(each: Example, median: float, scale: float, sentences: Sentences) -> list[Any]:
    first, last = _window(each.place, len(each.words))
    known: Sequence[float | None] = getattr(each, "activations", ()) or [
        each.value if place == each.place else None for place in range(len(each.words))
    ]
    levels = "".join(_level(value, median, scale) for value in known[first:last])
    number = sentences.number(each.words)
    return [number, each.place, first, levels, _short(each.value)]


def _level(value: float | None, median: float, scale: float) -> str:
    if value is None:
        return UNKNOWN
    level = round((value - median) / scale) if scale > 0 else 0
    return chr(ZERO + max(-STEPS, min(STEPS, level)))


def _known(exemplars: Exemplars, row: int, sign: int) -> Iterator[int]:
    numbers = exemplars.arrays["words"][row, sign][:N_WORDS].tolist()
    return (rank for rank, number in enumerate(numbers) if number >= 0)


def _word(exemplars: Exemplars, row: int, sign: int, rank: int) -> list[Any]:
    arrays = exemplars.arrays
    number = int(arrays["words"][row, sign, rank])
    label = exemplars.labels[number] if exemplars.labels else ""
    ends = (arrays[name][row, sign, rank] for name in ("word_means", "word_lows", "word_highs"))
    return [exemplars.forms[number], label, exemplars.counts[number], *_ends(ends)]


def _top_word(word: TopWord) -> list[Any]:
    mean = word.mean
    return [word.form, word.label, word.count, *_ends((mean.value, mean.low, mean.high))]


def _ends(values: Iterable[Any]) -> list[Any]:
    return [None if v is None else float(f"{v:.3g}") for v in plain(values)]


def _histogram(counts: Sequence[int] | np.ndarray, low: Any, high: Any) -> dict[str, Any] | None:
    numbers = [int(count) for count in counts]
    if not numbers or not sum(numbers):
        return None
    return {"counts": numbers, "low": _short(float(low)), "high": _short(float(high))}


def _short(value: float) -> float:
    return float(f"{value:.4g}")
