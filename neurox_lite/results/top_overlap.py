"""Two sets of neurons: what they share, and whether chance would explain it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

INDEPENDENT = "independent sets"
SHUFFLED = "rankings of shuffled labels"


@dataclass(frozen=True)
class TopOverlap:
    """Neurons of both of two sets and of one only, beside what chance would give.

    Chance is by default that of sets drawn independently of each other. Two methods that saw the
    same data are not independent: they see the same accidents, and share more neurons than that
    even where the labels are noise and neither finds anything. A small probability then says that
    they agree, and not that what they agree on is there;
    :func:`neurox_lite.ranking.permuted_overlap` compares with shuffled labels instead.

    Attributes
    ----------
    first, second : str
        Names of the sets.
    n_neurons : int
        Neurons that could be in them.
    both, only_first, only_second : tuples of Neuron
        In the order of the first set; ``only_second`` in that of the second.
    expected : float
        Size of the overlap by chance, on average.
    p_at_least, p_at_most : float
        Probability that by chance an overlap is so large, or so small.
    chance : str
        What chance is: "independent sets", of which the second is drawn at random, or "rankings of
        shuffled labels".
    """

    first: str
    second: str
    n_neurons: int
    both: tuple[Neuron, ...]
    only_first: tuple[Neuron, ...]
    only_second: tuple[Neuron, ...]
    expected: float
    p_at_least: float
    p_at_most: float
    chance: str = INDEPENDENT

    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {
            "both": len(self.both),
            "by chance": self.expected,
            "only the first": len(self.only_first),
            "only the second": len(self.only_second),
        }
        return summary(f"TopOverlap of {self.first} and {self.second}", facts)

    def table(self) -> Table:
        """A header, and a row per neuron of either set."""
        rows: Table = [["layer", "unit", "in_first", "in_second"]]
        rows += [[*neuron, True, True] for neuron in self.both]
        rows += [[*neuron, True, False] for neuron in self.only_first]
        return rows + [[*neuron, False, True] for neuron in self.only_second]

    def expected_interval(self, level: float = 0.95) -> tuple[int, int]:
        """Between which sizes the overlap of independent sets falls with this probability."""
        from scipy.stats import hypergeom

        first, second = (len(self.both) + len(own) for own in (self.only_first, self.only_second))
        low, high = hypergeom(self.n_neurons, first, second).interval(level)
        return int(low), int(high)

    @property
    def either(self) -> tuple[Neuron, ...]:
        """The neurons of both sets together."""
        return self.both + self.only_first + self.only_second


def compare_sets(
    space: NeuronSpace,
    first: Any,
    second: Any,
    names: tuple[str, str] = ("first", "second"),
) -> TopOverlap:
    """Compare two sets of neurons, such as the salient neurons of two classes.

    Of N neurons, a set of K and one of n drawn at random share x neurons with the hypergeometric
    probability ``C(K, x) C(N - K, n - x) / C(N, n)``, and ``K n / N`` on average. Sets found in the
    same data, such as by two methods with the same labels, are not drawn independently, see
    :class:`TopOverlap`.

    Parameters
    ----------
    space : NeuronSpace
        All neurons that could have been chosen.
    first, second : neurons
        As for :meth:`NeuronSpace.columns_of`, each once.
    names : pair of str

    Raises
    ------
    InputError
        When a set names a neuron twice, or one that the space does not have.
    """
    from scipy.stats import hypergeom

    a, b = _checked(first, space, names[0]), _checked(second, space, names[1])
    in_both = np.isin(a, b)
    x = int(in_both.sum())
    chance = hypergeom(space.n_neurons, len(a), len(b))
    return TopOverlap(
        first=names[0],
        second=names[1],
        n_neurons=space.n_neurons,
        both=tuple(space.neurons(a[in_both])),
        only_first=tuple(space.neurons(a[~in_both])),
        only_second=tuple(space.neurons(b[~np.isin(b, a)])),
        expected=len(a) * len(b) / space.n_neurons,
        p_at_least=float(chance.sf(x - 1)),
        p_at_most=float(chance.cdf(x)),
    )


def _checked(neurons: Any, space: NeuronSpace, name: str) -> np.ndarray:
    try:
        columns = space.columns_of(neurons)
    except InputError as error:
        raise InputError(f"'{name}': {error}") from None
    if len(np.unique(columns)) < len(columns):
        raise InputError(f"'{name}' names a neuron twice; give a set")
    return columns
