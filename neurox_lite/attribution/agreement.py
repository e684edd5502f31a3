"""Do methods agree on which tokens decide?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.arguments import one_or_more, real_number
from neurox_lite.attribution.collecting import distinct_methods
from neurox_lite.attribution.erasing import top_count
from neurox_lite.errors import InputError
from neurox_lite.figures import Given, plot_matrices
from neurox_lite.intervals import Interval, mean_interval
from neurox_lite.json_files import write_json
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCK = 64
"""Tokens that are compared with all others at once."""


@dataclass(frozen=True)
class AttributionAgreement(SavedResult):
    """Agreement of methods on the tokens of texts, means over texts with their intervals.

    Attributes
    ----------
    methods : tuple of str
    share : float
        Of a text's tokens, how many are its top.
    n_texts : int
        Of two tokens or more.
    kendall : (n_methods, n_methods) tuples of Interval
        Kendall's tau-b, from -1 to 1; 0 with a method that gives all tokens of a text the same.
    overlap : (n_methods, n_methods) tuples of Interval
        Share of the top that both have.
    expected_overlap : float
        That of independent random orders.
    """

    methods: tuple[str, ...]
    share: float
    n_texts: int
    kendall: tuple[tuple[Interval, ...], ...]
    overlap: tuple[tuple[Interval, ...], ...]
    expected_overlap: float

    KIND = "agreement of attributions"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {"texts": self.n_texts, "overlap by chance": self.expected_overlap}
        pairs = combinations(enumerate(self.methods), 2)
        lines = (f"{one}, {other}: tau {self.kendall[i][j]}" for (i, one), (j, other) in pairs)
        return summary(f"AttributionAgreement of {len(self.methods)} methods", facts, lines)

    def table(self) -> Table:
        """A header, and a row per pair of methods."""
        ends = ("", " low", " high")
        header = [f"{name}{end}" for name in ("overlap", "kendall") for end in ends]
        rows: Table = [["method", "other", *header]]
        for (i, one), (j, other) in combinations(enumerate(self.methods), 2):
            rows.append([one, other, *self.overlap[i][j].as_json(), *self.kendall[i][j].as_json()])
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Two heat maps: Kendall's tau, overlap of the top."""
        overlap = f"top {100 * self.share:g} % shared"
        return plot_matrices(
            ax,
            title,
            self.methods,
            (
                ("Kendall's tau", _means(self.kendall), -1, 0),
                (overlap, _means(self.overlap), 0, self.expected_overlap),
            ),
        )

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        matrices = {
            name: [[each.as_json() for each in row] for row in getattr(self, name)]
            for name in ("kendall", "overlap")
        }
        write_json(path, {"kind": self.KIND, **vars(self), **matrices})

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        matrices = {
            name: tuple(tuple(map(Interval.from_json, row)) for row in fields[name])
            for name in ("kendall", "overlap")
        }
        return {**fields, **matrices}


def agreement(
    attributions: Sequence[TokenAttributions], *, share: float = 0.2
) -> AttributionAgreement:
    """Compare every method with every other, text by text.

    - Kendall's tau-b of the values of a text's tokens.
    - Overlap: the share of the top tokens that both have, where a tie at the end of the top is
      broken at random, on average over all ways.

    Special tokens are not counted; of attributions with states the last one counts.

    Parameters
    ----------
    attributions : sequence of TokenAttributions
        Two or more, of the same texts.
    share : float
        Of a text's tokens, how many are its top; rounded up, so that there is at least one.

    Raises
    ------
    InputError
        When they are of different texts, two have one name, no text has two tokens that are not
        special, or the share is not above 0 and below 1.
    """
    several = one_or_more(
        attributions, TokenAttributions, "attributions", "two TokenAttributions or more"
    )
    methods = distinct_methods(several)
    first = several[0]
    if len(several) < 2:
        raise InputError("attributions of one method; give two or more")
    for other in several:
        if other.tokens != first.tokens:
            raise InputError(
                f"attributions '{first.method}' and '{other.method}' are of different texts"
            )
    share = real_number(share, "share")
    if not 0 < share < 1:
        raise InputError(f"share is {share}; give a number between 0 and 1, such as 0.2")
    kendall, overlap, expected = [], [], []
    for text, special in enumerate(first.is_special):
        values = np.stack([each.at()[text] for each in several])[:, ~np.array(special, dtype=bool)]
        n_tokens = values.shape[1]
        if n_tokens < 2:
            continue
        count = int(top_count(share, np.array(n_tokens)))
        in_top = np.stack([_chances_of_top(row, count) for row in values])
        kendall.append(_kendall(values))
        overlap.append(in_top @ in_top.T / count)
        expected.append(count / n_tokens)
    if not expected:
        raise InputError("no text has two tokens that are not special; give longer texts")
    return AttributionAgreement(
        methods,
        share,
        len(expected),
        _intervals(np.stack(kendall), (-1, 1)),
        _intervals(np.stack(overlap), (0, 1)),
        float(np.mean(expected)),
    )


def _kendall(values: np.ndarray) -> np.ndarray:
    """Tau-b of every two rows: concordant less discordant pairs, over those that are no ties."""
    concordant = np.zeros((len(values), len(values)))
    for first in range(0, values.shape[1], BLOCK):
        some = values[:, first : first + BLOCK, None]
        # Of every pair of tokens which is larger.
        signs = np.sign(some - values[:, None, :]).reshape(len(values), -1)
        concordant += signs @ signs.T
    untied = np.diag(concordant)
    scale = np.sqrt(np.outer(untied, untied))
    return np.divide(concordant, scale, out=np.zeros_like(scale), where=scale > 0)


def _chances_of_top(values: np.ndarray, count: int) -> np.ndarray:
    """How probable each is among the top, where ties are broken at random."""
    least = np.sort(values)[-count]
    above, tied = values > least, values == least
    return above + tied * (count - above.sum()) / tied.sum()


def _intervals(values: np.ndarray, bounds: tuple[float, float]) -> tuple[tuple[Interval, ...], ...]:
    """Of (n_texts, n_methods, n_methods) the means; a method agrees with itself."""
    texts = np.arange(len(values))
    found = []
    for row in range(values.shape[1]):
        of_row = [
            mean_interval(values[:, row, other], texts, bounds=bounds)
            for other in range(values.shape[2])
        ]
        of_row[row] = Interval(1.0, 1.0, 1.0)
        found.append(tuple(of_row))
    return tuple(found)


def _means(matrix: tuple[tuple[Interval, ...], ...]) -> list[list[float]]:
    return [[interval.value for interval in row] for row in matrix]
