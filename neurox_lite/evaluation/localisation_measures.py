"""How localised a property is in one sample of words, by probes of all and of the first neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.evaluation.refitting import refit
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.ranking.layer_entropy import layer_entropy
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr

GROWTH = 1.5
"""Of the number of neurons, from one probe to the next."""

CLASS_SHARE = 0.01
"""Of all neurons, the top of a class that is compared with those of other classes."""

ENTROPY, OVERLAP = "entropy over layers", "overlap of classes"


@dataclass
class FittedTop:
    """A probe of all neurons, and probes of the first of its ranking, on weighted rows."""

    probe: ElasticNetProbe
    space: NeuronSpace
    train: LabelledActivations
    test: LabelledActivations
    weights: np.ndarray
    test_weights: np.ndarray
    accuracies: dict[int, float] = field(default_factory=dict)
    converged: bool = True
    _ranking: NeuronRanking | None = None

    __repr__ = short_repr

    def ranking(self, rank: Callable[[LinearProbe], NeuronRanking]) -> NeuronRanking:
        if self._ranking is None:
            self._ranking = replace(rank(self.probe), space=self.space)
        return self._ranking

    @property
    def baseline(self) -> float:
        """Accuracy of the most frequent label of train."""
        labels, ids = np.unique(self.train.y, return_inverse=True)
        most = labels[np.bincount(ids, self.weights).argmax()]
        return float(np.average(self.test.y == most, weights=self.test_weights))

    def accuracy(self, count: int) -> float:
        """Of a probe of the first neurons of the ranking, fitted anew; of all, of the probe."""
        if count not in self.accuracies:
            fitted, X = self.probe, self.test.X
            if count < X.shape[1]:
                assert self._ranking is not None
                columns = np.sort(self._ranking.order[:count])
                fitted = refit(self.probe, self.train, columns, self.weights)
                X = X.take(columns, axis=1)
            self.converged = self.converged and fitted.certificate_.converged
            right = fitted.predict(X) == self.test.y
            self.accuracies[count] = float(np.average(right, weights=self.test_weights))
        return self.accuracies[count]


def of_share(share: float) -> str:
    """The name of a number of neurons."""
    return f"neurons for {100 * share:g} %"


def measures_of(
    fit: FittedTop,
    rank: Callable[[LinearProbe], NeuronRanking],
    shares: Sequence[float],
    starts: Sequence[int],
) -> tuple[dict[str, float | None], tuple[int, ...]]:
    """Every measure by its name; and where the search for each number of neurons ended."""
    ranking = fit.ranking(rank)
    n_neurons = ranking.space.n_neurons
    tried = _growing(n_neurons)
    gain = fit.accuracy(n_neurons) - fit.baseline
    found: dict[str, float | None] = {}
    ends = []
    for share, start in zip(shares, starts, strict=True):
        needed, end = _needed(fit, tried, fit.baseline + share * gain, start)
        found[of_share(share)] = needed if gain > 0 else None
        ends.append(end)
    k = found[of_share(shares[0])]
    counts = None if k is None else ranking.per_layer(int(np.ceil(k)))
    widths = ranking.space.widths
    found[ENTROPY] = None if counts is None else layer_entropy(list(counts.values()), widths)
    found[OVERLAP] = class_overlap(ranking)[0]
    return found, tuple(ends)


def _growing(n_neurons: int) -> list[int]:
    """1, 2, 3, 4, 6, 9, ... up to all."""
    counts = [1]
    while counts[-1] < n_neurons:
        counts.append(min(max(counts[-1] + 1, int(counts[-1] * GROWTH)), n_neurons))
    return counts


def _needed(fit: FittedTop, tried: Sequence[int], target: float, start: int) -> tuple[float, int]:
    """The number of neurons with which accuracy reaches the target, and its place in those tried.

    From ``start`` down as long as fewer are enough, or up until they are; all are.
    """
    place = start
    while place > 0 and fit.accuracy(tried[place - 1]) >= target:
        place -= 1
    while place < len(tried) - 1 and fit.accuracy(tried[place]) < target:
        place += 1
    if place == 0:
        return float(tried[0]), 0
    below, above = (fit.accuracy(tried[at]) for at in (place - 1, place))
    part = (target - below) / (above - below) if above > below else 1.0
    few, many = np.log(tried[place - 1]), np.log(tried[place])
    return float(np.exp(few + min(max(part, 0.0), 1.0) * (many - few))), place


def class_overlap(ranking: NeuronRanking) -> tuple[float | None, float | None]:
    """Mean share of the top 1 % of all neurons that two classes have in common, and by chance.

    Neurons without a score for a class are in no top of it. None without scores per class, and of
    two classes, whose weights are the same in a probe.
    """
    if ranking.class_scores is None or len(ranking.classes) < 3:
        return None, None
    n_neurons = ranking.space.n_neurons
    k = max(1, round(CLASS_SHARE * n_neurons))
    member = np.zeros((len(ranking.classes), n_neurons), dtype=int)
    for row, label in zip(member, ranking.classes, strict=True):
        row[ranking.for_class(label).top_columns(k)] = 1
    member = member[member.any(axis=1)]
    if len(member) < 2:
        return None, None
    sizes, pairs = member.sum(1), np.triu_indices(len(member), 1)
    # Of sets of K and n neurons K n / N are in both by chance, so of the larger min(K, n) / N.
    found = (member @ member.T) / np.maximum.outer(sizes, sizes)
    by_chance = np.minimum.outer(sizes, sizes) / n_neurons
    return float(found[pairs].mean()), float(by_chance[pairs].mean())
