"""From which layer on does the model know? Which kinds of words a mask keeps, state by state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.arguments import expect, real_number, strings, whole_number
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import (
    MARKERS,
    MOST,
    PALETTE,
    Given,
    finish,
    layers_width,
    panels,
    put_ticks,
    wrapped,
)
from neurox_lite.intervals import Interval, accuracy_interval, mean_interval
from neurox_lite.json_files import write_json
from neurox_lite.labels import UNLABELLED
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THRESHOLD = 0.5
"""From which value on a token is kept."""

MOST_LABELS, MOST_LINES = 20, 8
"""Labels of a result by default, and in a figure: those with the most tokens."""


@dataclass(frozen=True)
class KeptTokens(SavedResult):
    """Share of the tokens of each label that are kept, and their mean value, state by state.

    Attributes
    ----------
    method : str
    threshold : float
        From which value on a token is kept.
    labels : tuple of str
        Those with the most tokens first.
    n_tokens : tuple of int
        Of each label.
    states : tuple of str
        ``input`` alone, of a method without states.
    kept : (n_labels, n_states) tuples of Interval
        Share of tokens that are kept, with its interval over texts.
    value : (n_labels, n_states) tuples of Interval
        Mean value of the tokens.
    n_all_labels : int
        How many labels the words have, those that are left out included.
    """

    method: str
    threshold: float
    labels: tuple[str, ...]
    n_tokens: tuple[int, ...]
    states: tuple[str, ...]
    kept: tuple[tuple[Interval, ...], ...]
    value: tuple[tuple[Interval, ...], ...]
    n_all_labels: int

    KIND = "kept tokens"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        lines = (
            f"{label}: " + ", ".join(f"{interval.value:.2f}" for interval in row)
            for label, row in zip(self.labels, self.kept, strict=True)
        )
        facts: dict[str, Any] = {"states": len(self.states), "tokens": sum(self.n_tokens)}
        if len(self.labels) < self.n_all_labels:
            facts["labels"] = f"the {len(self.labels)} most frequent of {self.n_all_labels}"
        return summary(f"KeptTokens by {self.method}: share kept by state", facts, lines)

    def table(self) -> Table:
        """A header, and a row per label and state."""
        ends = ("", " low", " high")
        header = [f"{name}{end}" for name in ("kept", "value") for end in ends]
        rows: Table = [["label", "n_tokens", "state", *header]]
        for label, count, *parts in zip(
            self.labels, self.n_tokens, self.kept, self.value, strict=True
        ):
            for state, kept, value in zip(self.states, *parts, strict=True):
                rows.append([label, count, state, *kept.as_json(), *value.as_json()])
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A line per label over the states, with a band of its interval (De Cao et al. 2020)."""
        width = layers_width(len(self.states))
        axes = panels(ax, size=(width, 4.8))
        axis = axes[0]
        places = range(len(self.states))
        shown = list(zip(self.labels, self.n_tokens, self.kept, strict=True))[:MOST_LINES]
        for number, (label, count, row) in enumerate(shown):
            name = f"{figure_text(label, MOST)} ({count:,})"
            look = number % len(PALETTE)
            style = f"{MARKERS[look]}{'-' if number < len(PALETTE) else '--'}"
            values = [each.value for each in row]
            axis.plot(places, values, style, color=PALETTE[look], label=name)
            low, high = [each.low for each in row], [each.high for each in row]
            axis.fill_between(places, low, high, color=PALETTE[look], alpha=0.15)
        put_ticks(axis, places, self.states, width - 1)
        axis.set_ylim(-0.02, 1.02)
        axis.set_ylabel("share of tokens kept")
        axis.set_xlabel("state")
        axis.grid(alpha=0.3)
        n_labels = self.n_all_labels
        some = f" ({len(shown)} of {n_labels} labels)" if len(shown) < n_labels else ""
        what = f"{self.method[:MOST]}: value at least {self.threshold:g}{some}"
        axis.set_title(wrapped(what, width - 1, 10), fontsize=10)
        return finish(axes, ax, title, legend=4)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        matrices = {
            name: [[each.as_json() for each in row] for row in getattr(self, name)]
            for name in ("kept", "value")
        }
        write_json(path, {"kind": self.KIND, **vars(self), **matrices})

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        matrices = {
            name: tuple(tuple(map(Interval.from_json, row)) for row in fields[name])
            for name in ("kept", "value")
        }
        return {**fields, **matrices}


def kept_by(
    attributions: TokenAttributions,
    labels: Sequence[str],
    *,
    threshold: float = THRESHOLD,
    max_labels: int = MOST_LABELS,
) -> KeptTokens:
    """Which tokens are kept, by the label of their word (De Cao et al. 2020, section 4.2).

    Parameters
    ----------
    attributions : TokenAttributions
        Whose tokens know their words.
    labels : (n_words,) sequence of str
        Of every word: of a corpus ``corpus.labels(tag)``; of texts one for each word between
        blanks, text after text, a question before its context; of pairs one for each word of all
        prefixes, pair after pair, such as "subject" or "attractor". Words with the label ``""`` and
        special tokens are left out.
    threshold : float
        From which value on a token is kept.
    max_labels : int
        Of more labels, such as lemmas, those with the most tokens are told; of equally many those
        first in the alphabet.

    Returns
    -------
    KeptTokens
        With intervals over texts.

    Raises
    ------
    InputError
        When the tokens know no words, there is not a label for each, or no word has one.
    """
    expect(attributions, TokenAttributions, "attributions", "TokenAttributions")
    threshold = real_number(threshold, "threshold")
    max_labels = whole_number(max_labels, "max_labels", least=1)
    of_words = np.array([*strings(labels, "labels"), UNLABELLED])
    if not attributions.words:
        raise InputError(
            f"attributions '{attributions.method}': their tokens know no words; give a "
            "tokenizer that is 'fast'"
        )
    # Tokens of no word are -1, the last of the labels.
    words = np.concatenate([np.array(each, dtype=int) for each in attributions.words])
    n_words = int(words.max(initial=-1)) + 1
    if len(of_words) - 1 < n_words:
        raise InputError(f"{len(of_words) - 1} labels for {n_words} words; give one for each")
    texts = np.repeat(np.arange(len(attributions)), [len(each) for each in attributions.words])
    values = np.concatenate([np.atleast_2d(each) for each in attributions.values], axis=1)
    of_tokens = of_words[words]
    names, counts = np.unique(of_tokens[of_tokens != UNLABELLED], return_counts=True)
    if not len(names):
        raise InputError("no word of the texts has a label; give another tag")
    n_all = len(names)
    first = np.lexsort((names, -counts))[:max_labels]
    names, counts = names[first], counts[first]
    kept, value = [], []
    for name in names:
        chosen = of_tokens == name
        groups = texts[chosen]
        kept.append(tuple(accuracy_interval(row[chosen] >= threshold, groups) for row in values))
        value.append(tuple(mean_interval(row[chosen], groups) for row in values))
    return KeptTokens(
        attributions.method,
        threshold,
        tuple(names.tolist()),
        tuple(counts.tolist()),
        attributions.states or ("input",),
        tuple(kept),
        tuple(value),
        n_all,
    )
