"""In which layers are the neurons of several properties, side by side?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurox_lite.arguments import expect
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, PALETTE, Given, finish, layers_width, panels, put_ticks
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.public_names import public_name
from neurox_lite.ranking.layer_entropy import expected_entropy, layer_entropy
from neurox_lite.ranking.property_tops import Counts, named_rankings, tops
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLES = ("o-", "s-", "^-", "v-", "D-", "P-", "X-")


@dataclass(frozen=True)
class LayerProfile:
    """Chosen neurons, or heads, of one property per layer.

    Attributes
    ----------
    name : str
        Of the property.
    model : str
    layers, widths, counts : (n_layers,) tuples of int
        Neurons that each layer has, and how many of them are chosen.
    scores : (n_layers,) tuple of float, optional
        Test score of a probe of each layer alone.
    units : str
        What is counted: "neurons", or "heads".
    """

    name: str
    model: str
    layers: tuple[int, ...]
    widths: tuple[int, ...]
    counts: tuple[int, ...]
    scores: tuple[float, ...] | None = None
    units: str = "neurons"

    @property
    def entropy(self) -> float | None:
        """See :func:`neurox_lite.ranking.layer_entropy.layer_entropy`."""
        return layer_entropy(self.counts, self.widths)

    @property
    def expected_entropy(self) -> float | None:
        """That of as many neurons drawn at random, on average."""
        return expected_entropy(sum(self.counts), self.widths)


@dataclass(frozen=True)
class LayerProfiles(SavedResult):
    """Profiles of several properties, see :func:`neurox_lite.ranking.layer_profiles`.

    Attributes
    ----------
    profiles : tuple of LayerProfile
    """

    profiles: tuple[LayerProfile, ...]

    KIND = "layer profiles"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        lines = []
        for one in self.profiles:
            most = one.counts.index(max(one.counts))
            lines.append(
                f"{one.name} ({one.model}): {sum(one.counts)} {one.units}, most in layer "
                f"{one.layers[most]} ({one.counts[most]})"
            )
        return summary(f"LayerProfiles of {len(self.profiles)} properties", None, lines)

    @property
    def units(self) -> str:
        """What is counted: "neurons", or "heads"; of several kinds "units"."""
        kinds = {one.units for one in self.profiles}
        return kinds.pop() if len(kinds) == 1 else "units"

    def table(self) -> Table:
        """A header, and a row per property and layer; ``uniform`` is the layer's share of all."""
        rows: Table = [["property", "model", "layer", self.units, "share", "uniform", "score"]]
        for one in self.profiles:
            chosen, every = max(sum(one.counts), 1), sum(one.widths)
            scores = one.scores or (None,) * len(one.layers)
            for layer, width, count, score in zip(
                one.layers, one.widths, one.counts, scores, strict=True
            ):
                row = [one.name, one.model, layer, count, count / chosen, width / every, score]
                rows.append(row)
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A panel per model with the share of the chosen neurons in each layer; below, scores."""
        by_model: dict[tuple[Any, ...], list[LayerProfile]] = {}
        for one in self.profiles:
            by_model.setdefault((one.model, one.layers, one.widths), []).append(one)
        names = list(dict.fromkeys(one.name for one in self.profiles))
        has_scores = any(one.scores for one in self.profiles)
        n_columns, n_rows = len(by_model), 1 + has_scores
        width = max(layers_width(len(layers)) for _, layers, _ in by_model)
        axes = panels(
            ax,
            n_columns * n_rows,
            size=(width * n_columns if n_columns > 1 else width, 3.3 * n_rows + 0.4),
            n_columns=n_columns,
            sharey="row",
        )
        for column, ((model, layers, widths), profiles) in enumerate(by_model.items()):
            upper, places = axes[column], range(len(layers))
            lower = axes[n_columns + column] if has_scores else None
            for one in profiles:
                number = names.index(one.name)
                colour, label = PALETTE[number % len(PALETTE)], figure_text(one.name, MOST)
                marker = STYLES[number % len(STYLES)]
                shares = [100 * count / max(sum(one.counts), 1) for count in one.counts]
                upper.plot(places, shares, marker, color=colour, label=label)
                if lower is not None and one.scores:
                    lower.plot(places, one.scores, marker, color=colour, label=label)
            uniform = [100 * width / sum(widths) for width in widths]
            upper.plot(places, uniform, ":", color="0.4", label=f"all {self.units}")
            upper.set_title(figure_text(model, MOST), fontsize=10)
            for axis in (upper, lower):
                if axis is not None:
                    put_ticks(axis, places, [str(layer) for layer in layers], width - 1)
                    axis.grid(alpha=0.3)
                    axis.set_xlabel("layer")
        axes[0].set_ylabel(f"% of the property's {self.units}")
        axes[0].set_ylim(bottom=0)
        if has_scores:
            axes[n_columns].set_ylabel("test score of the layer")
        return finish(axes, ax, title, legend=min(len(names) + 1, 3 * n_columns))

    @classmethod
    def joined(cls, several: Sequence[LayerProfiles]) -> LayerProfiles:
        """Profiles of several models as one."""
        return cls(tuple(one for profiles in several for one in profiles.profiles))

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return {"profiles": tuple(LayerProfile(**one) for one in fields["profiles"])}


def layer_profiles(
    rankings: Mapping[str, NeuronRanking],
    k: Counts = None,
    *,
    scores: Mapping[str, LayerScores] | None = None,
) -> LayerProfiles:
    """Count the top neurons of several properties per layer.

    Parameters
    ----------
    rankings : dict from name to NeuronRanking
        Of the same model, or of several: see :meth:`LayerProfiles.joined`.
    k : int or dict from name to int, optional
        How many neurons each property has; a tenth of all by default.
    scores : dict from name to LayerScores, optional
        Of probes of single layers, of :func:`neurox_lite.probing.layer_scores`.

    Raises
    ------
    InputError
        When a number is out of range, or scores are of other layers.
    """
    rankings = named_rankings(rankings)
    scores = expect(
        {} if scores is None else scores, Mapping, "scores", "a dict from name to scores"
    )
    for name, found in scores.items():
        if name not in rankings:
            raise unknown_choice("property of scores", name, rankings)
        expect(found, LayerScores, f"scores['{name}']", "LayerScores")
        if tuple(found.layers) != rankings[name].space.layers:
            raise InputError(f"scores['{name}'] are of other layers than its ranking; give its own")
    profiles = []
    for name, columns in tops(rankings, k).items():
        space = rankings[name].space
        profiles.append(
            LayerProfile(
                name=name,
                model=public_name(space.model),
                layers=space.layers,
                widths=space.widths,
                counts=tuple(space.count_per_layer(columns).values()),
                scores=tuple(scores[name].separate) if name in scores else None,
                units=space.unit_name,
            )
        )
    return LayerProfiles(tuple(profiles))
