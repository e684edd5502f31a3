"""What makes one neuron fire: sentences and words, at both signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.descriptions.exemplars_html import exemplars_html
from neurox_lite.escaping import figure_text
from neurox_lite.figures import PALETTE, Given, finish, panels
from neurox_lite.intervals import Interval
from neurox_lite.neurons import Neuron
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, some, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WINDOW = 12
"""Words before and after the word of an example that are shown on one line."""


@dataclass(frozen=True)
class Example:
    """A sentence, and the word in it at which a neuron is largest (smallest).

    Attributes
    ----------
    words : tuple of str
        Of the whole sentence.
    place : int
        Number of that word in the sentence.
    value : float
        The activation there.
    activations : tuple of float or None
        At each word, to the nearest 127th of the largest distance of the neuron's activations from
        their median; None more than 15 words away, and at a word without activation. Empty in files
        written before there were any.
    """

    words: tuple[str, ...]
    place: int
    value: float
    activations: tuple[float | None, ...] = ()

    __repr__ = short_repr

    @property
    def word(self) -> str:
        """At which the neuron is largest (smallest)."""
        return self.words[self.place]

    def around(self, n_words: int = WINDOW) -> tuple[str, str, str]:
        """What stands before the word, the word, and what stands after it."""
        first, last = max(0, self.place - n_words), self.place + 1 + n_words
        before = ("... " if first else "") + " ".join(self.words[first : self.place])
        after = " ".join(self.words[self.place + 1 : last])
        return before, self.word, after + (" ..." if last < len(self.words) else "")

    def __str__(self) -> str:
        before, word, after = self.around()
        return f"{self.value:.3g}: {before} [{word}] {after}"


@dataclass(frozen=True)
class TopWord:
    """A word form that a neuron likes.

    Attributes
    ----------
    form : str
        In lower case.
    label : str
        Its most frequent part of speech, or other label; empty where the corpus has none.
    count : int
        Occurrences.
    mean : Interval
        Mean activation over these.
    """

    form: str
    label: str
    count: int
    mean: Interval


@dataclass(frozen=True)
class OneSign:
    """Of one neuron, what its largest activations are at, or its smallest.

    Attributes
    ----------
    examples : tuple of Example
        Sentences with the largest (smallest) activations of all.
    quantiles : tuple of Example
        Sentences at the middle of ten quantiles, the largest (smallest) first.
    words : tuple of TopWord
    """

    examples: tuple[Example, ...]
    quantiles: tuple[Example, ...]
    words: tuple[TopWord, ...]

    __repr__ = short_repr

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> OneSign:
        """From what ``dataclasses.asdict`` and JSON make of it."""
        words = (TopWord(**{**each, "mean": Interval(**each["mean"])}) for each in fields["words"])
        return cls(
            tuple(Example(**each) for each in fields["examples"]),
            tuple(Example(**each) for each in fields["quantiles"]),
            tuple(words),
        )


@dataclass(frozen=True)
class NeuronExemplars(SavedResult):
    """What makes a neuron fire.

    Attributes
    ----------
    neuron : Neuron
    category : str
        ``dead``, the same at every word; ``positional``, its variance is one of positions;
        ``word identity``, one of word forms; ``sparse`` or ``dense`` otherwise.
    sparseness, of_position, of_word : float
        As for :class:`~neurox_lite.descriptions.distribution.Distribution`.
    smallest, largest : float
        Of all activations.
    histogram : tuple of int
        Words of a uniform sample in bins of equal width between these.
    highest, lowest : OneSign
        Of a dead neuron empty.
    """

    neuron: Neuron
    category: str
    sparseness: float
    of_position: float
    of_word: float
    smallest: float
    largest: float
    histogram: tuple[int, ...]
    highest: OneSign
    lowest: OneSign

    KIND = "neuron exemplars"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = exemplars_html

    def __str__(self) -> str:
        facts = {
            "sparseness": self.sparseness,
            "variance of word forms": self.of_word,
            "of positions": self.of_position,
        }
        lines = [
            f"{name}: words {some((word.form for word in side.words), 5)}; "
            f"{side.examples[0] if side.examples else 'no sentence'}"
            for name, side in (("highest", self.highest), ("lowest", self.lowest))
        ]
        return summary(f"NeuronExemplars of {self.neuron}, {self.category}", facts, lines)

    def table(self) -> Table:
        """A header, and a row per example or word."""
        rows: Table = [["sign", "what", "rank", "value", "low", "high", "word", "text"]]
        for name, side in (("highest", self.highest), ("lowest", self.lowest)):
            for what, examples in (("example", side.examples), ("quantile", side.quantiles)):
                for rank, each in enumerate(examples, start=1):
                    text = " ".join(each.words)
                    rows.append([name, what, rank, each.value, None, None, each.word, text])
            for rank, word in enumerate(side.words, start=1):
                ends = word.mean.as_json()
                rows.append([name, "word", rank, *ends, word.form, word.label or None])
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Histogram of the activations; the ticks below are the examples at both ends."""
        axes = panels(ax, size=(6.4, 3.6))
        axis = axes[0]
        edges = np.linspace(self.smallest, self.largest, len(self.histogram) + 1)
        axis.stairs(self.histogram, edges, fill=True, color=PALETTE[0], alpha=0.6)
        for side in (self.highest, self.lowest):
            values = [each.value for each in side.examples]
            axis.plot(values, np.zeros(len(values)), "|", color="black", markersize=10)
        axis.set_yscale("symlog")
        axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.set_xlabel("activation (strokes below: the examples)")
        axis.set_ylabel("words of the sample")
        axis.set_title(figure_text(f"neuron {self.neuron}, {self.category}"), fontsize=10)
        return finish(axes, ax, title)

    @property
    def median(self) -> float:
        """Of all activations, as the histogram has it."""
        edges = np.linspace(self.smallest, self.largest, len(self.histogram) + 1)
        below = np.concatenate(([0], np.cumsum(self.histogram)))
        return float(np.interp(below[-1] / 2, below, edges))

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        sides = {name: OneSign.from_json(fields[name]) for name in ("highest", "lowest")}
        return {**fields, **sides, "neuron": Neuron(*fields["neuron"])}
