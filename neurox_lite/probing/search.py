"""The regularisation search of Durrani et al. 2020."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.activations.access import blocks
from neurox_lite.activations.inputs import LabelledActivations, validate_inputs
from neurox_lite.arguments import numbers, real_number, whole_number
from neurox_lite.errors import InputError
from neurox_lite.figures import Given, finish, panels, wrapped
from neurox_lite.probing.batched import fit_grid
from neurox_lite.probing.frozen_scores import frozen_scores
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, some, summary
from neurox_lite.tasks import task_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure


PER_PAIR = (
    "scores",
    "accuracies",
    "top_accuracies",
    "bottom_accuracies",
    "nonzero_weights",
    "converged",
)

Grid = tuple[tuple[float, ...], ...]
"""One row per l1, one column per l2."""


@dataclass(frozen=True)
class RegularisationSearch(SavedResult):
    """Scores and dev accuracies over a grid of penalties (Durrani et al. 2020).

    All figures are of the dev words that the best pair is chosen on, and flatter it; its accuracy
    on test is of words that chose nothing. ``l1s`` and ``l2s`` ascend; tables have one row per l1.
    ``share`` is what is kept for the accuracies of the top and of the bottom. Of a search for a
    ranking, ``scores`` are accuracies of probes of the first ``n_neurons`` alone.
    """

    l1s: tuple[float, ...]
    l2s: tuple[float, ...]
    scores: Grid
    accuracies: Grid
    top_accuracies: Grid
    bottom_accuracies: Grid
    nonzero_weights: Grid
    converged: tuple[tuple[bool, ...], ...]
    unregularised_accuracy: float
    unregularised_converged: bool
    share: float
    alpha: float
    beta: float
    n_neurons: int | None = None

    KIND = "regularisation search"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        l1, l2 = self.best
        facts = {
            "best": f"l1={l1:g} l2={l2:g}",
            "score": self.best_score,
            "at edge": some(self.at_edge) if self.at_edge else None,
            "converged": self.all_converged,
        }
        grid = f"{len(self.l1s)} x {len(self.l2s)}"
        return summary(f"RegularisationSearch of {grid} penalties", facts)

    def table(self) -> Table:
        """A header, and a row per pair of penalties."""
        rows: Table = [["l1", "l2", *PER_PAIR]]
        for i, l1 in enumerate(self.l1s):
            for j, l2 in enumerate(self.l2s):
                rows.append([l1, l2, *(getattr(self, name)[i][j] for name in PER_PAIR)])
        return rows

    @property
    def all_converged(self) -> bool:
        """Whether all probes did, that without penalties included."""
        return self.unregularised_converged and all(map(all, self.converged))

    @property
    def best(self) -> tuple[float, float]:
        """The l1 and l2 with the largest score; of equals the largest penalties."""
        pairs = [
            (round(score, 9), l1, l2)
            for l1, row in zip(self.l1s, self.scores, strict=True)
            for l2, score in zip(self.l2s, row, strict=True)
        ]
        return max(pairs)[1:]

    @property
    def best_score(self) -> float:
        """The score of the best pair."""
        return max(max(row) for row in self.scores)

    @property
    def at_edge(self) -> tuple[str, ...]:
        """Where the best pair is at the edge of the grid, as ``"smallest l1"``.

        A larger grid may hold a better pair.
        """
        edges = []
        for name, value, values in zip(("l1", "l2"), self.best, (self.l1s, self.l2s), strict=True):
            if len(values) > 1 and value == values[0]:
                edges.append(f"smallest {name}")
            if len(values) > 1 and value == values[-1]:
                edges.append(f"largest {name}")
        return tuple(edges)

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Heat map of the scores by l1 and l2, each cell with its dev accuracy.

        The best pair is framed, in red at the edge of the grid; a star marks what did not converge.
        """
        from matplotlib.patches import Rectangle

        n_l1, n_l2 = len(self.l1s), len(self.l2s)
        width = 2.6 + 1.0 * n_l2
        axes = panels(ax, size=(width, 2.2 + 0.6 * n_l1))
        axis = axes[0]
        image = axis.imshow(self.scores, cmap="viridis", aspect="auto", origin="lower")
        measure = "score S" if self.n_neurons is None else f"accuracy of {self.n_neurons} neurons"
        axis.figure.colorbar(image, ax=axis, label=measure)
        axis.set_xticks(range(n_l2), [f"{value:g}" for value in self.l2s])
        axis.set_yticks(range(n_l1), [f"{value:g}" for value in self.l1s])
        axis.set_xlabel("l2")
        axis.set_ylabel("l1")
        middle = (np.min(self.scores) + np.max(self.scores)) / 2
        for (i, j), score in np.ndenumerate(np.array(self.scores)):
            mark = "" if self.converged[i][j] else "*"
            text = f"{score:.3f}\n{100 * self.accuracies[i][j]:.1f} %{mark}"
            color = "white" if score < middle else "black"
            axis.text(j, i, text, ha="center", va="center", fontsize=7, color=color)
        l1, l2 = self.best
        at = self.l2s.index(l2) - 0.5, self.l1s.index(l1) - 0.5
        edge = "red" if self.at_edge else "black"
        axis.add_patch(
            Rectangle(at, 1, 1, fill=False, edgecolor=edge, linewidth=2.5, clip_on=False)
        )
        where = f", at the edge: {', '.join(self.at_edge)}" if self.at_edge else ""
        best = wrapped(f"best l1 = {l1:g}, l2 = {l2:g}{where}", width - 1.8, 10)
        axis.set_title(best, fontsize=10)
        return finish(axes, ax, title)


PENALTIES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)

SEARCH_TOL = 1e-3
"""Certificate asked of the probes of the grid, which are compared by accuracy."""

UNREGULARISED_TOL = 1e-2
"""Certificate asked of the probe without penalties, of which only the accuracy is used."""


def regularisation_search(
    probe: ElasticNetProbe,
    X: Any,
    y: Any = None,
    X_dev: Any = None,
    y_dev: Any = None,
    *,
    l1s: Sequence[float] = PENALTIES,
    l2s: Sequence[float] = PENALTIES,
    share: float = 0.2,
    alpha: float = 0.5,
    beta: float = 0.5,
    n_neurons: int | None = None,
    engine: str = "local",
) -> tuple[RegularisationSearch, ElasticNetProbe]:
    """The penalties with the largest score S on dev, and their probe (Durrani et al. 2020).

        S = alpha (A_top - A_bottom) - beta (A_none - A)

    A is the accuracy of the probe, A_none that of a probe without penalties, A_top and A_bottom
    that of the probe where only the top or bottom ``share`` of its neurons by
    :func:`~neurox_lite.ranking.linguistic_correlation` is kept and the others
    are zero. The first term asks that the ranking separates neurons, the second that this costs no
    accuracy.

    With ``n_neurons`` the penalties are chosen for a ranking instead: the score is the accuracy on
    dev of a probe retrained on the first ``n_neurons`` alone, with the penalties of ``probe``. A
    probe for ranking is not the most accurate one: a larger l1 leaves fewer neurons to share what
    they say, and the first hold more of it.

    Parameters
    ----------
    probe : ElasticNetProbe
        Its other parameters are used; it is not changed.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Training data.
    X_dev, y_dev : array-likes, or LabelledActivations
        What accuracies are measured on.
    l1s, l2s : sequences of float
        The grid.
    share : float
        Of all neurons.
    alpha, beta : float
        Weights of the two terms.
    n_neurons : int, optional
        How many neurons the ranking is for.
    engine : {"local", "ray"}
        ``ray`` fits every l2, and every retrained probe, in a task of a Ray cluster, on one core.

    Returns
    -------
    result : RegularisationSearch
    best : ElasticNetProbe
        Fitted.

    Raises
    ------
    InputError
        As :func:`fit_grid`, when the share is not between 0 and 1, or ``n_neurons`` not between 1
        and the number of neurons.
    """
    expect_probe(probe)
    share, alpha = real_number(share, "share"), real_number(alpha, "alpha")
    beta = real_number(beta, "beta")
    if not 0 < share < 1:
        raise InputError(f"share is {share}; give a number between 0 and 1")
    l1s, l2s = sorted(set(numbers(l1s, "l1s"))), sorted(set(numbers(l2s, "l2s")))
    train = validate_inputs(X, y)
    dev = validate_inputs(X_dev, y_dev, "dev", like=train)
    if n_neurons is not None:
        n_neurons = whole_number(n_neurons, "n_neurons", least=1)
        if n_neurons > train.X.shape[1]:
            raise InputError(
                f"n_neurons is {n_neurons}; give 1 to {train.X.shape[1]}, which is all neurons"
            )
    quick = clone(probe).set_params(tol=max(probe.tol, SEARCH_TOL))
    n_kept = max(1, round(share * train.X.shape[1]))
    every = np.arange(train.X.shape[1])
    measured, of_top = {}, {}
    with task_map(engine) as run:
        grid = fit_grid(quick, train, l1s=l1s, l2s=l2s, engine=engine)
        orders = [np.argsort(-one.weight_scores(), kind="stable") for one in grid.values()]
        for (pair, fitted), order in zip(grid.items(), orders, strict=True):
            kept = [every, order[:n_kept], order[-n_kept:]]
            measured[pair] = frozen_scores(kept, fitted, dev, "zero")
        if n_neurons is not None:
            accuracy_of = partial(_accuracy_of, probe=quick, train=train, dev=dev)
            tops = [order[:n_neurons] for order in orders]
            of_top = dict(zip(grid, run(accuracy_of, tops), strict=True))
    none = clone(probe).set_params(l1=0.0, l2=0.0, tol=max(probe.tol, UNREGULARISED_TOL))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="without a penalty", category=ConvergenceWarning)
        none.fit(train, start=grid[l1s[0], l2s[0]])
    without = none.score(dev)

    def table(values: Any) -> tuple[tuple[Any, ...], ...]:
        return tuple(tuple(values(l1, l2) for l2 in l2s) for l1 in l1s)

    def score(l1: float, l2: float) -> float:
        if of_top:
            return of_top[l1, l2]
        accuracy, top, bottom = measured[l1, l2]
        return alpha * (top - bottom) - beta * (without - accuracy)

    result = RegularisationSearch(
        l1s=tuple(l1s),
        l2s=tuple(l2s),
        scores=table(score),
        accuracies=table(lambda *pair: measured[pair][0]),
        top_accuracies=table(lambda *pair: measured[pair][1]),
        bottom_accuracies=table(lambda *pair: measured[pair][2]),
        nonzero_weights=table(lambda *pair: float(np.mean(grid[pair].coef_ != 0))),
        converged=table(lambda *pair: grid[pair].certificate_.converged),
        unregularised_accuracy=without,
        # Separable classes have no optimum, but an accuracy.
        unregularised_converged=none.certificate_.value <= none.tol,
        share=share,
        alpha=alpha,
        beta=beta,
        n_neurons=n_neurons,
    )
    l1, l2 = result.best
    best = clone(probe).set_params(l1=l1, l2=l2).fit(train, start=grid[l1, l2])
    return result, best


def _accuracy_of(
    columns: np.ndarray,
    probe: ElasticNetProbe,
    train: LabelledActivations,
    dev: LabelledActivations,
) -> float:
    """On dev, of a probe of some neurons alone, whose activations are held in memory."""
    X, X_dev = (
        np.concatenate([block[:, columns] for _, block in blocks(part.X)]) for part in (train, dev)
    )
    return clone(probe).fit(X, train.y).score(X_dev, dev.y)
