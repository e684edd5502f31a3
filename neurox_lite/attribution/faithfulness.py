"""Do the tokens with the largest values decide? Faithfulness of attributions by ERASER."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
import torch

from neurox_lite.arguments import one_or_more, whole_number
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.attribution.collecting import check_explained, distinct_methods
from neurox_lite.attribution.erasing import (
    PROBABILITY,
    falls,
    measure_of,
    ordinary_tokens,
    ranks_of,
    top_count,
)
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, panels
from neurox_lite.intervals import Interval, mean_interval
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.json_files import write_json
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Of the tokens, as ERASER has them."""

RANDOM = "random order"

MEASURED = ("comprehensiveness", "sufficiency", "area", "above_random")
"""What a method has an interval of."""

WIDTH = 2.2
"""Of a panel, in inches."""


@dataclass(frozen=True)
class Faithfulness(SavedResult):
    """How far what a model says depends on the tokens with the largest values.

    Each is a mean over texts, with its interval; sequences have an entry per method.

    Attributes
    ----------
    methods : tuple of str
        The last is ``random order``.
    shares : tuple of float
        Of the tokens.
    measure : str
        What falls: ``probability`` of what the intact model said (of an answer that of its begin
        times that of its end), or ``score``, of neurons their activation in standard deviations.
    n_texts : int
    intact : Interval
        The measure of the intact model.
    all_erased : Interval
        How far it falls when all tokens are erased: as far as not knowing the text lets it fall.
    comprehensiveness : tuple of Interval
        How far it falls without the top tokens, mean over shares; more is better.
    sufficiency : tuple of Interval
        How far it falls when only they are left, mean over shares; less is better.
    area : tuple of Interval
        Over the perturbation curve, on which tokens are erased from the top, none to all.
    above_random : tuple of Interval
        Comprehensiveness less that of the random order of the same texts: where this is above 0,
        the method is better than chance.
    comprehensiveness_at, sufficiency_at : tuples of tuples of float
        By share.
    """

    methods: tuple[str, ...]
    shares: tuple[float, ...]
    measure: str
    n_texts: int
    intact: Interval
    all_erased: Interval
    comprehensiveness: tuple[Interval, ...]
    sufficiency: tuple[Interval, ...]
    area: tuple[Interval, ...]
    above_random: tuple[Interval, ...]
    comprehensiveness_at: tuple[tuple[float, ...], ...]
    sufficiency_at: tuple[tuple[float, ...], ...]

    KIND = "faithfulness"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        lines = (
            f"{method}: comprehensiveness {one}, sufficiency {other.value:.3g}"
            for method, one, other in zip(
                self.methods, self.comprehensiveness, self.sufficiency, strict=True
            )
        )
        facts = {
            "texts": self.n_texts,
            self.measure: self.intact.value,
            "all erased": self.all_erased.value,
        }
        return summary(f"Faithfulness of {len(self.methods)} methods", facts, lines)

    def table(self) -> Table:
        """A header, and a row per method: of each mean its value and the ends of its interval."""
        ends = ("", " low", " high")
        header = ["method", *(f"{name}{end}" for name in MEASURED for end in ends)]
        columns = [getattr(self, name) for name in MEASURED]
        rows = [
            [method, *(number for interval in row for number in interval.as_json())]
            for method, *row in zip(self.methods, *columns, strict=True)
        ]
        return [header, *rows]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A panel each for comprehensiveness, sufficiency and area: means with their intervals."""
        names = [figure_text(method, MOST) for method in self.methods]
        width = 1.2 + 0.08 * max(map(len, names)) + 3 * WIDTH
        axes = panels(ax, 3, size=(width, 1.5 + 0.26 * len(names)), n_columns=3, sharey=True)
        better = ("more is better", "less is better", "more is better")
        for axis, name, which in zip(axes, MEASURED, better, strict=False):
            for place, (method, mean) in enumerate(
                zip(self.methods, getattr(self, name), strict=True)
            ):
                colour = "0.5" if method == RANDOM else "#0072b2"
                if mean.is_known:
                    ends = [mean.low, mean.high]
                    axis.plot(ends, [place] * 2, "-", color=colour, linewidth=2, alpha=0.6)
                axis.plot(mean.value, place, "o", color=colour, markersize=4)
            axis.set_title(f"{name}\n({which})", fontsize=9)
            axis.set_xlabel(f"fall of the {self.measure}", fontsize=8)
            axis.tick_params(labelsize=8)
            axis.grid(axis="x", alpha=0.3)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        return finish(axes, ax, title)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        means = {name: [each.as_json() for each in getattr(self, name)] for name in MEASURED}
        whole = {name: getattr(self, name).as_json() for name in ("intact", "all_erased")}
        write_json(path, {"kind": self.KIND, **vars(self), **means, **whole})

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        means = {name: tuple(map(Interval.from_json, fields[name])) for name in MEASURED}
        whole = {name: Interval.from_json(fields[name]) for name in ("intact", "all_erased")}
        return {**fields, **means, **whole}


def faithfulness(
    explained: ExplainedTexts,
    attributions: TokenAttributions | Sequence[TokenAttributions],
    *,
    shares: Sequence[float] = SHARES,
    n_random: int = 5,
    seed: SupportsIndex = 0,
) -> Faithfulness:
    """Erase the tokens with the largest values, or all others (ERASER, DeYoung et al. 2020).

    With p the probability of what the intact model said and r the top share of a text's tokens:

        comprehensiveness = p(x) - p(x without r)        sufficiency = p(x) - p(r only)

    each the mean over shares (their AOPC without the share 0, which is alike for all). Values count
    with their sign: the top tokens speak most for what the model said. The area over the
    perturbation curve (Samek et al. 2017) is the mean of p(x) - p(x without r) over all shares from
    0 to 1, by the trapezoid rule from those given.

    Erased tokens have the word embedding of the mask token. Special tokens are neither counted nor
    erased. Shares are rounded up to whole tokens, so that at least one is erased. Of equal values
    the order is drawn, not that of the text, so that a uniform attribution is one random order.

    Parameters
    ----------
    explained : ExplainedTexts
    attributions : TokenAttributions, or several
        Of these texts; of those with states the last one.
    shares : sequence of float
        Ascending, above 0 and up to 1.
    n_random : int
        Random orders, of which the row ``random order`` is the mean.
    seed : int

    Returns
    -------
    Faithfulness
        With intervals over texts.

    Raises
    ------
    InputError
        When attributions are of other texts, two have one name, a text has special tokens only, or
        a share or number is out of range.
    """
    check_explained(explained)
    several = one_or_more(
        attributions, TokenAttributions, "attributions", "TokenAttributions, or several"
    )
    methods = distinct_methods(several)
    if RANDOM in methods:
        raise InputError(f"attributions '{RANDOM}': the name of the baseline; give another")
    for each in several:
        if each.tokens != explained.inputs.tokens:
            raise InputError(f"attributions '{each.method}' are of other texts than explained")
    at = checked_shares(shares, ascending=True)
    n_random = whole_number(n_random, "n_random", least=1)
    ordinary = ordinary_tokens(explained)
    draws = _draws(explained, 1 + n_random, validate_seed(seed))
    orders = [ranks_of(each.at(), ordinary, draws[0]) for each in several]
    orders += [ranks_of(draw, ordinary, draw) for draw in draws[1:]]
    intact, fall, of_all = falls(explained, ordinary, torch.stack(orders), at)
    count = len(several)
    fall = np.concatenate([fall[:, :, :count], fall[:, :, count:].mean(2, keepdims=True)], axis=2)
    without, only = fall
    comprehensiveness = without.mean(0)
    area = _area(without, of_all, at, ordinary.sum(1).cpu().numpy())
    measure = measure_of(explained)
    bounds = (-1.0, 1.0) if measure == PROBABILITY else None
    mean = partial(_mean, bounds=bounds)
    return Faithfulness(
        methods=(*methods, RANDOM),
        shares=at,
        measure=measure,
        n_texts=len(explained),
        intact=_mean(intact, (0.0, 1.0) if measure == PROBABILITY else None),
        all_erased=mean(of_all),
        comprehensiveness=tuple(map(mean, comprehensiveness)),
        sufficiency=tuple(map(mean, only.mean(0))),
        area=tuple(map(mean, area)),
        above_random=tuple(map(mean, comprehensiveness - comprehensiveness[-1])),
        comprehensiveness_at=tuple(map(tuple, without.mean(2).T.tolist())),
        sufficiency_at=tuple(map(tuple, only.mean(2).T.tolist())),
    )


def _draws(explained: ExplainedTexts, count: int, seed: int) -> list[list[np.ndarray]]:
    """Numbers for every token, several times; those of a text depend on its own number only."""
    of_texts = [
        np.random.default_rng([seed, number]).random((count, len(tokens)))
        for number, tokens in enumerate(explained.inputs.tokens)
    ]
    return [list(draw) for draw in zip(*of_texts, strict=True)]


def _area(
    without: np.ndarray, of_all: np.ndarray, shares: Sequence[float], n_tokens: np.ndarray
) -> np.ndarray:
    """Area over the curve of each text, (n_methods, n_texts), from (n_shares, n_methods, n_texts).

    The curve goes through 0 without erased tokens and through what is lost with all.
    """
    _, n_methods, n_texts = without.shape
    ends = np.zeros((1, n_methods, n_texts)), np.broadcast_to(of_all, (1, n_methods, n_texts))
    heights = np.concatenate([ends[0], without, ends[1]])
    at = np.stack([top_count(share, n_tokens) / n_tokens for share in (0.0, *shares, 1.0)])
    widths = np.diff(at, axis=0)[:, None]
    return np.asarray(((heights[1:] + heights[:-1]) / 2 * widths).sum(0))


def _mean(values: np.ndarray, bounds: tuple[float, float] | None) -> Interval:
    return mean_interval(values, np.arange(len(values)), bounds=bounds)
