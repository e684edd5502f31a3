"""Figures show the values of the results, and equal figures are equal files.

Also of ``neurox_lite.results.layer_bars`` and ``neurox_lite.results.label_heat_map``.
"""

from dataclasses import replace

import numpy as np
import pytest
from every_result import EVERY
from matplotlib.figure import Figure

from neurox_lite.correlation.clusters import NeuronClusters
from neurox_lite.errors import InputError
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.figures import save_figure
from neurox_lite.interventions.side_effects import SideEffect, SideEffects
from neurox_lite.masking.mask_overlaps import MaskOverlaps
from neurox_lite.masking.seed_spread import SeedSpread
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.learning_curve import LearningCurve
from neurox_lite.probing.online_code import OnlineCodeLength
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.ranking import random_ranking
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.sweep import Sweep

SHARES = (0.01, 0.1, 1.0)


def curve(method, retrained, seed):
    values = np.random.default_rng(seed).random((6, 3))
    removed, *kept = (tuple(row) for row in values.tolist())
    return AblationCurve(
        method=method,
        retrained=retrained,
        replacement="none" if retrained else "mean",
        metric="accuracy",
        n_neurons=100,
        shares=SHARES,
        counts=(1, 10, 100),
        keep=Sweep(0.875, *kept),
        remove=Sweep(0.875, removed),
        converged=True,
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
            ("top only", expected.keep.top),
            ("all but the top", expected.remove.top),
            ("bottom only", expected.keep.bottom),
            ("random only (mean, range)", expected.keep.random_mean),
        ):
            np.testing.assert_allclose(lines[label].get_xdata(), [1, 10, 100])
            np.testing.assert_array_equal(lines[label].get_ydata(), values)
        (band,) = axis.collections
        drawn = band.get_paths()[0].vertices[:, 1]
        assert {*expected.keep.random_low, *expected.keep.random_high} <= set(drawn.tolist())
    first, second = (axis.get_title() for axis in figure.axes)
    assert first.startswith("first")
    assert "frozen, others mean" in first
    assert "retrained" in second
    assert figure.axes[0].get_ylabel() == "accuracy"


def test_the_axis_begins_a_little_below_the_least_value():
    first, second = CURVES.curves
    for least, start in ((0.0, 0.0), (0.8, 0.79), (-0.25, -0.3125), (-30.0, -1.0)):
        values = (max(least, 0.9), least, 0.9)
        every = Sweep(0.9, values, values, values, values, values)
        curves = [replace(each, keep=every, remove=every) for each in (first, second)]
        axes = AblationCurves(tuple(curves)).plot().axes
        assert [axis.get_ylim()[0] for axis in axes[:2]] == pytest.approx([start, start])


def test_bars_are_salient_neurons_per_layer(ranking):
    (axis,) = ranking.plot(mass=0.6).axes
    assert [bar.get_height() for bar in axis.patches] == [1, 1]
    (axis,) = ranking.plot(mass=1).axes
    assert [bar.get_height() for bar in axis.patches] == [2, 1]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["2", "7"]
    assert axis.get_title() == "lca"


def test_rank_intervals_are_bars_of_the_thirty_best():
    space = NeuronSpace("m", "mlp", (0, 4), (20, 20))
    ranks = np.random.default_rng(0).permutation(40)
    low, high = (ranks - 3).clip(0), ranks + 9
    rows = [tuple(row.tolist()) for row in (ranks, low, high)]
    found = RankIntervals("lca", space, 0.9, *rows, tuple(rows), 40, (40, 40, 40), True)
    (axis,) = found.plot().axes
    best = np.argsort(ranks)[:30]
    (bars,) = axis.collections
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_array_equal(ends, np.column_stack([low[best], high[best]]) + 1)
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), np.arange(30) + 1)
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == [str(neuron) for neuron in space.neurons(best)]
    in_resamples = "90 % of 3 resamples of the sentences"
    assert axis.get_xlabel() == f"rank (dot: by all sentences; bar: in {in_resamples})"
    assert axis.get_title().startswith("lca\na resample keeps ")
    assert axis.get_title().endswith("% of the top 30 (by chance 75 %)")


def test_learning_curve_holds_mean_and_range():
    curve = LearningCurve((0.1, 1.0), (12.5, 100.0), (0.5, 0.75), (0.4, 0.7), (0.6, 0.8), 3, True)
    (axis,) = curve.plot().axes
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[12.5, 0.5], [100, 0.75]])
    (band,) = axis.collections
    assert set(band.get_paths()[0].vertices[:, 1].tolist()) == {0.4, 0.6, 0.7, 0.8}


def test_a_ranking_without_classes_shows_its_top_tenth():
    (axis,) = random_ranking(NeuronSpace("m", "mlp", (0, 4), (20, 20))).plot().axes
    assert sum(bar.get_height() for bar in axis.patches) == 4
    with pytest.raises(InputError, match="no scores per class"):
        random_ranking(NeuronSpace.of_array(4)).salient()


@pytest.mark.parametrize("name", ["f.png", "f.svg", "f.pdf", "f.PNG"])
def test_equal_figures_are_equal_bytes(tmp_path, name, ranking):
    for plot in (CURVES.plot, ranking.plot):
        save_figure(plot(), tmp_path / name, dpi=50)
        first = (tmp_path / name).read_bytes()
        save_figure(plot(), tmp_path / name, dpi=50)
        assert (tmp_path / name).read_bytes() == first
        assert len(first) > 1000
    assert [p.name for p in tmp_path.iterdir()] == [name]


SPACE = NeuronSpace("/models/m", "hidden_states", (2, 7), (3, 5))


def test_bars_are_neurons_of_a_mask_per_layer():
    (axis,) = NeuronMask.of(SPACE, ["2:0", "7:1", "7:4"]).plot().axes
    assert [bar.get_height() for bar in axis.patches] == [1, 2]
    assert axis.get_ylabel() == "neurons replaced" and axis.figure.get_suptitle() == "m"
    kept = NeuronMask.of(SPACE, ["2:0", "7:1", "7:4"], parameters={"objective": "sufficiency"})
    (axis,) = kept.plot().axes
    assert [bar.get_height() for bar in axis.patches] == [2, 3]
    assert axis.get_ylabel() == "neurons kept"
    (axis,) = NeuronMask.of(SPACE, []).plot().axes
    assert axis.get_ylim() == pytest.approx((0, 1.05))


def test_a_heat_map_has_a_row_per_class_and_the_first_neurons():
    scores = np.array([[4.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    space = NeuronSpace("/models/m", "mlp", (4,), (3,))
    labels = {"tag": "upos", "corpus": ["a.conllu"]}
    found = NeuronRanking.from_scores(
        space, scores.sum(0), "lca", classes=("a", 7, "c"), class_scores=scores,
        provenance={"labels": labels},
    )  # fmt: skip
    axis, _ = found.plot_classes().axes
    expected = [[1, 0.25, 0], [0, 0.5, 1], [0, 0, 0]]
    np.testing.assert_array_equal(axis.images[0].get_array(), expected)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["4:0", "4:1", "4:2"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "7", "c"]
    assert axis.figure.get_suptitle() == "upos · m · a.conllu"
    assert found.plot_classes(Figure().subplots()).get_suptitle() == ""
    with pytest.raises(InputError, match="no scores per class"):
        random_ranking(space).plot_classes()


def test_masks_share_a_part_of_the_smaller_one():
    masks = [
        NeuronMask.of(SPACE, neurons, method=name)
        for name, neurons in (("a", [0, 1, 2, 3]), ("b", [2, 7]), ("empty", []))
    ]
    (axis,) = MaskOverlaps.of(masks).plot().axes
    values = [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]
    np.testing.assert_array_equal(axis.images[0].get_array(), values)
    # of 8 neurons, 4 and 2 share one by chance: half of the smaller; nothing of the empty one
    assert axis.get_xlabel() == f"by chance {0.5 / 3:.2f}"


def test_selectivity_is_two_bars_and_a_dot_per_control_task():
    (axis,) = Selectivity(0.875, 0.5, 9, True, (0.25, 0.75)).plot().axes
    assert [bar.get_width() for bar in axis.patches] == [0.875, 0.5]
    assert [line.get_xdata()[0] for line in axis.lines] == [0.25, 0.75]
    assert axis.get_title() == "selectivity 0.375"


def test_a_code_costs_bits_per_label_of_each_block():
    (axis,) = OnlineCodeLength(40.0, 80.0, (10, 40), (25.0, 15.0), True).plot().axes
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[10, 2.5], [40, 0.5]])
    mean, uniform = (line.get_ydata()[0] for line in axis.lines[1:])
    assert (mean, uniform) == (1, 2)


def test_clusters_by_size_and_whether_they_span_layers():
    clusters = NeuronClusters(SPACE, 0.5, (0, 0, 1, 1, 1, 1, 2, 3))
    (axis,) = clusters.plot().axes
    one_layer, across = (
        [bar.get_height() for bar in axis.patches[part]] for part in (slice(3), slice(3, None))
    )
    assert (one_layer, across) == ([2, 2, 0], [0, 0, 4])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "2", "3-4"]


def test_a_minimal_set_shows_what_was_to_be_reached():
    (axis,) = EVERY["MinimalSet"].plot().axes
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[10, 0.25], [50, 0.5], [100, 0.75]])
    assert axis.lines[2].get_ydata()[0] == pytest.approx(0.89)
    none = replace(EVERY["MinimalSet"], shares=(), accuracies=(), columns=None)
    assert none.plot().axes[0].get_title().endswith("no share is enough")


def test_seeds_that_do_not_hold_are_told_apart():
    fit = EVERY["MaskFit"]
    figure = SeedSpread((fit, replace(fit, size=7, feasible=False))).plot()
    assert [bar.get_height() for bar in figure.axes[0].patches] == [2, 7]
    first, second = figure.axes[0].patches
    assert first.get_facecolor() != second.get_facecolor() and second.get_hatch() == "//"
    assert figure.axes[0].get_title() == "1 of 2 hold, overlap 1.00"


def test_side_effects_have_a_panel_per_metric():
    text = SideEffect("KL", "text", 0.0, 0.5, 0.1, 0.05, 0.2)
    task = SideEffect("accuracy", "simple", 1.0, 0.75, 0.9, 0.8, 1.0)
    kl, accuracy = SideEffects(2, 5, (text, task)).plot().axes
    assert [list(line.get_xydata()[0]) for line in kl.lines[:3]] == [[0.1, 0], [0, 0], [0.5, 0]]
    assert [list(line.get_xydata()[0]) for line in accuracy.lines] == [[0.9, 1], [1, 1], [0.75, 1]]
    assert [label.get_text() for label in kl.get_yticklabels()] == ["text", "simple"]
    assert (kl.get_xlabel(), accuracy.get_xlabel()) == ("KL (nats)", "accuracy")
    (axis,) = SideEffects(2, 5, ()).plot().axes
    assert axis.get_xlabel() == "nothing measured"
