"""The scatter of what is encoded against what is used."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import neurox_lite as nx
from neurox_lite.figures import save_figure
from neurox_lite.report.encoded_used import plot_encoded_used


def rankings(n=30):
    space = nx.NeuronSpace.of_array(n)
    effects = np.linspace(0, 3, n)
    effects[4] = np.nan
    used = nx.NeuronRanking.from_scores(space, effects, "single-replacement")
    return nx.NeuronRanking.from_scores(space, effects, "probe"), used


def test_points_are_places_and_effects(tmp_path):
    encoded, used = rankings()
    figure = plot_encoded_used({"a model": (encoded, used), "<b>$x_1$": (encoded, used)})
    axis = figure.axes[0]
    points = np.asarray(axis.collections[0].get_offsets())
    assert len(points) == 29  # one has no effect
    assert points[-1].tolist() == [1, 3] and points[0].tolist() == [29, 0]
    assert axis.get_title() == "a model: Spearman 1.00"
    assert axis.texts[0].get_text() == "0:29"
    save_figure(figure, tmp_path / "figure.png")


def test_bad_input():
    encoded, _ = rankings()
    _, used = rankings(31)
    with pytest.raises(nx.InputError, match="different neurons"):
        plot_encoded_used({"a": (encoded, used)})
    with pytest.raises(nx.InputError, match="at least one panel"):
        plot_encoded_used({})


def test_names_of_points_beside_each_other_do_not_collide():
    effects = np.zeros(400)
    effects[[199, 204, 210, 399]] = 3, 2.98, 2.96, 2.97
    space = nx.NeuronSpace.of_array(400)
    used = nx.NeuronRanking.from_scores(space, effects, "single-replacement")
    by = "linguistic-correlation"
    encoded = nx.NeuronRanking.from_scores(space, np.arange(400.0)[::-1], by)
    figure = plot_encoded_used(dict.fromkeys("abcd", (encoded, used)))
    FigureCanvasAgg(figure).draw()
    axis = figure.axes[0]
    boxes = [text.get_window_extent() for text in axis.texts]
    assert {text.get_text() for text in axis.texts} >= {"0:199", "0:204", "0:210", "0:399"}
    for one, other in combinations(boxes[:4], 2):
        assert not one.overlaps(other)
    assert all(axis.bbox.x1 >= box.x1 and axis.bbox.y1 >= box.y1 for box in boxes)
