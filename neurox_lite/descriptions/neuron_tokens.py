"""The tokens whose logits neurons raise and lower most, as a table, a figure and a file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, known_title, panels
from neurox_lite.json_files import write_json
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.showing import short_repr, some, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#d55e00", "#0072b2")
"""Of tokens raised and lowered."""


@dataclass(frozen=True, eq=False)
class TokensWritten(SavedResult):
    """The tokens whose logits neurons raise and lower most, by themselves.

    Attributes
    ----------
    space : NeuronSpace
    neurons : tuple of Neuron
    raised, lowered : tuple of tuples of str
        Of each neuron the k tokens with the largest and the smallest effect, the first the most so,
        as the tokenizer shows them.
    raised_by, lowered_by : (n_neurons, k) float arrays
        Their effects, see :func:`~neurox_lite.descriptions.tokens_written.tokens_written`.
    std : (n_neurons,) float array
        Standard deviation of a neuron's effects over the vocabulary. Of 50,000 normal numbers the
        largest is about 4 of them: effects of that size name no tokens in particular.
    divisor : float
        By which the final norm divides, in these effects; 1 where the model has none.

    Raises
    ------
    InputError
        When a neuron has not as many effects as tokens, or one is NaN or infinite.
    """

    space: NeuronSpace
    neurons: tuple[Neuron, ...]
    raised: tuple[tuple[str, ...], ...]
    raised_by: np.ndarray
    lowered: tuple[tuple[str, ...], ...]
    lowered_by: np.ndarray
    std: np.ndarray
    divisor: float

    KIND = "tokens written"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __post_init__(self) -> None:
        neurons = tuple(Neuron(*neuron) for neuron in self.neurons)
        object.__setattr__(self, "neurons", neurons)
        for name in ("raised_by", "lowered_by", "std"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        for tokens, effects in ((self.raised, self.raised_by), (self.lowered, self.lowered_by)):
            fits = effects.ndim == 2 and len(tokens) == len(effects) == len(neurons)
            if not fits or any(len(own) != effects.shape[1] for own in tokens):
                raise InputError(
                    f"tokens written by {len(neurons)} neurons: {len(tokens)} rows of tokens and "
                    f"effects of shape {effects.shape}; give an effect for each token"
                )
        if not all(np.isfinite(each).all() for each in (self.raised_by, self.lowered_by, self.std)):
            raise InputError("tokens written: an effect is NaN or infinite; give finite numbers")

    def __len__(self) -> int:
        return len(self.neurons)

    def __str__(self) -> str:
        facts = {"site": self.space.site, "tokens of each": self.raised_by.shape[1]}
        lines = (
            f"{neuron}: raises {some(raised, most=5)}; lowers {some(lowered, most=5)}"
            for neuron, raised, lowered in zip(self.neurons, self.raised, self.lowered, strict=True)
        )
        return summary(f"TokensWritten by {len(self)} neurons", facts, lines)

    def of(self, neurons: Any) -> TokensWritten:
        """Those of some of the neurons, in the order given.

        Raises
        ------
        InputError
            When one is not among them.
        """
        row_of = {neuron: row for row, neuron in enumerate(self.neurons)}
        rows = []
        for neuron in self.space.neurons(self.space.columns_of(neurons)):
            if neuron not in row_of:
                raise InputError(f"{neuron} is not among the neurons; they are {some(row_of)}")
            rows.append(row_of[neuron])
        return TokensWritten(
            self.space,
            tuple(self.neurons[row] for row in rows),
            tuple(self.raised[row] for row in rows),
            self.raised_by[rows],
            tuple(self.lowered[row] for row in rows),
            self.lowered_by[rows],
            self.std[rows],
            self.divisor,
        )

    def require_space(self, space: NeuronSpace) -> None:
        """Raise InputError unless these are neurons of another result's space."""
        if self.space != space:
            raise InputError(
                f"the tokens are written by neurons of {self.space.model} ({self.space.site}), "
                f"and these neurons are of {space.model} ({space.site}); give the same model"
            )

    def table(self) -> Table:
        """A header, and a row per neuron and token: those raised, then those lowered."""
        rows: list[list[Any]] = []
        for row, neuron in enumerate(self.neurons):
            std = float(self.std[row])
            for direction in ("raised", "lowered"):
                tokens = getattr(self, direction)[row]
                effects = getattr(self, f"{direction}_by")[row].tolist()
                rows += [
                    [*neuron, direction, rank, token, effect, std]
                    for rank, (token, effect) in enumerate(zip(tokens, effects, strict=True), 1)
                ]
        return [["layer", "unit", "direction", "rank", "token", "effect", "std"], *rows]

    def plot(self, ax: Given = None, *, neuron: Any = None, title: str | None = None) -> Figure:
        """Bars of one neuron, by default the first: tokens raised above, lowered below.

        Raises
        ------
        InputError
            When the neuron is not among them, or is more than one.
        """
        own = self.of([self.neurons[0]] if neuron is None else neuron)
        if len(own) != 1:
            raise InputError(f"a plot shows one neuron, not {len(own)}; give one")
        tokens = [*own.raised[0], *reversed(own.lowered[0])]
        effects = [*own.raised_by[0], *reversed(own.lowered_by[0])]
        names = [figure_text(token, MOST) for token in tokens]
        width = 3.4 + 0.08 * max(map(len, names))
        axes = panels(ax, size=(width, 1.4 + 0.2 * len(names)))
        axis = axes[0]
        colours = [COLOURS[0]] * len(own.raised[0]) + [COLOURS[1]] * len(own.lowered[0])
        axis.barh(range(len(names)), effects, color=colours)
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.invert_yaxis()
        axis.axvline(0, color="0.5", linewidth=0.8)
        axis.set_xlabel("logits per unit of activation", fontsize=8)
        axis.tick_params(axis="x", labelsize=8)
        axis.set_title(f"tokens that {own.neurons[0]} writes", fontsize=10)
        return finish(axes, ax, known_title(ax, title, self.space.model))

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        data = {each.name: getattr(self, each.name) for each in fields(self)}
        write_json(path, {"kind": self.KIND, **data, "space": self.space.to_dict()})

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"space": NeuronSpace.from_dict(fields["space"])}
