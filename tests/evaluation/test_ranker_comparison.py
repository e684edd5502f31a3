"""The comparison of rankers: all methods on the same words, one's own beside them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.evaluation.ranker_comparison import compare_rankers
from neurox_lite.ranking import METHODS
from neurox_lite.ranking.agreement import AgreementMatrix
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.ranking import NeuronRanking

pytestmark = pytest.mark.heavy

D, PLANTED = 30, [4, 21, 26]


@pytest.fixture(scope="module")
def splits():
    rng = np.random.default_rng(0)
    ids = rng.integers(4, size=1500)
    X = rng.normal(size=(1500, D)).astype(np.float32)
    X[:, PLANTED] += 3 * np.eye(4, 3, dtype=np.float32)[ids]
    y = np.array(["A", "B", "C", "D"])[ids]

    def part(start, stop):
        rows = np.arange(start, stop)
        return LabelledActivations(X[start:stop], y[start:stop], rows, rows // 10)

    return LabelledSplits(part(0, 900), part(900, 1200), part(1200, 1500), {})


@pytest.fixture(scope="module")
def found(splits):
    def range_of_means(X, y):
        means = np.stack([X[y == label].mean(0) for label in np.unique(y)])
        return np.ptp(means, axis=0)

    bottom = nx.ranking.probeless(splits.train.X, splits.train.y).reversed()
    return compare_rankers(
        splits,
        extra={"range of means": range_of_means},
        rankings=[bottom],
        k=3,
        shares=(0.1,),
        n_rows=600,
        n_resamples=2,
    )


def test_every_method_and_ones_own_are_ranked(found):
    assert [r.method for r in found.rankings] == [
        *METHODS,
        "range of means",
        "reverse of probeless",
    ]
    for ranking in found.rankings:
        knows = ranking.method not in ("random", "reverse of probeless")
        assert (sorted(ranking.order[:3].tolist()) == PLANTED) == knows, ranking.method


def test_planted_neurons_score_and_random_and_reverse_do_not(found):
    keep, remove = found.table.column("keep top"), found.table.column("remove top")
    stability = found.table.column("stability")
    good = set(found.table.methods) - {"random", "reverse of probeless"}
    for name in good:
        assert keep[name] > 0.8, name
        assert remove[name] > 0.4, name
        assert stability[name] == 1, name
    for name in ("random", "reverse of probeless"):
        assert keep[name] < min(keep[other] for other in good) - 0.1
        assert remove[name] < min(remove[other] for other in good) - 0.1
    assert stability["random"] < 0.5
    assert stability["reverse of probeless"] is None
    assert found.table.column("seconds")["iou"] > 0


def test_agreement_is_of_all_methods(found):
    assert found.agreement.methods == found.table.methods
    overlap = np.array(found.agreement.overlap)
    assert overlap[0, 1] == 1
    assert overlap[1, -1] == 0


def test_saved_as_files_that_open_again(found, tmp_path):
    (tmp_path / "out/rankings").mkdir(parents=True)
    (tmp_path / "out/rankings/99-of-before.json").write_text("{}")
    found.save(tmp_path / "out")
    assert MethodTable.load(tmp_path / "out/methods.json") == found.table
    assert AgreementMatrix.load(tmp_path / "out/agreement.json") == found.agreement
    assert AblationCurves.load(tmp_path / "out/ablation.json") == found.curves
    ranking = NeuronRanking.load(tmp_path / "out/rankings/05-iou.json")
    assert ranking.order.tolist() == found.rankings[4].order.tolist()
    for figure in ("methods.png", "agreement.png"):
        assert (tmp_path / "out" / figure).stat().st_size > 1000
    assert len(list((tmp_path / "out/rankings").iterdir())) == len(found.rankings)
    assert "NaN" not in json.dumps(json.loads((tmp_path / "out/methods.json").read_text()))


def test_rankings_are_written_as_they_are_made(splits, tmp_path):
    def fails(X, y):
        raise RuntimeError("after hours")

    with pytest.raises(RuntimeError):
        compare_rankers(splits, methods=["variance", "iou"], extra={"mine": fails}, folder=tmp_path)
    written = sorted(path.name for path in (tmp_path / "rankings").iterdir())
    assert written == ["01-variance.json", "02-iou.json"]


def test_the_same_seed_gives_the_same(splits):
    options = {"methods": ["iou", "random"], "n_rows": 300, "n_resamples": 2, "shares": (0.1,)}
    first, again = compare_rankers(splits, **options), compare_rankers(splits, **options)
    for column in ("keep top", "remove top", "stability"):
        assert first.table.column(column) == again.table.column(column)
    other = compare_rankers(splits, **options, seed=1)
    assert other.table.column("keep top") != first.table.column("keep top")


def test_names_of_methods_stay_in_the_folder(splits, tmp_path):
    found = compare_rankers(
        splits,
        methods=["random"],
        extra={"../a/b": lambda X, y: X.mean(0)},
        n_rows=300,
        n_resamples=0,
        shares=(0.1,),
    )
    found.save(tmp_path / "deep/out")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    names = sorted(path.name for path in (tmp_path / "deep/out/rankings").iterdir())
    assert names == ["01-random.json", "02--a-b.json"]


def test_a_method_that_ties_all_neurons_is_compared_too(splits):
    found = compare_rankers(
        splits,
        methods=["iou"],
        extra={"flat": lambda X, y: np.zeros(X.shape[1])},
        n_rows=300,
        n_resamples=1,
        shares=(0.1,),
    )
    assert found.agreement.overlap[0][1] == 0
    assert found.table.column("stability")["flat"] == 0


def test_errors(splits):
    for options, message in [
        ({"k": 31}, "k is 31; give a number from 1 to 30"),
        ({"k": 0}, "k is 0"),
        ({"n_rows": 0}, "n_rows is 0"),
        ({"n_resamples": -1}, "n_resamples is -1"),
        ({"methods": []}, "no methods to compare"),
    ]:
        with pytest.raises(nx.InputError, match=message):
            compare_rankers(splits, **options)
    with pytest.raises(nx.InputError, match="unknown method 'best'"):
        compare_rankers(splits, methods=["best"])
    with pytest.raises(nx.InputError, match="'mine' gives scores of shape"):
        compare_rankers(splits, methods=[], extra={"mine": lambda X, y: X.mean()})
    with pytest.raises(nx.InputError, match="a name occurs twice"):
        compare_rankers(splits, methods=["iou"], extra={"iou": lambda X, y: X.mean(0)})
