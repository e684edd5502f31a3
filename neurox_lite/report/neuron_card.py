"""One neuron on a card: all that results say about it."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path
from neurox_lite.choices import listed
from neurox_lite.descriptions.neuron_exemplars import NeuronExemplars
from neurox_lite.errors import InputError
from neurox_lite.escaping import html, terminal
from neurox_lite.files import write_text
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.neurons import Neuron, NeuronSpace, is_other_revision
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.report.card_sections import KINDS, Section, sections
from neurox_lite.report.found import find_results
from neurox_lite.results.html import QUIET, framed, whole_page
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class NeuronCard:
    """All that some results say about one neuron; a notebook shows it, ``print`` as plain text.

    Attributes
    ----------
    neuron : Neuron
    space : NeuronSpace or None
        Where it is, as far as the results know.
    sections : tuple of Section
        Each with a title, HTML and lines of plain text.
    """

    neuron: Neuron
    space: NeuronSpace | None
    sections: tuple[Section, ...]

    __repr__ = short_repr

    @property
    def title(self) -> str:
        """The neuron, its site and its model."""
        what = "Neuron" if self.space is None else self.space.unit_name.removesuffix("s").title()
        of = "" if self.space is None else f" of {self.space.model}, {self.space.site}"
        return f"{what} {self.neuron}{of}"

    def __str__(self) -> str:
        lines = [self.title]
        for section in self.sections:
            lines += [f"  {section.title}", *(f"    {line}" for line in section.lines)]
        return "\n".join(map(terminal, lines))

    def _repr_html_(self) -> str:
        heading = f'<div dir="auto" style="font-size:16px"><b>{html(self.title)}</b></div>'
        return framed(heading, self._parts())

    def _parts(self) -> str:
        return "\n".join(
            f'<div style="margin-top:.8em"><div style="{QUIET}"><b>{html(each.title)}</b></div>'
            f"\n{each.html}</div>"
            for each in self.sections
        )

    def save(self, path: str | Path) -> None:
        """Write a page (``.html``) or plain text (``.txt``), by the name of the file.

        Raises
        ------
        InputError
            When the name ends in something else, or the file cannot be written.
        """
        path = as_path(path)
        if path.suffix == ".html":
            write_text(path, whole_page(self.title, framed(self._parts())))
        elif path.suffix == ".txt":
            write_text(path, f"{self}\n")
        else:
            raise InputError(f"{path}: a card is saved as .html or .txt; choose such a name")


def neuron_card(neuron: Any, *results: Any) -> NeuronCard:
    """All that some results say about one neuron.

    Parameters
    ----------
    neuron : str, Neuron or int
        As ``"3:17"``; a column is that of the first result.
    *results : Exemplars, NeuronDescriptions, NeuronRanking, RankIntervals, ElasticNetProbe, ...
        Of one model and site. Or a folder, such as a job's: what its results say about this neuron,
        those of the first result's model and site.

    Raises
    ------
    InputError
        When a result says nothing about single neurons, has not this neuron, or is of another
        model or site than the first; or when there is none.
    """
    if not results:
        raise InputError("a card needs results; give exemplars, descriptions or rankings")
    given: list[Any] = []
    in_folders: list[Any] = []
    for result in results:
        if isinstance(result, str | PathLike):
            found = [each.result for each in find_results(as_path(result, "folder")).results]
            in_folders += [each for each in found if isinstance(each, tuple(KINDS))]
        else:
            given.append(result)
    spaces = [_space(each) for each in [*given, *in_folders]]
    space = next((each for each in spaces if each is not None), None)
    for result, other in zip(given, spaces, strict=False):
        if space is not None and other is not None and not _are_alike(space, other):
            raise InputError(
                f"{_called(result)} is of {_named(other)}, not of {_named(space)} as the first; "
                "give results of one model and site"
            )
    if not given and not in_folders:
        raise InputError(f"{results[0]}: no result in it is about single neurons; give another")
    one = _neuron(neuron, space, [*given, *in_folders][0])
    for result in given:
        _require_neuron(result, _space(result), one)
    about = [*given, *(each for each in in_folders if _is_about(each, space, one))]
    if not about:
        raise InputError(f"{results[0]}: nothing in it is about neuron {one}; give another neuron")
    return NeuronCard(one, space, tuple(sections(about, one)))


def _is_about(result: Any, space: NeuronSpace | None, neuron: Neuron) -> bool:
    """Whether a result in a folder says something about the neuron."""
    own = _space(result)
    if space is not None and own is not None and not _are_alike(space, own):
        return False
    try:
        _require_neuron(result, own, neuron)
        list(sections([result], neuron))
    except InputError:  # it is about other neurons
        return False
    return True


def _space(result: Any) -> NeuronSpace | None:
    """Of the neurons that a result is about; None where it does not say."""
    if not isinstance(result, tuple(KINDS)):
        raise InputError(
            f"{_called(result)} says nothing about one neuron; a card takes "
            f"{listed([kind.__name__ for kind in KINDS])}"
        )
    if isinstance(result, LinearProbe):
        if not hasattr(result, "space_"):
            raise InputError(f"{_called(result)} is not fitted; fit it first")
        return result.space_
    if isinstance(result, MaskFit | NeuronMask):
        return (result.mask if isinstance(result, MaskFit) else result).counted
    return getattr(result, "space", None)


def _neuron(neuron: Any, space: NeuronSpace | None, first: Any) -> Neuron:
    """The neuron that is meant; without a space there are exemplars of one neuron only."""
    if space is None:
        layer, unit = first.neuron
        space = NeuronSpace("", "array", (layer,), (unit + 1,))
    columns = space.columns_of(neuron)
    if len(columns) != 1:
        raise InputError(f"{len(columns)} neurons; give one, such as '3:17'")
    return space.neuron(int(columns[0]))


def _require_neuron(result: Any, space: NeuronSpace | None, neuron: Neuron) -> None:
    if isinstance(result, NeuronExemplars):
        has = result.neuron == neuron
    else:
        layers = dict(zip(space.layers, space.widths, strict=True)) if space else {}
        has = neuron.unit < layers.get(neuron.layer, 0)
    if not has:
        raise InputError(
            f"{_called(result)} has no neuron {neuron}; leave it out, or give another neuron"
        )


def _are_alike(one: NeuronSpace, other: NeuronSpace) -> bool:
    """Whether they may be of one model and site; their layers may differ."""
    known = bool(one.revision and other.revision) or one.model == other.model
    same = known and not is_other_revision(one.revision, other.revision)
    return same and one.site == other.site and (one.groups is None) == (other.groups is None)


def _named(space: NeuronSpace) -> str:
    return f"{space.unit_name} of {space.model} ({space.site})"


def _called(result: Any) -> str:
    method = getattr(result, "method", None)
    return f"{type(result).__name__}" + (f" '{method}'" if isinstance(method, str) else "")
