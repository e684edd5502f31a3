"""Results: what a ranking says about its neurons, and that files give back what was saved.

Also of ``neurox_lite.results.ranking_files``.
"""

import csv
import json
from dataclasses import replace

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.sweep import Sweep

SPACE = NeuronSpace("m", "hidden_states", layers=(0, 3), widths=(2, 4))
SCORES = np.array([0.1, 0.7, 0.2, 0.9, 0.0, 0.4])
CLASS_SCORES = np.array([[0.0, 4.0, 3.0, 2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])


@pytest.fixture
def ranking():
    return NeuronRanking.from_scores(
        SPACE,
        SCORES,
        "by hand",
        classes=("NOUN", "NA"),
        class_scores=CLASS_SCORES,
        parameters={"l1": 1e-3},
        provenance={"from": "here"},
    )


def test_order_top_bottom_and_mask(ranking):
    assert ranking.order.tolist() == [3, 1, 5, 2, 0, 4]
    assert [str(n) for n in ranking.top(3)] == ["3:1", "0:1", "3:3"]
    assert [str(n) for n in ranking.bottom(2)] == ["3:2", "0:0"]
    assert ranking.mask(2).tolist() == [False, True, False, True, False, False]
    assert ranking.top(0) == []
    assert ranking.mask(6).all()
    assert ranking.bottom(6) == ranking.top(6)[::-1]


@pytest.mark.parametrize("k", [-1, 7])
def test_more_neurons_than_there_are(ranking, k):
    for method in (ranking.top, ranking.bottom, ranking.mask, ranking.per_layer):
        with pytest.raises(InputError, match=f"k is {k}; give a number from 0 to 6"):
            method(k)


def test_ties_are_broken_by_column_and_nan_is_last():
    scores = np.array([1.0, np.nan, 2.0, 1.0, -1e300, 2.0])
    ranking = NeuronRanking.from_scores(SPACE, scores, "ties")
    assert ranking.order.tolist() == [2, 5, 0, 3, 4, 1]


@pytest.mark.parametrize(
    ("mass", "columns"),
    # Of 4 + 3 + 2 + 1: the fewest neurons that hold the share.
    [
        (0, []),
        (0.1, [1]),
        (0.4, [1]),
        (0.41, [1, 2]),
        (0.7, [1, 2]),
        (0.8, [1, 2, 3]),
        (1, [1, 2, 3, 4]),
    ],
)
def test_salient_neurons(ranking, mass, columns):
    salient = ranking.salient(mass)
    assert salient["NOUN"].tolist() == columns
    assert salient["NA"].tolist() == []
    counts = {0: columns.count(1), 3: len(columns) - columns.count(1)}
    assert ranking.per_layer(mass=mass) == counts


@given(st.lists(st.floats(0, 1e6), min_size=6, max_size=6), st.floats(0, 1), st.floats(0, 1))
def test_salient_properties(weights, mass, more):
    weights = np.array(weights)
    ranking = NeuronRanking.from_scores(
        SPACE, weights, "w", classes=("c",), class_scores=weights[None]
    )
    mass, more = sorted((mass, more))
    columns = ranking.salient(mass)["c"].tolist()
    assert ranking.salient(more)["c"].tolist()[: len(columns)] == columns
    assert weights[columns].sum() >= mass * weights.sum() * (1 - 1e-12)
    assert weights[columns[:-1]].sum() <= mass * weights.sum() * (1 + 1e-12)
    assert sorted(ranking.salient(1)["c"].tolist()) == np.flatnonzero(weights).tolist()


def test_all_mass_includes_weights_too_small_to_change_the_sum():
    weights = np.array([1.0, 1e-30, 0.0, 0.0, 0.0, 1e-20])
    ranking = NeuronRanking.from_scores(
        SPACE, weights, "w", classes=("c",), class_scores=weights[None]
    )
    assert ranking.salient(1)["c"].tolist() == [0, 5, 1]


def test_per_layer_counts_the_top_k(ranking):
    assert ranking.per_layer(3) == {0: 1, 3: 2}
    assert ranking.per_layer(0) == {0: 0, 3: 0}


def test_overlap(ranking):
    other = replace(ranking, order=np.array([1, 0, 3, 2, 4, 5]))
    assert ranking.overlap(ranking, 4) == 1
    assert [ranking.overlap(other, k) for k in (1, 2, 3, 6)] == [0, 0.5, 2 / 3, 1]
    assert ranking.overlap(other, 0) == 0
    elsewhere = NeuronRanking.from_scores(NeuronSpace.of_array(6), SCORES, "array")
    with pytest.raises(InputError, match=r"ranking 'array' is of .*, not of"):
        ranking.overlap(elsewhere, 2)


def test_saved_and_loaded_it_is_the_same(ranking, tmp_path):
    scores = np.array([0.1, 1 / 3, np.nan, 1e-300, -0.0, np.pi])
    class_scores = np.random.default_rng(0).random((2, 6))
    exact = replace(ranking, scores=scores, class_scores=class_scores)
    exact.save(tmp_path / "r.json")
    loaded = NeuronRanking.load(tmp_path / "r.json")
    np.testing.assert_array_equal(loaded.order, exact.order)
    np.testing.assert_array_equal(loaded.scores, scores)
    np.testing.assert_array_equal(loaded.class_scores, class_scores)
    assert loaded.space == exact.space
    assert (loaded.method, loaded.classes) == (exact.method, exact.classes)
    assert (loaded.parameters, loaded.provenance) == (exact.parameters, exact.provenance)
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "r.json").read_bytes()


def test_json_is_standard_json(ranking, tmp_path):
    replace(ranking, scores=np.full(6, np.nan)).save(tmp_path / "r.json")

    def refuse(constant):
        raise ValueError(constant)

    json.loads((tmp_path / "r.json").read_text(), parse_constant=refuse)


def test_without_class_scores(tmp_path):
    ranking = NeuronRanking.from_scores(SPACE, SCORES, "plain")
    ranking.save(tmp_path / "r.json")
    assert NeuronRanking.load(tmp_path / "r.json").class_scores is None
    with pytest.raises(InputError, match="'plain' has no scores per class"):
        ranking.salient()


def test_csv_is_in_rank_order(ranking, tmp_path):
    ranking.save(tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == list("123456")
    assert [f"{row['layer']}:{row['unit']}" for row in rows] == [str(n) for n in ranking.top(6)]
    assert [float(row["score"]) for row in rows] == sorted(SCORES, reverse=True)
    assert [float(row["NOUN"]) for row in rows] == CLASS_SCORES[0][ranking.order].tolist()


def test_data_frame(ranking, tmp_path):
    third = replace(ranking, scores=np.where(np.arange(6) == 4, np.nan, SCORES / 3))
    frame = third.to_pandas()
    assert list(frame.columns) == ["rank", "layer", "unit", "score", "NOUN", "NA"]
    np.testing.assert_array_equal(frame["score"], third.scores[third.order])
    np.testing.assert_array_equal(frame["NOUN"], CLASS_SCORES[0][third.order])
    third.save(tmp_path / "r.csv")
    read = pandas.read_csv(tmp_path / "r.csv")
    pandas.testing.assert_frame_equal(frame, read, rtol=1e-14)


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6]])
def test_an_order_is_a_permutation(order):
    with pytest.raises(InputError, match="not a permutation of 6 neurons"):
        NeuronRanking(SPACE, np.array(order), SCORES, "bad")


def test_shapes_must_fit(ranking):
    with pytest.raises(InputError, match="scores for 6 neurons"):
        replace(ranking, scores=SCORES[:3])
    with pytest.raises(InputError, match="class scores have the wrong shape"):
        replace(ranking, class_scores=CLASS_SCORES[:1])
    for mass in (-0.1, 1.1, np.nan):
        with pytest.raises(InputError, match="give a share from 0 to 1"):
            ranking.salient(mass)


@pytest.mark.parametrize("cls", [NeuronRanking, AblationCurves])
def test_files_that_hold_something_else(cls, tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match=r"x\.json: cannot be read"):
        cls.load(path)
    path.write_text("rank,layer\n")
    with pytest.raises(InputError, match="not valid JSON"):
        cls.load(path)
    for text in ("[]", '{"kind": "elastic-net probe"}'):
        path.write_text(text)
        with pytest.raises(InputError, match=r"x\.json: (does not hold|not a result)"):
            cls.load(path)


def curve(**changes):
    three = (0.25, 0.5, 1 / 3)
    default = AblationCurve(
        method="m",
        retrained=False,
        replacement="zero",
        metric="accuracy",
        n_neurons=6,
        shares=(0.1, 0.5, 1.0),
        counts=(1, 3, 6),
        keep=Sweep(0.9, (0.5, 0.8, 0.9), three, (0.2, 0.4, 0.9), three, three),
        remove=Sweep(0.9, three),
        converged=True,
    )
    return replace(default, **changes)


def test_ablation_curves_survive_saving(tmp_path):
    curves = AblationCurves((curve(), curve(method="other", retrained=True)))
    curves.save(tmp_path / "c.json")
    assert AblationCurves.load(tmp_path / "c.json") == curves


def test_printed_curves_say_what_top_and_random_keep():
    said = str(AblationCurves((curve(),)))
    assert "accuracy 0.9 with all 6 neurons, top 1-6 keeps 0.5 to 0.9, random 0.2 to 0.9" in said
    one = Sweep(0.5, (0.5,), ((0.2,),), (0.2,), (0.2,), (0.2,))
    said = str(curve(shares=(0.5,), counts=(12345,), keep=one, remove=Sweep(0.9, (0.9,))))
    assert "top 12345 keeps 0.5, random 0.2" in said


def test_curves_fill_their_rows():
    """Three rankings, frozen and retrained: a row each, not four panels above two."""
    figure = AblationCurves((curve(),) * 6).plot()
    specs = [axis.get_subplotspec() for axis in figure.axes]
    assert [(s.rowspan.start, s.colspan.start) for s in specs if s] == [
        *((0, 0), (0, 1), (0, 2)),
        *((1, 0), (1, 1), (1, 2)),
    ]


def test_area_above_random():
    assert curve().area_above_random == pytest.approx((0.3 + 0.4 + 0.0) / 3)
    random = replace(curve().keep, top=curve().keep.random_mean)
    assert curve(keep=random).area_above_random == 0


def test_selectivity_and_minimal_set():
    assert Selectivity(0.9, 0.75, 10, True).selectivity == pytest.approx(0.15)
    found = MinimalSet("m", 0.01, 0.9, (0.1, 0.2), (0.5, 0.9), columns=(3, 1), converged=True)
    assert found.share == 0.2
    assert replace(found, columns=None).share is None
