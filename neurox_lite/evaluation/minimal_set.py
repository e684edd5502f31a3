"""The smallest share of a ranking that is as good as all neurons, and how often there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.activations.inputs import (
    LabelledActivations,
    validate_activations,
    validate_inputs,
)
from neurox_lite.arguments import expect, expect_function, real_number, whole_number
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.errors import InputError
from neurox_lite.evaluation.ablation import require_columns
from neurox_lite.evaluation.refitting import refit, refit_scores
from neurox_lite.figures import MOST, Given, finish, panels, wrapped
from neurox_lite.json_files import read_json
from neurox_lite.probing.fit_inputs import loaded_if_small
from neurox_lite.probing.linear import LinearProbe, require_fitted
from neurox_lite.progress import tqdm
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.sweep import WIDTH, label_counts
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class MinimalSet(SavedResult):
    """The smallest share of a ranking on which a retrained probe is as good as the full one.

    Accuracies are of the words that the share is chosen on (dev), the first to come within
    ``delta``: of other words the set may do a little worse. ``columns`` is None when no share tried
    did; ``accuracies`` has one entry per share tried; ``converged`` is False when one of the probes
    behind them did not converge. Shares are of ``units``: neurons, or groups of them such as heads.
    """

    method: str
    delta: float
    full_accuracy: float
    shares: tuple[float, ...]
    accuracies: tuple[float, ...]
    columns: tuple[int, ...] | None
    converged: bool
    units: str = "neurons"

    KIND = "minimal set"
    DERIVED = ("share",)
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        found = "no share is enough"
        if self.columns is not None and self.accuracies:
            of_groups = "" if self.units == "neurons" else f" ({self.share:.3g} of {self.units})"
            found = f"{len(self.columns)} neurons{of_groups} reach {self.accuracies[-1]:.4g}"
        facts = {
            "all neurons": self.full_accuracy,
            "delta": self.delta,
            "converged": self.converged,
        }
        return summary(f"MinimalSet of {self.method}: {found}", facts)

    def table(self) -> Table:
        """A header, and a row per share tried."""
        rows = zip(self.shares, self.accuracies, strict=False)
        header = ["method", "share", "accuracy", "full_accuracy", "delta"]
        return [header, *([self.method, *row, self.full_accuracy, self.delta] for row in rows)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Accuracy at every share tried, beside all neurons and what was to be reached."""
        axes = panels(ax, size=(WIDTH, 3.8))
        axis = axes[0]
        percent = [100 * share for share in self.shares]
        wanted = self.full_accuracy - self.delta
        axis.plot(percent, self.accuracies, "o-", color="#0072b2", label="retrained on the top")
        axis.axhline(self.full_accuracy, color="0.4", linewidth=0.8, label="all neurons")
        axis.axhline(wanted, color="#d55e00", linestyle="--", label=f"{self.delta:g} below")
        if percent:
            label_counts(axis, percent, [f"{value:g}" for value in percent])
        else:
            axis.set_xticks([])
        axis.set_xlabel(f"{self.units} (%)")
        axis.set_ylabel("dev accuracy")
        n_found = None if self.columns is None else len(self.columns)
        found = "no share is enough" if n_found is None else f"{n_found:,} neurons are enough"
        name = wrapped(self.method, WIDTH - 1.2, 10, most=2 * MOST)
        axis.set_title(f"{name}\n{found}", fontsize=10)
        axis.grid(alpha=0.3)
        return finish(axes, ax, title, legend=3)

    @property
    def share(self) -> float | None:
        """The share found; None when there is none."""
        return self.shares[-1] if self.columns is not None else None


GROWING_SHARES = (0.01, 0.02, 0.03, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.75)


def minimal_set(
    ranking: NeuronRanking,
    probe: LinearProbe,
    X: Any,
    y: Any = None,
    X_dev: Any = None,
    y_dev: Any = None,
    *,
    delta: float = 0.01,
    shares: Sequence[float] = GROWING_SHARES,
) -> MinimalSet:
    """Grow the kept share of a ranking, retrain, stop within ``delta`` of the full probe.

    Durrani et al. 2020, section 3: the minimal neuron set. Memory: training data up to 1.2 GB; more
    stay on the disk.

    Parameters
    ----------
    ranking : NeuronRanking
        Of groups of neurons, such as heads, shares are of these, and ``columns`` of their neurons.
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted on ``X`` and ``y``.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Training data.
    X_dev, y_dev : array-likes, or LabelledActivations
        What accuracy is measured on.
    delta : float
        Accepted loss of accuracy, 0.01 is one point.
    shares : sequence of float
        Shares to try, ascending.

    Raises
    ------
    InputError
        When the ranking is over other neurons, shares do not ascend between 0 and 1, or ``delta``
        is not between 0 and 1.
    """
    expect(ranking, NeuronRanking, "ranking", "a NeuronRanking")
    require_fitted(probe)
    train = loaded_if_small(validate_inputs(X, y))
    dev = validate_inputs(X_dev, y_dev, "dev", like=train)
    require_columns(ranking, validate_activations(X))
    full = probe.score(dev)
    return _grow(ranking, ranking.order, full, probe, train, dev, delta, shares)


def disjoint_minimal_sets(
    probe: LinearProbe,
    rank: Callable[[LinearProbe], NeuronRanking],
    X: Any,
    y: Any = None,
    X_dev: Any = None,
    y_dev: Any = None,
    *,
    n_sets: int = 3,
    delta: float = 0.01,
    shares: Sequence[float] = GROWING_SHARES,
) -> tuple[MinimalSet, ...]:
    """A minimal set, the next one without its neurons, and so on: how redundant is the property?

    After each set a probe is fitted on the neurons that are left, and ranked. Every set has to be
    within ``delta`` of the probe of *all* neurons. The last of fewer than ``n_sets`` has no
    columns: what was left is not enough.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted on ``X`` and ``y``.
    rank : function of a fitted probe
        Such as :func:`neurox_lite.linguistic_correlation`.
    X, y, X_dev, y_dev, delta, shares
        As for :func:`minimal_set`; shares are of all neurons.
    n_sets : int

    Returns
    -------
    tuple of MinimalSet
        Disjoint, with columns of ``X``.

    Raises
    ------
    InputError
        When an option is out of range.
    """
    require_fitted(probe)
    expect_function(rank, "rank", "a function of a fitted probe, as linguistic_correlation")
    n_sets = whole_number(n_sets, "n_sets", least=1)
    train = loaded_if_small(validate_inputs(X, y))
    dev = validate_inputs(X_dev, y_dev, "dev", like=train)
    full = probe.score(dev)
    left = np.arange(train.X.shape[1])
    of_left = probe
    sets: list[MinimalSet] = []
    for _ in range(n_sets):
        ranking = rank(of_left)
        if ranking.space.groups is not None:
            raise InputError(
                f"rank gives a ranking of {ranking.space.unit_name}, which are not divided; give a "
                "function that ranks neurons"
            )
        order = left[ranking.order]
        found = _grow(ranking, order, full, probe, train, dev, delta, shares)
        sets.append(found)
        left = np.setdiff1d(left, found.columns or left)
        if not len(left) or len(sets) == n_sets:
            break
        of_left = refit(probe, train, left)
    return tuple(sets)


def read_minimal_sets(path: str | Path) -> list[MinimalSet]:
    """The sets of ``redundancy.json``, which a study writes.

    Raises
    ------
    InputError
        When the file is missing, damaged or holds something else.
    """
    try:
        return [_of_fields(**one) for one in read_json(path)]
    except (AttributeError, TypeError) as error:
        message = f"{path}: the minimal sets cannot be read ({error}); make it again"
        raise InputError(message) from None


def _of_fields(**fields: Any) -> MinimalSet:
    own: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return MinimalSet(**own)


def _grow(
    ranking: NeuronRanking,
    order: np.ndarray,
    full: float,
    probe: LinearProbe,
    train: LabelledActivations,
    dev: LabelledActivations,
    delta: float,
    shares: Sequence[float],
) -> MinimalSet:
    """Retrain on growing shares of all units, the first of ``order``, as long as it has them."""
    shares, delta = checked_shares(shares, ascending=True), real_number(delta, "delta")
    if not 0 <= delta <= 1:
        raise InputError(f"delta is {delta}; give a number from 0 to 1")
    space = ranking.space
    n_units = train.X.shape[1] if space.groups is None else space.n_neurons
    counts = [max(1, round(share * n_units)) for share in shares]
    counts = [count for count in counts if count <= len(order)]
    scores: list[float] = []
    converged = probe.certificate_.converged
    columns = None
    for count in tqdm(counts, desc="minimal set", unit="probe", disable=None, delay=2):
        kept = order[:count] if space.groups is None else space.members(order[:count])
        [score], is_converged = refit_scores(probe, train, [kept], dev)
        scores.append(score)
        converged = converged and is_converged
        if full - score <= delta + 1e-9:  # 0.93 - 0.92 is a little above 0.01
            columns = tuple(kept.tolist())
            break
    return MinimalSet(
        method=ranking.method,
        delta=delta,
        full_accuracy=full,
        shares=shares[: len(scores)],
        accuracies=tuple(scores),
        columns=columns,
        converged=converged,
        units=space.unit_name,
    )
