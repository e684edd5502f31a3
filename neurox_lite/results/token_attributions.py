"""Attributions of texts: how much each token did for what the model said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurox_lite.arguments import as_python, whole_number
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, known_title, panels, put_ticks, wrapped
from neurox_lite.files import write_text
from neurox_lite.json_files import write_json
from neurox_lite.results.attribution_html import first_texts, page
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.showing import summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "white", "#d55e00")
"""Of figures: negative, zero, positive."""

MOST_INCHES = 100.0
"""Height of a figure; of more tokens the rows become narrower."""


HOLDS = "holds"


@dataclass(frozen=True, eq=False, repr=False)
class TokenAttributions(SavedResult):
    """One number per token, of every method the same; where the method has them, per state too.

    Attributes
    ----------
    method : str
    tokens : tuple of tuples of str
        Of each text, as the tokenizer shows them.
    values : tuple of float arrays
        Of each text, (n_tokens,), or (n_states, n_tokens) where there are states; larger is more.
    said : tuple of str
        What the model said of each text: what is explained.
    states : tuple of str
        What the rows of the values are, from the word embeddings to the last block; empty when the
        method knows none.
    is_special : tuple of tuples of bool
        Tokens that the tokenizer added.
    words : tuple of tuples of int
        The word that each token belongs to, -1 for none, numbered over all sentences of a corpus,
        all texts or all prefixes of pairs; empty where they are not known.
    parameters, provenance : dict
        JSON-ready.
    status : str
        ``holds``, or what does not, of a method that is trained.

    Raises
    ------
    InputError
        When a text has not one value per token, or one is NaN or infinite.
    """

    KIND: ClassVar[str] = "token attributions"

    method: str
    tokens: tuple[tuple[str, ...], ...]
    values: tuple[np.ndarray, ...]
    said: tuple[str, ...]
    states: tuple[str, ...] = ()
    is_special: tuple[tuple[bool, ...], ...] = ()
    words: tuple[tuple[int, ...], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    status: str = HOLDS

    def __post_init__(self) -> None:
        values = tuple(np.asarray(each, dtype=np.float64) for each in self.values)
        object.__setattr__(self, "values", values)
        if not self.is_special:
            none = tuple((False,) * len(tokens) for tokens in self.tokens)
            object.__setattr__(self, "is_special", none)
        if not len(self.tokens) == len(values) == len(self.said) == len(self.is_special):
            raise InputError(
                f"attributions '{self.method}': {len(values)} texts of values and "
                f"{len(self.tokens)} of tokens; give values for each text"
            )
        for number, (tokens, each) in enumerate(zip(self.tokens, values, strict=True)):
            shape = (len(self.states), len(tokens)) if self.states else (len(tokens),)
            if each.shape != shape or not np.isfinite(each).all():
                wrong = f"of shape {each.shape}" if each.shape != shape else "NaN or infinite"
                raise InputError(
                    f"attributions '{self.method}': text {number + 1} has values {wrong}; give "
                    f"finite numbers of shape {shape}"
                )

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def holds(self) -> bool:
        """Whether the training of the method holds; of a method without training, yes."""
        return self.status == HOLDS

    @property
    def is_signed(self) -> bool:
        """Whether a value is negative."""
        return any((each < 0).any() for each in self.values)

    def at(self, state: int | None = None) -> tuple[np.ndarray, ...]:
        """The values of one state, (n_tokens,) of each text; by default of the last one.

        InputError when there is no such state.
        """
        if state is not None:
            state = whole_number(state, "state")
            if not -len(self.states) <= state < len(self.states):
                known = (
                    f"give one of 0 to {len(self.states) - 1}" if self.states else "leave it out"
                )
                raise InputError(
                    f"attributions '{self.method}' have {len(self.states)} states, not a state "
                    f"{state}; {known}"
                )
        if not self.states:
            return self.values
        return tuple(each[-1 if state is None else state] for each in self.values)

    def table(self) -> Table:
        """A header, and a row per token and state."""
        rows: list[list[Any]] = []
        for text, (tokens, values) in enumerate(zip(self.tokens, self.values, strict=True)):
            for state, of_state in enumerate(np.atleast_2d(values).tolist()):
                name = self.states[state] if self.states else None
                rows += [
                    [text, position, token, name, value]
                    for position, (token, value) in enumerate(zip(tokens, of_state, strict=True))
                ]
        return [["text", "position", "token", "state", "value"], *rows]

    to_pandas = as_pandas

    def __str__(self) -> str:
        facts: dict[str, Any] = {"texts": len(self), "tokens": sum(map(len, self.tokens))}
        lines = [
            f"{said}: {' '.join(most)}"
            for said, most in zip(self.said, self.most_attributed(), strict=True)
        ]
        if not self.holds:
            facts["status"] = self.status
        return summary(f"TokenAttributions by {self.method}", facts, lines)

    def __repr__(self) -> str:
        return str(self)

    def most_attributed(self, k: int = 3) -> list[list[str]]:
        """The k tokens of each text with the largest values, largest first."""
        found = []
        for tokens, values in zip(self.tokens, self.at(), strict=True):
            order = np.argsort(-values, kind="stable")[:k]
            found.append([tokens[position] for position in order])
        return found

    def plot(self, ax: Given = None, *, text: int = 0, title: str | None = None) -> Figure:
        """Heat map of one text, tokens down and states across (De Cao et al. 2020, fig. 1).

        Raises
        ------
        InputError
            When there is no such text.
        """
        text = whole_number(text, "text")
        if not -len(self) <= text < len(self):
            raise InputError(f"text is {text}; give a number from 0 to {len(self) - 1}")
        from matplotlib.colors import LinearSegmentedColormap

        values = np.atleast_2d(self.values[text]).T
        n_tokens, n_states = values.shape
        width = 0.4 * n_states + 0.4
        names = [figure_text(token, MOST) for token in self.tokens[text]]
        beside = 1.4 + 0.08 * max(map(len, names), default=0)
        axes = panels(ax, size=(beside + width, min(1.8 + 0.22 * n_tokens, MOST_INCHES)))
        axis = axes[0]
        largest = np.abs(values).max(initial=0) or 1.0
        is_signed = values.min(initial=0) < 0
        image = axis.imshow(
            values,
            cmap=LinearSegmentedColormap.from_list("", COLOURS if is_signed else COLOURS[1:]),
            vmin=-largest if is_signed else 0,
            vmax=largest,
            aspect="auto",
        )
        axis.figure.colorbar(image, ax=axis, label="attribution")
        axis.set_yticks(range(n_tokens), names, fontsize=8)
        for label, is_special in zip(axis.get_yticklabels(), self.is_special[text], strict=True):
            label.set_color("0.5" if is_special else "black")
        put_ticks(axis, range(n_states), self.states or ("input",), width)
        said = f"{self.method}: {self.said[text]}{'' if self.holds else ' (doubtful)'}"
        axis.set_title(wrapped(said, 1.2 + width, 10, most=2 * MOST), fontsize=10)
        return finish(axes, ax, known_title(ax, title, self.provenance.get("model")))

    def to_html(self) -> str:
        """The first texts, each token on a ground that shows its value, as part of a page."""
        return first_texts(self)

    _repr_html_ = to_html

    def save(self, path: Any) -> None:
        """Write everything as JSON; as ``.csv`` or ``.tex`` the table, as ``.html`` a page."""
        if Path(path).suffix == ".html":
            write_text(path, page(self))
            return
        if is_table_name(path):
            write_table(path, self.table())
            return
        data = {each.name: getattr(self, each.name) for each in fields(self)}
        data["values"] = [each.tolist() for each in self.values]
        write_json(path, {"kind": self.KIND, **data})

    @staticmethod
    def from_json(data: dict[str, Any]) -> dict[str, Any]:
        """Values as arrays."""
        return {**data, "values": tuple(np.array(each) for each in data["values"])}


def state_names(n_states: int) -> tuple[str, ...]:
    """Names of states: word embeddings, what each block reads, and what the last one puts out."""
    blocks = [f"block {number}" for number in range(n_states - 2)]
    return ("embeddings", *blocks, "output")[:n_states]


def as_tuples(rows: Sequence[Sequence[Any]]) -> tuple[tuple[Any, ...], ...]:
    """Rows as a result keeps them."""
    return tuple(tuple(as_python(row)) for row in rows)
