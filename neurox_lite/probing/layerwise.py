"""Probes of every layer, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from sklearn.base import clone

from neurox_lite.activations.access import layers_of, require_finite
from neurox_lite.activations.inputs import validate_inputs, validate_space
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.arguments import expect
from neurox_lite.errors import InputError
from neurox_lite.figures import Given, finish, layers_width, panels, put_ticks
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.progress import tqdm
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary
from neurox_lite.tasks import connected, task_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class LayerScores(SavedResult):
    """Test score of a probe of every layer alone, and of every layer with all before it.

    Sequences have one entry per layer. ``metric`` is accuracy, or R2 of a regression;
    ``baseline`` is the score without any neuron. ``converged`` is False when one of the probes did
    not converge.
    """

    metric: str
    layers: tuple[int, ...]
    separate: tuple[float, ...]
    cumulative: tuple[float, ...]
    baseline: float
    converged: bool

    KIND = "layer scores"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        best = max(range(len(self.layers)), key=lambda place: self.separate[place])
        facts = {
            "best layer": f"{self.layers[best]} ({self.separate[best]:.4g})",
            "all together": self.cumulative[-1],
            "no neuron": self.baseline,
            "converged": self.converged,
        }
        return summary(f"LayerScores: {self.metric} of {len(self.layers)} layers", facts)

    def table(self) -> Table:
        """A header, and a row per layer."""
        rows = zip(self.layers, self.separate, self.cumulative, strict=True)
        header = ["layer", "separate", "cumulative", "baseline"]
        return [header, *([*row, self.baseline] for row in rows)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Scores of the probes of single layers and of growing stacks of layers."""
        width = layers_width(len(self.layers))
        axes = panels(ax, size=(width, 3.9))
        axis = axes[0]
        places = range(len(self.layers))
        axis.plot(places, self.separate, "o-", color="#0072b2", label="this layer")
        axis.plot(places, self.cumulative, "s-", color="#d55e00", label="layers up to this one")
        axis.axhline(self.baseline, color="0.4", linestyle=":", label="no neuron")
        put_ticks(axis, places, [str(layer) for layer in self.layers], width - 1)
        axis.set_xlabel("layer")
        axis.set_ylabel(f"test {self.metric}")
        axis.grid(alpha=0.3)
        return finish(axes, ax, title, legend=3)


def fit_layers(
    probe: LinearProbe,
    X: Any,
    y: Any = None,
    *,
    space: NeuronSpace | None = None,
    cumulative: bool = False,
    engine: str = "local",
) -> dict[int, LinearProbe]:
    """A probe of every layer, or of every layer and all before it.

    On a CPU, separate layers are fitted at the same time, a core for each: faster than all cores on
    one layer after the other. Memory: one fit for each core.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Its parameters are used; it is not changed.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
    space : NeuronSpace, optional
        Which columns are which layer; not needed for a store's matrix.
    cumulative : bool
        Fit on the layers up to this one, in the order of the space.
    engine : {"local", "ray"}
        ``ray`` fits every probe in a task of a Ray cluster, on one core.

    Returns
    -------
    dict
        From layer to the fitted probe.

    Raises
    ------
    InputError
        As the probe's ``fit``, or when nothing tells the layers.
    """
    expect(probe, LinearProbe, "probe", "an ElasticNetProbe or ElasticNetRegression")
    data = validate_inputs(X, y)
    X = data.X
    if space is None and not isinstance(X, ActivationMatrix):
        raise InputError("an array does not tell its layers; give space=store.space")
    space = validate_space(space, X)
    require_finite(X, space)
    layers = space.layers
    chosen = [layers[: k + 1] if cumulative else (layer,) for k, layer in enumerate(layers)]

    def fit(some: Sequence[int]) -> LinearProbe:
        fitted = clone(probe).fit(layers_of(X, space, some), data.y)
        fitted.space_ = space.select(some)
        return fitted

    on_cpu = probe.device == "cpu" or (probe.device is None and not torch.cuda.is_available())
    # Wide problems keep all cores busy, and several of them need the memory of several.
    n_calls = min(torch.get_num_threads(), len(layers)) if on_cpu and not cumulative else 1
    progress = tqdm(total=len(layers), desc="layers", unit="probe", disable=None, delay=2)
    fitted = {}
    # Those left over share all cores, where the last of seven would leave one of two idle.
    n_left = len(chosen) % n_calls if engine == "local" else 0
    n_first = len(chosen) - n_left
    with progress:
        for some, at_once in ((slice(n_first), n_calls), (slice(n_first, None), n_left)):
            if not chosen[some]:
                continue
            with task_map(engine, at_once) as run:
                for layer, one in zip(layers[some], run(fit, chosen[some]), strict=True):
                    fitted[layer] = one
                    progress.update()
    return fitted


def layer_scores(
    probe: LinearProbe,
    X: Any,
    y: Any = None,
    X_test: Any = None,
    y_test: Any = None,
    *,
    space: NeuronSpace | None = None,
    engine: str = "local",
) -> LayerScores:
    """Test scores of the probes of single layers, and of layers with all before them.

    Parameters
    ----------
    probe, X, y, space, engine
        As for :func:`fit_layers`.
    X_test, y_test : (n_test, n_neurons) array-like and (n_test,) labels, or LabelledActivations
        The same columns as ``X``, of words to test on.

    Returns
    -------
    LayerScores
        Accuracy or R2 per layer, and that of the probe without neurons as the baseline.

    Raises
    ------
    InputError
        As :func:`fit_layers`.
    """
    train = validate_inputs(X, y)
    test = validate_inputs(X_test, y_test, "test")
    with connected(engine):
        separate = fit_layers(probe, train, space=space, engine=engine)
        cumulative = fit_layers(probe, train, space=space, cumulative=True, engine=engine)

    def scores(probes: dict[int, LinearProbe]) -> tuple[float, ...]:
        chosen = [(layers_of(test.X, whole, one.space_.layers), one) for one in probes.values()]
        return tuple(one.score(X_layer, test.y) for X_layer, one in chosen)

    whole = validate_space(space, train.X)
    return LayerScores(
        metric=probe.METRIC,
        layers=whole.layers,
        separate=scores(separate),
        cumulative=scores(cumulative),
        baseline=next(iter(separate.values())).score_without_neurons(train.y, test.y),
        converged=all(
            one.certificate_.converged for one in (*separate.values(), *cumulative.values())
        ),
    )
