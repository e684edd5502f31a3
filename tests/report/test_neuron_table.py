"""Table and details of neurons, in the order of the main ranking.

Of ``neurox_lite.report.neuron_rows``, ``neurox_lite.report.neuron_details``,
``neurox_lite.report.best_class``, ``neurox_lite.report.examples`` and
``neurox_lite.report.found_again``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.report.examples import AROUND, STEPS, UNKNOWN, ZERO
from neurox_lite.report.found import find_results
from neurox_lite.report.html_report import report_data
from neurox_lite.results.ranking import NeuronRanking
from tests.report.planted import SCORES, SPACE, ranking
from tests.results.every_result import EVERY

ORDER = ["0:1", "1:1", "1:0", "0:2", "0:0", "1:2"]


def made(folder: Path, neurons: int | None = None) -> tuple[dict[str, Any], list[Any], list[Any]]:
    data, (details,), sentences = report_data(find_results(folder), neurons=neurons)
    (table,) = data["neurons"]
    return table, details, sentences


def column(table: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = (each for each in table["columns"] if each["title"] == title)
    return found


def test_ranks_of_all_methods_stand_in_the_order_of_the_main_one(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    ranking("reverse", -SCORES).save(tmp_path / "a.json")
    part = NeuronSpace("m", "mlp", (1,), (3,), revision="sha256:00")
    NeuronRanking.from_scores(part, np.array([0.0, 2.0, 1.0]), "part").save(tmp_path / "b.json")
    table, details, _ = made(tmp_path)
    assert table["ids"] == ORDER and table["layers"] == [0, 1, 1, 0, 0, 1]
    assert column(table, "rank by lca")["values"] == [1, 2, 3, 4, 5, 6]
    assert column(table, "rank by reverse")["values"] == [6, 5, 4, 3, 2, 1]
    assert column(table, "rank by part")["values"] == [None, 1, 3, None, None, 2]
    assert table["ordered_by"] == "lca"
    assert column(table, "score")["values"] == [0.9, 0.8, 0.3, 0.2, 0.1, 0.0]
    assert column(table, "class")["values"] == ["B", "A", None, None, None, None]
    assert table["classes"] == [{"of": "", "names": ["A", "B"], "values_are": "score by lca"}]
    assert table["of"] == 6
    assert details[0][0]["weights"] == [[0.0, 0.9]]


def test_only_the_first_are_shown_and_how_many_there_are(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    table, details, _ = made(tmp_path, neurons=2)
    assert (table["ids"], table["of"]) == (ORDER[:2], 6)
    assert sum(map(len, details)) == 2


def test_rank_intervals_stand_at_their_ranking(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    ranks = tuple(ranking().ranks.tolist())
    low = tuple(max(0, rank - 1) for rank in ranks)
    high = tuple(min(5, rank + 1) for rank in ranks)
    known = RankIntervals("lca", SPACE, 0.95, ranks, low, high, (ranks,), 6, (6,), True)
    known.save(tmp_path / "rank_intervals.json")
    found = column(made(tmp_path)[0], "rank by lca")
    assert found["low"] == [1, 1, 2, 3, 4, 5] and found["high"] == [2, 3, 4, 5, 6, 6]


def test_intervals_of_another_ranking_of_the_same_method_are_not_its_own(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    ranks = tuple(range(6))
    RankIntervals("lca", SPACE, 0.95, ranks, ranks, ranks, (ranks,), 6, (6,), True).save(
        tmp_path / "rank_intervals.json"
    )
    assert "low" not in column(made(tmp_path)[0], "rank by lca")


def test_neurons_that_a_method_does_not_tell_apart_have_no_rank(tmp_path: Path) -> None:
    own = ranking("lca", np.array([0.0, 0.9, 0.0, 0.0, 0.8, np.nan]))
    own.save(tmp_path / "ranking.json")
    ranks = tuple(own.ranks.tolist())
    RankIntervals("lca", SPACE, 0.95, ranks, ranks, ranks, (ranks,), 6, (6,), True).save(
        tmp_path / "rank_intervals.json"
    )
    found = column(made(tmp_path)[0], "rank by lca")
    for each in ("values", "low", "high"):
        assert found[each] == [1, 2, None, None, None, None]


def test_the_class_is_that_of_the_largest_signed_weight(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 6))
    y = np.where(X[:, 1] - X[:, 4] > 0, "A", "B")
    probe = ElasticNetProbe(l1=0.02, tol=1e-2).fit(X, y)
    probe.space_ = SPACE
    probe.save(tmp_path / "probe")
    weights = np.abs(probe.coef_)
    NeuronRanking.from_scores(
        SPACE, weights.max(0), "lca", classes=("A", "B"), class_scores=weights
    ).save(tmp_path / "ranking.json")
    table, _, _ = made(tmp_path)
    assert [each["values_are"] for each in table["classes"]] == ["weight in the probe"]
    named = dict(zip(table["ids"], column(table, "class")["values"], strict=True))
    assert (named["0:1"], named["1:1"]) == ("A", "B")
    for place, neuron in enumerate(map(str, map(SPACE.neuron, range(6)))):
        assert (named[neuron] is None) == (not probe.coef_[:, place].any())


def planted_exemplars(n_words: int = 40) -> Exemplars:
    """Neuron 0:1 is highest at the word 20 of a long sentence, where its level is the largest."""
    n = SPACE.n_neurons
    words = tuple(f"w{i}" for i in range(n_words))
    whole = {
        "values": np.full((n, 2, 1), 12.7),
        "examples": np.zeros((n, 2, 1), int),
        "places": np.full((n, 2, 1), 20),
        "levels": np.zeros((n, 2, 1, 31), np.int8),
    }
    whole["levels"][1, 0, 0, 15] = 127
    whole["levels"][1, 0, 0, 16] = -127
    whole["levels"][1, 0, 0, 14] = -128
    empty = {f"quantile_{name}": value[:, :, :0] for name, value in whole.items()}
    found = {name: np.full((n, 2, 1), -1) for name in ("words",)}
    found |= {name: np.zeros((n, 2, 1)) for name in ("word_means", "word_lows", "word_highs")}
    found |= {
        name: np.zeros(n) for name in ("of_position", "of_word", "smallest", "largest", "medians")
    }
    found |= {"sparseness": np.linspace(0, 0.5, n), "categories": np.full(n, 3)}
    found |= {"scales": np.full(n, 0.1), "histogram": np.ones((n, 3), int)}
    arrays = {**whole, **empty, **found}
    forms, labels, counts = ("a",), ("X",), (5,)
    return Exemplars(SPACE, "my.conllu", 1, n_words, (words,), forms, labels, counts, {}, arrays)


def test_exemplars_show_a_window_with_levels(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    planted_exemplars().save(tmp_path / "exemplars")
    table, details, sentences = made(tmp_path)
    first = details[0][0]  # 0:1
    assert sentences == [[f"w{i}" for i in range(40)]]
    assert [band["name"] for band in first["bands"]] == ["highest", "lowest"]
    ((number, place, shown_from, levels, exact),) = first["bands"][0]["examples"]
    assert (number, place, shown_from, exact) == (0, 20, 20 - AROUND, 12.7)
    assert len(levels) == 2 * AROUND + 1
    assert levels[AROUND - 1 : AROUND + 2] == UNKNOWN + chr(ZERO + STEPS) + chr(ZERO - STEPS)
    assert np.isclose(first["scale"] * STEPS, 12.7, rtol=1e-3)
    assert first["category"] == "sparse" and first["histogram"]["counts"] == [1, 1, 1]
    assert column(table, "density")["values"] == [0.1, 0.4, 0.3, 0.2, 0.0, 0.5]
    assert table["source"] == "my.conllu"


def test_a_short_sentence_is_shown_whole(tmp_path: Path) -> None:
    planted_exemplars(21).save(tmp_path / "exemplars")
    table, details, _ = made(tmp_path)
    assert table["ids"] == [str(SPACE.neuron(i)) for i in range(6)]  # there is no ranking
    _, _, first, levels, _ = details[0][1]["bands"][0]["examples"][0]
    assert (first, len(levels)) == (8, 13)


def test_descriptions_bring_their_own_exemplars(tmp_path: Path) -> None:
    found = EVERY["NeuronDescriptions"]
    own = replace(found.exemplars[0], neuron=Neuron(0, 1))
    replace(found, exemplars=(own,)).save(tmp_path / "descriptions.json")
    table, details, sentences = made(tmp_path)
    assert table["ids"] == ["0:1"]
    one = details[0][0]
    assert one["descriptions"]["highest"]["found"][0]["auprc"] == 0.5
    assert one["descriptions"]["lowest"]["found"] == [] and one["descriptions"]["lowest"]["none"]
    assert len(sentences) == 1
    number, place, first, levels, exact = one["bands"][0]["examples"][0]
    assert (number, place, first, exact) == (0, 0, 0, 0.5)
    assert levels[1] == UNKNOWN and levels[0] != UNKNOWN
    assert column(table, "AUPRC")["values"] == [0.5]


def test_effects_and_tokens_are_those_of_the_neuron(tmp_path: Path) -> None:
    space = EVERY["NeuronRanking"].space
    EVERY["NeuronRanking"].save(tmp_path / "ranking.json")
    EVERY["DescriptionEffects"].save(tmp_path / "effects.json")
    EVERY["TokensWritten"].save(tmp_path / "tokens.json")
    table, details, _ = made(tmp_path)
    every = [one for chunk in details for one in chunk]
    by_id = dict(zip(table["ids"], every, strict=True))
    assert [effect[1] for effect in by_id["0:1"]["effects"]] == [0.5, 0.5]
    assert by_id["0:3"]["tokens"]["raises"][1] == "-LRB-" and by_id["0:4"]["tokens"] is None
    assert [effect[1] for effect in by_id["0:3"]["effects"]] == [0.5] * len(by_id["0:3"]["effects"])
    values = column(table, "causal effect")["values"]
    assert values[table["ids"].index("0:1")] == 0.5 and values.count(None) == space.n_neurons - 1


def test_twins_are_of_the_model_or_of_another(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    other = NeuronSpace("other", "mlp", (3,), (2,))
    own = NeuronTwins(SPACE, None, (Neuron(0, 1),), ((0, 5),), ((0.9, -0.5),), 10)
    own.save(tmp_path / "exemplars/twins.json")
    NeuronTwins(SPACE, other, (Neuron(0, 1),), ((1,),), ((0.7,),), 10).save(tmp_path / "o.json")
    _, details, _ = made(tmp_path)
    assert details[0][0]["twins"] == [["0:0", 0.9], ["1:2", -0.5]]
    assert details[0][0]["others"] == [["other", "3:1", 0.7, False]]
    assert details[0][1]["twins"] == []


def test_every_model_has_a_table_and_twins_are_found_in_it(tmp_path: Path) -> None:
    other = NeuronSpace("n", "mlp", (4,), (4,), revision="sha256:11")
    ranking().save(tmp_path / "a/ranking.json")
    scores = np.array([0.0, 3.0, 2.0, 1.0])
    NeuronRanking.from_scores(other, scores, "lca").save(tmp_path / "b.json")
    NeuronTwins(SPACE, other, (Neuron(0, 1),), ((1, 3),), ((0.7, 0.6),), 10).save(
        tmp_path / "t.json"
    )
    NeuronTwins(other, SPACE, (Neuron(4, 1),), ((1,),), ((0.7,),), 10).save(tmp_path / "u.json")
    data, details, _ = report_data(find_results(tmp_path), neurons=2)
    assert [(one["model"], one["ids"], one["of"]) for one in data["neurons"]] == [
        ("n", ["4:1", "4:2"], 4),
        ("m", ORDER[:2], 6),
    ]
    of_n, of_m = (chunks[0][0] for chunks in details)
    assert of_n["others"] == [["m", "0:1", 0.7, True]]
    assert of_m["others"] == [["n", "4:1", 0.7, True], ["n", "4:3", 0.6, False]]  # 4:3 is no row
    (drawn, of_m, of_n) = next(s for s in data["sections"] if s["id"] == "found-again")["blocks"]
    assert [one["name"] for one in drawn["series"]] == ["m in n", "n in m"]
    assert drawn["series"][0]["y"] == [1.0] * 15 + [0.0] * 6  # up to 0.7
    pair = [{"neurons": ["0:1"], "model": "m"}, {"neurons": ["4:1"], "model": "n"}, "0.700"]
    assert of_m["rows"] == [pair] and of_n["rows"] == [[pair[1], pair[0], "0.700"]]


def test_groups_of_a_model_have_a_table_of_their_own(tmp_path: Path) -> None:
    space = NeuronSpace("m", "attention_heads", (0, 1), (4, 4))
    for name, one in (("a", space), ("b", space.heads(2)), ("c", space.by_layer())):
        scores = np.arange(one.n_neurons)
        NeuronRanking.from_scores(one, scores, "h").save(tmp_path / f"{name}.json")
    tables = report_data(find_results(tmp_path), neurons=None)[0]["neurons"]
    assert [(one["model"], len(one["ids"])) for one in tables] == [
        ("m, attention_heads, neurons", 8),
        ("m, attention_heads, heads", 4),
        ("m, attention_heads, layers", 2),
    ]


def test_exemplars_of_some_neurons_stand_at_these(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    every = planted_exemplars()
    some = {name: array[[1, 4]] for name, array in every.arrays.items()}
    replace(every, arrays={**some, "columns": np.array([1, 4])}).save(tmp_path / "exemplars")
    table, details, _ = made(tmp_path)
    assert column(table, "density")["values"] == [0.1, 0.4, None, None, None, None]
    assert [bool(one["bands"]) for one in details[0]] == [True, True, False, False, False, False]


def test_heads_have_ranks_and_no_exemplars(tmp_path: Path) -> None:
    heads = NeuronSpace("m", "attention_heads", (0, 1), (4, 4)).heads(2)
    NeuronRanking.from_scores(heads, np.array([1.0, 3.0, 2.0, 0.0]), "h").save(tmp_path / "h.json")
    planted_exemplars().save(tmp_path / "exemplars")
    table, details, sentences = made(tmp_path)
    assert (table["unit_name"], table["ids"]) == ("heads", ["0:1", "1:0", "0:0", "1:1"])
    assert details[0][0]["bands"] == [] and sentences == []


def test_words_of_the_table_are_those_with_the_highest_mean(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    every = planted_exemplars()
    words = np.full((6, 2, 2), -1)
    words[1, 0], words[1, 1] = (1, 0), (0, -1)  # 0:1, the first of the ranking
    forms = {"forms": ("a", "b"), "labels": ("X", "X"), "counts": (5, 5)}
    shape = {name: np.zeros((6, 2, 2)) for name in ("word_means", "word_lows", "word_highs")}
    replace(every, **forms, arrays={**every.arrays, **shape, "words": words}).save(tmp_path / "e")
    table, _, _ = made(tmp_path)
    assert column(table, "highest words")["values"] == ["b a", None, None, None, None, None]
