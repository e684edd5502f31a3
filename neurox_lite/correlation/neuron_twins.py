"""The neurons that correlate most with each of some neurons: the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, some, summary


@dataclass(frozen=True)
class NeuronTwins(SavedResult):
    """Of each of some neurons those that correlate most with it.

    Attributes
    ----------
    space : NeuronSpace
    other_space : NeuronSpace or None
        That twins are of, if it is another model's.
    neurons : tuple of Neuron
        Whose twins these are, each once.
    columns : tuple of tuples of int
        Of the twins of each neuron, the strongest first; none of a constant neuron.
    correlations : tuple of tuples of float
        Pearson's, of each of them.
    n_words : int
        Over which neurons correlate.
    provenance : dict
        ``n_twins`` that were asked for, and ``seed`` of the words.
    """

    space: NeuronSpace
    other_space: NeuronSpace | None
    neurons: tuple[Neuron, ...]
    columns: tuple[tuple[int, ...], ...]
    correlations: tuple[tuple[float, ...], ...]
    n_words: int
    provenance: Mapping[str, Any] = field(default_factory=dict)

    KIND = "neuron twins"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", tuple(Neuron(*each) for each in self.neurons))
        if not len(self.neurons) == len(self.columns) == len(self.correlations):
            raise InputError(f"twins of {len(self.columns)} neurons for {len(self.neurons)}")

    def __len__(self) -> int:
        return len(self.neurons)

    def __str__(self) -> str:
        where = f" in {self.other_space.model}" if self.other_space else ""
        firsts = sorted((abs(each[0]) for each in self.correlations if each), reverse=True)
        facts = {"neurons": len(self), "words": self.n_words}
        lines = [f"strongest {some((f'{r:.2f}' for r in firsts), 5)}"] if firsts else []
        if firsts:
            lines.append(f"median of the first {firsts[len(firsts) // 2]:.2f}")
        return summary(f"NeuronTwins of {self.space.model}{where}", facts, lines)

    @cached_property
    def _places(self) -> dict[Neuron, int]:
        return {neuron: place for place, neuron in enumerate(self.neurons)}

    def of(self, neuron: Any) -> tuple[tuple[Neuron, float], ...]:
        """The twins of one neuron, given as ``"3:17"``, Neuron or column, with correlations.

        Raises
        ------
        InputError
            When there is no such neuron, or its twins were not sought.
        """
        columns = self.space.columns_of(neuron)
        if len(columns) != 1:
            raise InputError(f"{len(columns)} neurons; give one, such as '3:17'")
        one = self.space.neuron(int(columns[0]))
        if one not in self._places:
            raise InputError(
                f"neuron {one} is none of the {len(self)} whose twins were sought; give it to twins"
            )
        place, space = self._places[one], self.other_space or self.space
        pairs = zip(self.columns[place], self.correlations[place], strict=True)
        return tuple((space.neuron(column), r) for column, r in pairs)

    def table(self) -> Table:
        """A header, and a row per neuron and twin."""
        rows: Table = [["neuron", "rank", "twin", "correlation"]]
        for neuron in self.neurons:
            for rank, (twin, r) in enumerate(self.of(neuron), start=1):
                rows.append([str(neuron), rank, str(twin), r])
        return rows

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        other = fields["other_space"]
        return fields | {
            "space": NeuronSpace.from_dict(fields["space"]),
            "other_space": None if other is None else NeuronSpace.from_dict(other),
        }
