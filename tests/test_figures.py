"""Texts of figures: what the figure is of, nothing over anything else, nothing cut off."""

import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from neurox_lite.attribution.kept_tokens import KeptTokens
from neurox_lite.correlation.similarity import LayerSimilarity
from neurox_lite.evaluation.localisations import Localisations
from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.figures import title_of
from neurox_lite.intervals import Interval
from neurox_lite.interventions.steering_curves import SteeringCurve, SteeringCurves
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.confusion import Confusion
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.probing.learning_curve import LearningCurve
from neurox_lite.probing.search import RegularisationSearch
from neurox_lite.ranking.agreement import AgreementMatrix
from neurox_lite.ranking.layer_profiles import LayerProfile, LayerProfiles
from neurox_lite.report.encoded_used import plot_encoded_used
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.sweep import Sweep
from neurox_lite.results.token_attributions import TokenAttributions, state_names

sys.path.insert(0, str(Path(__file__).parent / "results"))
from every_result import EVERY

TITLE = title_of(
    "PRP$ of xpos",
    "/models/bert-base-multilingual-cased",
    ["train=/a/english-train.conllu.gz", "/b/dev"],
)
LONG = "linguistic-correlation of $\\frac{ the label B-Nominalized_Adjective|Case=Nom,Acc " * 3
MANY = 60
LAYERS = tuple(range(MANY))


def values(n, seed=0):
    return tuple(np.random.default_rng(seed).random(n).tolist())


def square(n):
    return tuple(values(n, seed) for seed in range(n))


def sweep(n_counts):
    return Sweep(0.9, *(values(n_counts, seed) for seed in range(5)))


def ablation(n_curves=1, method="probeless", n_shares=6):
    shares = tuple(np.geomspace(0.001, 1, n_shares).round(4).tolist())
    curve = AblationCurve(
        method, True, "mean", "accuracy", 100, shares, tuple(range(1, n_shares + 1)),
        sweep(n_shares), Sweep(0.9, values(n_shares, 5)), True,
    )  # fmt: skip
    return AblationCurves((curve,) * n_curves)


def agreement(n, name):
    return AgreementMatrix((name,) * n, 5, 100, square(n), square(n), square(n))


def steering(n_curves, n_counts, method):
    measure = sweep(n_counts)
    counts = tuple(range(1, n_counts + 1))
    curve = SteeringCurve(method, "add", 8.0, "all", 100, 8, 2, counts, measure, measure, measure)
    return SteeringCurves((curve,) * n_curves)


def search(n):
    grid = square(n)
    fine = ((True,) * n,) * n
    penalties = tuple(np.geomspace(1e-5, 0.1, n).tolist())
    return RegularisationSearch(penalties, penalties, *(grid,) * 5, fine, 0.9, True, 0.1, 1, 1)


def ranking(n_layers, method):
    space = NeuronSpace(
        "/home/someone/models/bert", "mlp", tuple(range(n_layers)), (20,) * n_layers
    )
    return NeuronRanking.from_scores(space, np.array(values(20 * n_layers)), method)


def intervals(method):
    space = ranking(50, method).space
    ranks = tuple(range(space.n_neurons))
    return RankIntervals(
        method, space, 0.95, ranks, ranks, ranks, (ranks,) * 3, len(ranks), (len(ranks),) * 3, True
    )


def similarity(n, name):
    layers = tuple(range(n))
    return LayerSimilarity("svcca", name, name, layers, layers, square(n))


def table(n_columns, n_methods, name):
    row = {f"{name} {column}": [0.1, 0.9] for column in range(n_columns)}
    return MethodTable.from_values({f"{method} {name}": row for method in range(n_methods)})


NAMED = ("name of a method or label " * 3, "مرحبا بالعالم", "日本語の名前", "PRP$")
KNOWN = Interval(0.5, 0.25, 0.75)


def attributions(n_states):
    tokens = (*NAMED, *map(str, range(20)))
    value = np.random.default_rng(0).normal(size=(n_states, len(tokens)))
    return TokenAttributions(LONG, (tokens,), (value,), (LONG,), state_names(n_states))


def kept(n_labels, n_states):
    labels = tuple(f"{NAMED[n % 4]}{n}" for n in range(n_labels))
    rows = ((KNOWN,) * n_states,) * n_labels
    return KeptTokens(
        LONG, 0.5, labels, (9,) * n_labels, state_names(n_states), rows, rows, n_labels
    )


def profiles(n_properties, n_layers):
    layers = tuple(range(n_layers))
    return LayerProfiles(
        tuple(
            LayerProfile(
                f"{n} {LONG}", LONG, layers, (9,) * n_layers, tuple(range(n_layers)),
                values(n_layers, n),
            )
            for n in range(n_properties)
        )
    )  # fmt: skip


def shared(n_counts):
    one = EVERY["SharedNeurons"]
    counts = tuple(replace(one.counts[0], of=f"{n} {LONG}") for n in range(n_counts))
    return replace(one, counts=counts)


def localised(low, high):
    one = EVERY["Localisations"].results[0]
    first, *others = (replace(m, value=0.5) for m in one.measures)
    counts = (
        replace(first, name=name, value=low, low=low, high=high)
        for name in ("neurons for 95 %", "neurons for 99 %")
    )
    return Localisations.of(replace(one, measures=(*counts, *others)))


RESULTS = {
    "ablation": ablation(),
    "ablation of many": ablation(7, LONG, 40),
    "agreement": agreement(2, "a"),
    "agreement of five": agreement(5, "linguistic-correlation"),
    "agreement of many": agreement(14, LONG),
    "steering": steering(1, 5, "probeless"),
    "steering of many": steering(3, 40, LONG),
    "search": search(2),
    "search of many": search(9),
    "one layer": LayerScores("R2", (3,), (0.5,), (0.5,), 0.1, True),
    "many layers": LayerScores("R2", LAYERS, values(MANY), values(MANY, 1), 0.1, True),
    "ranking": ranking(2, "variance"),
    "ranking of many": ranking(MANY, LONG),
    "intervals": intervals(LONG),
    "similarity": similarity(2, "bert"),
    "similarity of thirteen": similarity(13, LONG),
    "similarity of many": similarity(MANY, f"/home/someone/{'x' * 80}"),
    "confusion of many": Confusion.of(
        [f"{NAMED[n % 4]}{n}" for n in range(90)], [NAMED[n % 3] for n in range(90)]
    ),
    "learning curve": LearningCurve(
        (0.1, 1.0), (10.0, 100.0), (0.5, 0.9), (0.4, 0.8), (0.6, 1.0), 3, True
    ),
    "attributions": attributions(1),
    "attributions of many states": attributions(60),
    "kept tokens": kept(2, 2),
    "kept tokens of many": kept(50, 60),
    "profiles": profiles(2, 1),
    "profiles of many": profiles(9, 60),
    "localised, a decade": localised(110.0, 990.0),
    "localised, nearly two": localised(29.0, 1659.0),
    "localised, nearly four": localised(1.0, 9000.0),
    "shared": shared(1),
    "shared of many": shared(30),
    **{
        name: EVERY[name]
        for name in (
            "AttributionAgreement", "CompositionalFormulas", "Confusion", "DescriptionEffects",
            "DescriptionScores", "Faithfulness", "LayerSimilarity", "Localisations",
            "MaskOverlaps", "MinimalSet", "NeuronClusters", "NeuronDescriptions",
            "NeuronExemplars", "NeuronMask", "OnlineCodeLength", "SeedSpread", "Selectivity",
            "SideEffects", "TokensWritten",
        )
    },
    "table": table(1, 2, "m"),
    "table of many": table(8, 20, LONG),
}  # fmt: skip


def texts(axis: Axes) -> list[Text]:
    ticks = []
    for line in (axis.xaxis, axis.yaxis):
        low, high = sorted(line.get_view_interval())
        inside = [tick for tick in line.get_major_ticks() if low <= tick.get_loc() <= high]
        ticks += [tick.label1 for tick in inside]
    every = [*ticks, axis.title, axis.xaxis.label, axis.yaxis.label]
    return [text for text in every if text.get_visible() and text.get_text()]


def check(figure: Figure) -> None:
    FigureCanvasAgg(figure).draw()
    shown = [text for axis in figure.axes if axis.get_visible() for text in texts(axis)]
    shown += figure.texts
    boxes = {text: text.get_window_extent().padded(-0.5) for text in shown}
    for one, other in combinations(boxes, 2):
        assert not boxes[one].overlaps(boxes[other]), (one.get_text(), other.get_text())
    for text, box in boxes.items():
        corners = [figure.bbox.contains(*corner) for corner in (box.min, box.max)]
        assert all(corners), f"cut off: {text.get_text()}"
    for legend in figure.legends:
        for other in [*(axis.get_window_extent() for axis in figure.axes), *boxes.values()]:
            assert not legend.get_window_extent().overlaps(other)


@pytest.mark.heavy
@pytest.mark.parametrize("name", RESULTS)
def test_nothing_collides_and_nothing_is_cut_off(name: str) -> None:
    figure = RESULTS[name].plot(title=TITLE)
    check(figure)
    shown = figure.get_suptitle().replace("\n", " ").replace("\\$", "$")
    assert shown == TITLE
    every = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "/home" not in every


@pytest.mark.parametrize("name", RESULTS)
def test_no_text_is_a_formula(name: str) -> None:
    for text in RESULTS[name].plot(title=TITLE).findobj(Text):
        if "mathdefault" not in text.get_text():  # numbers on a logarithmic axis
            assert not text._preprocess_math(text.get_text())[1], text.get_text()


def test_encoded_used_with_long_names() -> None:
    one = ranking(3, LONG)
    check(plot_encoded_used({LONG: (one, one), "b": (one, one), "c": (one, one)}, title=TITLE))


def test_without_a_title_there_is_none() -> None:
    assert ablation().plot().get_suptitle() == ""
    assert title_of(None, "bert") == "bert"
    assert title_of("upos", "/models/bert", ["train=/a/x.conllu", "/b/y.conllu"]) == (
        "upos · bert · x.conllu, y.conllu"
    )


def test_lines_differ_in_colour_and_marker() -> None:
    curves = ablation()
    curves = AblationCurves((replace(curves.curves[0], remove=sweep(6)),))
    for result in (curves, RESULTS["many layers"], RESULTS["steering"]):
        axis = result.plot().axes[0]
        looks = [(line.get_color(), line.get_marker(), line.get_linestyle()) for line in axis.lines]
        assert len(set(looks)) == len(looks)


def test_top_bottom_and_random_differ_without_colours() -> None:
    for result in (ablation(), RESULTS["steering"]):
        lines = {line.get_label(): line.get_linestyle() for line in result.plot().axes[0].lines}
        strokes = [lines[name] for name in lines if name.startswith(("top", "bottom", "random"))]
        assert len(set(strokes)) == len(strokes) == 3
