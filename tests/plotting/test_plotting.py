"""Figures show the values of the results, and equal figures are equal files."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.plotting.saving import save_figure
from neurox_lite.ranking import random_ranking
from neurox_lite.results import AblationCurve, AblationCurves, NeuronRanking

SHARES = (0.01, 0.1, 1.0)


def curve(method, retrained, seed):
    values = np.random.default_rng(seed).random((6, 3))
    names = ("keep_top", "remove_top", "keep_bottom", "random_mean", "random_low", "random_high")
    return AblationCurve(
        method=method,
        retrained=retrained,
        replacement="none" if retrained else "mean",
        metric="accuracy",
        n_neurons=100,
        intact=0.875,
        shares=SHARES,
        counts=(1, 10, 100),
        converged=True,
        **{name: tuple(row) for name, row in zip(names, values.tolist(), strict=True)},
    )


CURVES = AblationCurves((curve("first", False, 0), curve("second", True, 1)))


@pytest.fixture
def ranking():
    space = NeuronSpace("m", "hidden_states", (2, 7), (3, 2))
    scores = np.array([[5.0, 1.0, 0.0, 0.0, 4.0]])
    return NeuronRanking.from_scores(space, scores[0], "lca", classes=("c",), class_scores=scores)


def test_ablation_panels_hold_the_curves():
    figure = CURVES.plot()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 2
    for axis, expected in zip(figure.axes, CURVES.curves, strict=True):
        lines = {line.get_label(): line for line in axis.lines}
        assert list(lines["all neurons"].get_ydata()) == [0.875, 0.875]
        for label, values in (
            ("top only", expected.keep_top),
            ("all but the top", expected.remove_top),
            ("bottom only", expected.keep_bottom),
            ("random only (mean, range)", expected.random_mean),
        ):
            np.testing.assert_allclose(lines[label].get_xdata(), [1, 10, 100])
            np.testing.assert_array_equal(lines[label].get_ydata(), values)
        (band,) = axis.collections
        drawn = band.get_paths()[0].vertices[:, 1]
        assert {*expected.random_low, *expected.random_high} <= set(drawn.tolist())
    first, second = (axis.get_title() for axis in figure.axes)
    assert first.startswith("first")
    assert "frozen, others mean" in first
    assert "retrained" in second
    assert figure.axes[0].get_ylabel() == "accuracy"


def test_bars_are_salient_neurons_per_layer(ranking):
    (axis,) = ranking.plot(mass=0.6).axes
    assert [bar.get_height() for bar in axis.patches] == [1, 1]
    (axis,) = ranking.plot(mass=1).axes
    assert [bar.get_height() for bar in axis.patches] == [2, 1]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["2", "7"]
    assert axis.get_title() == "lca"


def test_a_ranking_without_classes_says_so():
    with pytest.raises(InputError, match="no scores per class"):
        random_ranking(NeuronSpace.of_array(4)).plot()


@pytest.mark.parametrize("name", ["f.png", "f.svg", "f.pdf", "f.PNG"])
def test_equal_figures_are_equal_bytes(tmp_path, name, ranking):
    for plot in (CURVES.plot, ranking.plot):
        save_figure(plot(), tmp_path / name, dpi=50)
        first = (tmp_path / name).read_bytes()
        save_figure(plot(), tmp_path / name, dpi=50)
        assert (tmp_path / name).read_bytes() == first
        assert len(first) > 1000
    assert [p.name for p in tmp_path.iterdir()] == [name]
