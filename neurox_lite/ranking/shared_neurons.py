"""Which neurons do several properties share, which are specific to one, and is that chance?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.arguments import whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, known_title, panels
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.ranking.property_tops import Counts, named_rankings, tops
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking, require_space
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.results.top_overlap import compare_sets
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_DRAWS = 10_000
"""Of random sets, where more than two are compared."""

LEVEL = 0.95


@dataclass(frozen=True)
class SharedCount:
    """How many neurons some of the properties share, or only one has, beside chance.

    Attributes
    ----------
    of : str
        As "upos and Number", "at least 2 of 3" or "only upos".
    neurons : int
    expected : float
        On average, if each property had as many neurons drawn at random from all.
    low, high : int
        Between which that chance falls in 95 of 100 cases.
    expected_in_layers : float
        On average, if each had as many of each layer, drawn at random from the layer: more than
        this is not explained by the properties being in the same layers.
    p_at_least, p_at_most : float
        Probability that chance, from all neurons, gives so many, or so few.
    """

    of: str
    neurons: int
    expected: float
    low: int
    high: int
    expected_in_layers: float
    p_at_least: float
    p_at_most: float


@dataclass(frozen=True)
class SharedNeurons(SavedResult):
    """The chosen neurons of several properties, see :func:`neurox_lite.ranking.shared_neurons`.

    Attributes
    ----------
    properties : (n_properties,) tuple of str
    space : NeuronSpace
    neurons : (n_properties,) tuple of tuples of Neuron
        The chosen neurons of each, best first.
    counts : tuple of SharedCount
        Of every two properties; of three or more, in at least 2, 3, ... of them; only in one.
    """

    properties: tuple[str, ...]
    space: NeuronSpace
    neurons: tuple[tuple[Neuron, ...], ...]
    counts: tuple[SharedCount, ...]

    KIND = "shared neurons"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        sizes = zip(self.properties, map(len, self.neurons), strict=True)
        facts = {self.space.unit_name: self.space.n_neurons, **dict(sizes)}
        lines = (
            f"{c.of}: {c.neurons}, by chance {c.expected:.3g} ({c.low} to {c.high})"
            for c in self.counts
        )
        return summary(f"SharedNeurons of {len(self.properties)} properties", facts, lines)

    def table(self) -> Table:
        """A header, and a row per count."""
        header = [self.space.unit_name, "count", *list(SharedCount.__annotations__)[2:]]
        return [header, *(list(vars(count).values()) for count in self.counts)]

    def shared(self, at_least: int | None = None) -> list[Neuron]:
        """Neurons of at least so many properties, of all by default; in the order of the first."""
        needed = len(self.properties) if at_least is None else whole_number(at_least, "at_least")
        every = dict.fromkeys(neuron for own in self.neurons for neuron in own)
        sets = [set(own) for own in self.neurons]
        return [neuron for neuron in every if sum(neuron in own for own in sets) >= needed]

    def only(self, name: str) -> list[Neuron]:
        """Neurons of one property and no other, best first.

        Raises
        ------
        InputError
            When there is no such property.
        """
        if name not in self.properties:
            raise unknown_choice("property", name, self.properties)
        place = self.properties.index(name)
        others = {
            neuron for number, own in enumerate(self.neurons) if number != place for neuron in own
        }
        return [neuron for neuron in self.neurons[place] if neuron not in others]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A dot per count, and a bar where chance falls in 95 of 100 cases."""
        longest = max(min(len(c.of), 2 * MOST) for c in self.counts)
        axes = panels(ax, size=(3.6 + 0.065 * longest, 1.6 + 0.3 * len(self.counts)))
        axis = axes[0]
        places = np.arange(len(self.counts))
        low, high = (np.array([getattr(c, end) for c in self.counts]) for end in ("low", "high"))
        axis.barh(
            places, high - low, left=low, height=0.55, color="0.8", edgecolor="0.6",
            label="by chance (95 %)",
        )  # fmt: skip
        in_layers = [c.expected_in_layers for c in self.counts]
        axis.plot(
            in_layers, places, "|", color="#d55e00", markersize=11, markeredgewidth=2,
            label="by chance within layers",
        )  # fmt: skip
        found = [c.neurons for c in self.counts]
        axis.plot(found, places, "o", color="#0072b2", label="found")
        axis.set_yticks(places, [figure_text(c.of, 2 * MOST) for c in self.counts], fontsize=8)
        axis.invert_yaxis()
        axis.set_xlim(left=min(0, axis.get_xlim()[0]))
        axis.set_xlabel(self.space.unit_name)
        axis.grid(alpha=0.3, axis="x")
        return finish(axes, ax, known_title(ax, title, self.space.model), legend=3)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {
            "space": NeuronSpace.from_dict(fields["space"]),
            "neurons": tuple(tuple(Neuron(*one) for one in own) for own in fields["neurons"]),
            "counts": tuple(SharedCount(**one) for one in fields["counts"]),
        }


def shared_neurons(
    rankings: Mapping[str, NeuronRanking], k: Counts = None, *, seed: int = 0
) -> SharedNeurons:
    """Which of the top neurons of several properties are shared, and which only one has.

    Chance is that each property has as many neurons as it has, drawn at random from all,
    independently of the others. Of two properties the numbers shared by chance are hypergeometric;
    of more, means are exact (a neuron is in a Poisson-binomial number of the sets), and intervals
    and probabilities are of 10,000 random draws. Properties of the same words are not independent
    (a word with a tense is a verb), and neurons with much variance serve every probe: more
    than chance says that the properties share neurons, not that the model relates them.

    Parameters
    ----------
    rankings : dict from name to NeuronRanking
        Of two properties or more, over the same neurons.
    k : int or dict from name to int, optional
        How many neurons each property has, such as the size of its minimal set; a tenth of all by
        default. Neurons that a ranking does not tell apart at its end are in no top.
    seed : int
        Of the draws.

    Raises
    ------
    InputError
        When there are fewer than two, of other neurons, or a number is out of range.
    """
    rankings, seed = named_rankings(rankings), validate_seed(seed)
    if len(rankings) < 2:
        raise InputError(f"only '{next(iter(rankings))}'; give two properties or more to compare")
    require_space(list(rankings.values()))
    space = next(iter(rankings.values())).space
    chosen = tops(rankings, k)
    names = list(rankings)
    member = np.zeros((len(names), space.n_neurons), dtype=int)
    for row, columns in zip(member, chosen.values(), strict=True):
        row[columns] = 1
    by_layer = np.add.reduceat(member, space.layer_offsets[:-1], axis=1)
    every = _Chance(member.sum(1, keepdims=True), np.array([space.n_neurons]))
    in_layers = _Chance(by_layer, np.array(space.widths))
    rng = np.random.default_rng(seed)
    in_how_many, counts = member.sum(0), []
    for i, j in combinations(range(len(names)), 2):
        overlap = compare_sets(space, chosen[names[i]], chosen[names[j]], (names[i], names[j]))
        counts.append(
            SharedCount(
                f"{names[i]} and {names[j]}",
                len(overlap.both),
                overlap.expected,
                *overlap.expected_interval(LEVEL),
                in_layers.mean_at_least([i, j], 2),
                overlap.p_at_least,
                overlap.p_at_most,
            )
        )
    every_set = list(range(len(names)))
    if len(names) > 2:
        drawn = every.draw_memberships(rng)
        for least in range(2, len(names) + 1):
            of = f"at least {least} of {len(names)}" if least < len(names) else f"all {least}"
            counts.append(
                _count(
                    of,
                    int((in_how_many >= least).sum()),
                    drawn[:, least:].sum(1),
                    every.mean_at_least(every_set, least),
                    in_layers.mean_at_least(every_set, least),
                )
            )
    for i, name in enumerate(names):
        found = int(((in_how_many == 1) & (member[i] == 1)).sum())
        means = (every.mean_only(i), in_layers.mean_only(i))
        counts.append(_count(f"only {name}", found, every.draw_only(i, rng), *means))
    return SharedNeurons(
        properties=tuple(names),
        space=space,
        neurons=tuple(tuple(space.neurons(columns)) for columns in chosen.values()),
        counts=tuple(counts),
    )


def _count(
    of: str, found: int, drawn: np.ndarray, expected: float, expected_in_layers: float
) -> SharedCount:
    low = np.quantile(drawn, (1 - LEVEL) / 2, method="lower")
    high = np.quantile(drawn, (1 + LEVEL) / 2, method="higher")
    p_at_least = (1 + (drawn >= found).sum()) / (1 + len(drawn))
    p_at_most = (1 + (drawn <= found).sum()) / (1 + len(drawn))
    return SharedCount(
        of, found, expected, int(low), int(high), expected_in_layers, float(p_at_least),
        float(p_at_most),
    )  # fmt: skip


@dataclass(frozen=True)
class _Chance:
    """Sets drawn at random: so many neurons of each of some groups, such as layers.

    Attributes
    ----------
    sizes : (n_sets, n_groups) int array
    widths : (n_groups,) int array
        Neurons there are.
    """

    sizes: np.ndarray
    widths: np.ndarray

    __repr__ = short_repr

    def mean_at_least(self, sets: list[int], least: int) -> float:
        """Mean number of neurons in at least so many of some sets: Poisson-binomial."""
        probability = np.zeros((len(sets) + 1, len(self.widths)))
        probability[0] = 1
        for share in self.sizes[sets] / self.widths:
            probability[1:] = probability[1:] * (1 - share) + probability[:-1] * share
            probability[0] *= 1 - share
        return float((self.widths * probability[least:].sum(0)).sum())

    def mean_only(self, place: int) -> float:
        """Mean number of neurons in one set and no other."""
        others = np.delete(self.sizes, place, axis=0) / self.widths
        return float((self.sizes[place] * (1 - others).prod(0)).sum())

    def draw_memberships(self, rng: np.random.Generator) -> np.ndarray:
        """How many neurons are in exactly 0, 1, ... of the sets; (n_draws, n_sets + 1) ints.

        Set after set: of its neurons, as many as chance says are in those that are in 0, 1, ... of
        the sets before it. Of one group.
        """
        total, n_sets = int(self.widths[0]), len(self.sizes)
        members = np.zeros((N_DRAWS, n_sets + 1), dtype=np.int64)
        members[:, 0] = total
        for size in self.sizes[:, 0]:
            left, rest = np.full(N_DRAWS, size), np.full(N_DRAWS, total)
            taken = np.zeros_like(members)
            for number in range(n_sets + 1):
                rest -= members[:, number]
                taken[:, number] = rng.hypergeometric(members[:, number], rest, left)
                left -= taken[:, number]
            members -= taken
            members[:, 1:] += taken[:, :-1]
        return members

    def draw_only(self, place: int, rng: np.random.Generator) -> np.ndarray:
        """How many neurons of one set are in no other, (n_draws,) ints; of one group."""
        total = int(self.widths[0])
        left = np.full(N_DRAWS, self.sizes[place, 0])
        for size in np.delete(self.sizes[:, 0], place):
            left = left - rng.hypergeometric(left, total - left, size)
        return left
