"""The report says what is planted, section by section, and nothing else.

Of ``neurox_lite.report.about``, ``neurox_lite.report.answer``, ``neurox_lite.report.blocks``,
``neurox_lite.report.compared``, ``neurox_lite.report.curves``, ``neurox_lite.report.depth``,
``neurox_lite.report.encoded``, ``neurox_lite.report.faults``, ``neurox_lite.report.main_ranking``,
``neurox_lite.report.masks``, ``neurox_lite.report.methods``, ``neurox_lite.report.provenance``,
``neurox_lite.report.steered``, ``neurox_lite.report.subjects``, ``neurox_lite.report.tokens``,
``neurox_lite.report.where``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.intervals import Interval
from neurox_lite.json_files import write_json
from neurox_lite.neurons import Neuron
from neurox_lite.ranking.shared_neurons import shared_neurons
from neurox_lite.report.faults import faults
from neurox_lite.report.found import FoundResults, find_results
from neurox_lite.report.html_report import report_data, write_report
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.pair_task import PairTask
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.saving import SavedResult
from tests.report.planted import SCORES, SPACE, curves, evaluation, plant_job, ranking
from tests.report.test_neuron_table import planted_exemplars
from tests.results.every_result import EVERY, EVIL, fit, mask

PAGED = [
    *("AblationCurves", "AgreementMatrix", "AttributionAgreement", "CompositionalFormulas"),
    *("DescriptionEffects", "DescriptionScores", "Detection", "Exemplars", "Faithfulness"),
    *("KeptTokens", "LayerProfiles", "LayerScores", "LayerSimilarity", "LearningCurve"),
    *("Localisation", "Localisations", "MaskFit", "MaskOverlaps", "MethodTable"),
    *("NeuronDescriptions", "NeuronMask", "NeuronRanking", "OnlineCodeLength", "RankIntervals"),
    *("RegularisationSearch", "SharedNeurons", "SideEffects", "SteeringCurves"),
    *("TokenAttributions",),
]
"""Results that have a section of their own."""


def data_of(folder: Path, neurons: int | None = None) -> dict[str, Any]:
    return report_data(find_results(folder), neurons=neurons)[0]


def section(data: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in data["sections"] if each["id"] == name)
    return found


def texts(value: Any) -> list[str]:
    """Every text in data, also as keys."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.items() for text in texts(list(item))]
    return [text for each in value for text in texts(each)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", PAGED)
def test_every_result_makes_a_page_by_itself_and_its_names_are_data(
    name: str, tmp_path: Path
) -> None:
    result = EVERY[name]
    is_file = isinstance(result, SavedResult) or name == "NeuronRanking"
    result.save(tmp_path / "in" / "r.json" if is_file else tmp_path / "in")
    data, details, sentences = report_data(find_results(tmp_path / "in"), neurons=50)
    assert data["sections"] or data["neurons"]
    for text in texts([data, details, sentences]):
        assert not any(ord(c) < 32 or c in "\u202e\x1b" for c in text), text
    json.dumps([data, details, sentences], allow_nan=False)
    write_report(tmp_path / "in", tmp_path / "r.html", neurons=50)
    page = (tmp_path / "r.html").read_text()
    assert EVIL not in page and "1|<script>" not in page


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NeuronDescriptions", ["A description is"]),
        ("Exemplars", ["No neurons were", "A neuron is"]),
    ],
)
def test_what_neurons_are_about_says_what_is_there(
    name: str, said: list[str], tmp_path: Path
) -> None:
    EVERY[name].save(tmp_path / "in" / "r.json" if name != "Exemplars" else tmp_path / "in")
    text = section(data_of(tmp_path / "in"), "about")["text"]
    assert [each[: len(begin)] for each, begin in zip(text, said, strict=True)] == said


def test_a_job_is_answered_in_its_own_numbers(tmp_path: Path) -> None:
    data = data_of(plant_job(tmp_path / "job"))
    assert data["title"] == "Number in m"
    encoded, minimal, used = data["answer"]
    assert encoded == (
        "Number is encoded in m: a linear probe is right on 90.00 % of the test words (95 % "
        "interval over sentences: 85.00 % to 95.00 %). Always guessing the most frequent label is "
        "right on 50.00 %; the same probe, trained and tested on a random label for each word "
        "type, on 60.00 %."
    )
    assert minimal == (
        "The first 3 neurons of the ranking (50 %) are within 1 point of all of them on dev; on "
        "test they reach 80.00 %, and as many random ones 50.00 % (40.00 % to 60.00 %)."
    )
    assert used.startswith("Whether the model uses these neurons was not measured")
    assert data["warnings"] == []
    assert ["labelled", "100 train, 20 dev, 20 test"] in data["provenance"]
    items = section(data, "encoded")["blocks"][0]["items"]
    assert [item["value"] for item in items] == ["90.00 %", "30.00 points", "3 neurons"]
    assert items[2]["note"].endswith("within 1 point of all")


def test_results_of_no_job_are_of_the_labels_that_they_know(tmp_path: Path) -> None:
    labels = {"tag": "upos", "corpus": ["train=a.conllu", "dev=b.conllu"]}
    for name, known in (("one", {"labels": labels}), ("two", {"labels": labels}), ("random", {})):
        replace(ranking(name), provenance=known).save(tmp_path / f"{name}.json")
    data = data_of(tmp_path)
    assert data["title"] == "upos in m"
    assert ["corpus", "a.conllu, b.conllu"] in data["provenance"]
    of_label = {"labels": labels | {"label": "NOUN"}}
    for name in ("one", "two"):
        replace(ranking(name), provenance=of_label).save(tmp_path / f"{name}.json")
    assert data_of(tmp_path)["title"] == "NOUN of upos in m"
    replace(ranking("two"), provenance={"labels": labels}).save(tmp_path / "two.json")
    assert data_of(tmp_path)["title"] == "m"


def test_an_interval_with_the_majority_in_it_is_not_surely_encoded(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    write_json(folder / "probe/evaluation.json", evaluation(0.6, 0.45))
    assert data_of(folder)["answer"][0].startswith("Number is not surely encoded in m")


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("accuracy", "worse than every random draw at 1 of 2 sizes tried"),
        ("KL from intact", "worse than every random draw at 0 of 2 sizes tried"),
    ],
)
def test_use_is_told_in_the_direction_of_harm(metric: str, said: str, tmp_path: Path) -> None:
    """Top neurons removed: 0.3, and random ones 0.6 to 0.8. Of a KL that is less harm."""
    curves(metric, in_model=True).save(tmp_path / "ablation.json")
    data = data_of(tmp_path)
    assert data["answer"][0].endswith(f"; {said}.")
    first, *_ = section(data, "used")["blocks"]
    drawn = {each["name"]: each for each in first["series"]}
    assert drawn["top (lca)"]["y"] == [0.3, 0.1]
    assert drawn["random neurons"]["low"] == [0.6, 0.1]
    assert len({each["style"] for each in first["series"]}) == len(first["series"])
    assert first["references"] == [{"name": "all neurons", "y": 0.9}]


def test_what_does_not_hold_is_said_first(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job", converged=False)
    replace(fit, feasible=False).save(folder / "mask")
    said = faults(Subjects(find_results(folder)))
    assert said[0] == "the probe did not converge: do not trust its ranking."
    assert said[1] == "Mask: infeasible on held-out examples."
    assert any("is not known: infeasible" in line for line in data_of(folder)["answer"])


def test_words_that_the_model_does_not_know_are_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_job(tmp_path / "job")
    for n_unknown in (4, 62):
        store = {"n_rows": 100, "n_words": 100, "n_unknown_words": n_unknown, "n_split_words": 0}
        monkeypatch.setattr(FoundResults, "stores", {".": store})
        said = data_of(tmp_path / "job")["warnings"]
        assert len(said) == (n_unknown == 62)
    assert said[0].startswith("the tokenizer does not know 62 of 100 words (62 %), which all look")


def test_rankings_alone_give_their_neurons_and_their_agreement(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    ranking("other", -SCORES).save(tmp_path / "other.json")
    data = data_of(tmp_path)
    names = [each["id"] for each in data["sections"]]
    assert names == ["where", "agreement"]
    matrix = section(data, "agreement")["blocks"][0]
    assert matrix["rows"] == ["lca", "other"] and matrix["values"] == [[1, 0], [0, 1]]
    assert data["answer"][0] == "lca puts 0:1, 1:1, 1:0, 0:2, 0:0 first, of 6 neurons of m."
    first, layers = section(data, "where")["blocks"][:2]
    assert [row[0]["neurons"] for row in first["rows"][:2]] == [["0:1"], ["1:1"]]
    assert layers["labels"] == ["0", "1"] and sum(layers["values"]) == 2


def test_tokens_that_decide_are_told_with_their_interval(tmp_path: Path) -> None:
    own = EVERY["Faithfulness"]
    kept = replace(own, methods=("gradient", "random order"))
    kept = replace(kept, above_random=(Interval(0.5, 0.25, 0.75), Interval(0, 0, 0)))
    kept.save(tmp_path / "faithfulness.json")
    assert data_of(tmp_path)["answer"] == [
        "gradient finds tokens that decide: without them the probability falls by 0.5 (0.25 to "
        "0.75) more than in a random order, on 3,000 texts."
    ]
    replace(kept, above_random=(Interval(0.5, -0.1, 1), Interval(0, 0, 0))).save(
        tmp_path / "faithfulness.json"
    )
    assert data_of(tmp_path)["answer"][0].startswith("No method finds tokens that decide surely")


def test_probes_of_labels_are_a_table(tmp_path: Path) -> None:
    one = {"folder": "000", "test_accuracy": 0.9, "majority_accuracy": 0.5}
    one |= {"nonzero_weights": 0.25, "certificate": 0.1, "converged": False}
    (tmp_path / "one_vs_rest.json").write_text(json.dumps({"NOUN": one}))
    data = data_of(tmp_path)
    (table,) = section(data, "encoded")["blocks"]
    assert table["rows"] == [["NOUN", "90.00 %", "50.00 %", "25.00 %", "NO"]]
    assert data["warnings"] == ["probes of NOUN: some of its probes did not converge."]


def test_masks_alone_give_a_page_of_masks(tmp_path: Path) -> None:
    mask.save(tmp_path / "mask")
    fit.save(tmp_path / "fit")
    names = [each["id"] for each in data_of(tmp_path)["sections"]]
    assert names == ["where", "masks"]


def test_neurons_are_links_only_where_they_can_be_opened(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    EVERY["MaskFit"].save(folder / "mask")
    data = data_of(folder)
    first, by_class = (b for b in section(data, "where")["blocks"] if b["kind"] == "table")
    assert first["head"] == ["neuron", "class"]
    assert first["rows"][0] == [{"neurons": ["0:1"], "model": "m"}, "B"]
    assert by_class["rows"][0] == ["A", "1", {"neurons": ["1:1"], "model": "m"}]
    few = data_of(folder, neurons=1)
    # The mask is of another model, which has a table by the ranking beside it.
    of_mask, of_few = (
        b["rows"][0][1]
        for each in (data, few)
        for b in section(each, "masks")["blocks"]
        if b["kind"] == "table" and "fold" in b
    )
    model = data["neurons"][1]["model"]
    assert of_mask == {"neurons": ["0:1", "0:3"], "model": model} and of_few == "0:1, 0:3"
    _, by_class = (b for b in section(few, "where")["blocks"] if b["kind"] == "table")
    assert [row[2] for row in by_class["rows"]] == ["1:1", {"neurons": ["0:1"], "model": "m"}]


def test_several_properties_are_compared_beside_chance(tmp_path: Path) -> None:
    plant_job(tmp_path / "Number")
    plant_job(tmp_path / "Tense", "Tense")
    other = ranking("lca", np.roll(SCORES, 1))
    found = shared_neurons({"Number": ranking(), "Tense": other}, {"Number": 2, "Tense": 2})
    found.save(tmp_path / "shared_neurons.json")
    data = data_of(tmp_path)
    shared = section(data, "shared")
    assert shared["group"] == "compare"
    rows = {row[0]: row[1:] for row in shared["blocks"][2]["rows"]}
    assert rows["Number and Tense"] == ["0", {"neurons": [], "model": "m"}]
    assert rows["only Number"][0] == "2" and "does not tell apart" in shared["text"][0]
    first = (
        "The first neurons of Number (2) and Tense (2) that the rankings tell apart, of 6, share"
    )
    assert f"{first} 0; by chance it would be 0.7" in data["answer"][-1]
    head = section(data, "encoded")["blocks"][0]
    assert [row[0] for row in head["rows"]] == ["Number", "Tense"]
    (table,) = data["neurons"]
    named = [column["title"] for column in table["columns"]]
    assert named[:2] == ["Number: rank by lca", "Tense: rank by lca"]
    assert named[2:5] == ["Number: score", "Number: class", "Tense: class"]
    assert SPACE.neuron(0) == Neuron(0, 0)


def test_a_file_of_another_is_not_replaced(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    (tmp_path / "mine.html").write_text("<p>mine</p>")
    with pytest.raises(InputError, match="was not written by neurox_lite"):
        write_report(folder, tmp_path / "mine.html")
    for _ in range(2):  # its own it replaces
        write_report(folder, folder / "report.html")
    with pytest.raises(InputError, match="neurons is 'some'; give 'all' or a number"):
        write_report(folder, folder / "report.html", neurons="some")
    with pytest.raises(InputError, match="neurons"):
        write_report(folder, folder / "report.html", neurons=0)
    first = (folder / "report.html").read_bytes()
    write_report(folder, folder / "report.html", neurons="all")
    assert (folder / "report.html").read_bytes() == first


def test_neurons_without_an_order_are_not_named_first(tmp_path: Path) -> None:
    scores = np.array([0.0, 2.0, 0.0, 2.0, 1.0, 0.0])
    ranking("lca", scores).save(tmp_path / "ranking.json")
    assert data_of(tmp_path)["answer"] == [
        "lca puts 0:1, 1:0, 1:1 first, of 6 neurons of m. The first 2 are tied, and stand in "
        "layer order."
    ]
    ranking("lca", np.zeros(6)).save(tmp_path / "ranking.json")
    assert data_of(tmp_path)["answer"] == ["lca tells none of 6 neurons of m apart."]


def test_a_probe_no_better_than_its_control_does_not_tell_the_property(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    write_json(folder / "probe/evaluation.json", evaluation(0.62, 0.58))  # its control has 0.6
    said = "Number is encoded no better than random labels per word type in m"
    assert data_of(folder)["answer"][0].startswith(said)


def test_what_was_measured_of_use_is_not_called_unmeasured(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    EVERY["SteeringCurves"].save(folder / "steering.json")
    said = next(s for s in data_of(folder)["answer"] if s.startswith("Whether the model uses"))
    assert "was measured" in said and "encoded does not mean used" in said
    (folder / "steering.json").unlink()
    own = curves(in_model=True).curves[0]
    task = PairTask(5, 10, True, 5, 0.2, 0.8, 0.0, False)
    assert not task.holds
    AblationCurves((replace(own, task=task),)).save(folder / "in_model.json")
    said = next(s for s in data_of(folder)["answer"] if s.startswith("Whether the model uses"))
    assert "was measured, but what was measured does not hold" in said


def test_jobs_of_one_property_and_model_are_told_apart(tmp_path: Path) -> None:
    plant_job(tmp_path / "a")
    plant_job(tmp_path / "b")
    said = data_of(tmp_path)["answer"]
    assert len(set(said)) == len(said)
    assert [line[:3] for line in said[:4]] == ["a: ", "a: ", "b: ", "b: "]


def test_results_beside_the_jobs_of_a_job_of_several_are_not_lost(tmp_path: Path) -> None:
    plant_job(tmp_path / "Number")
    plant_job(tmp_path / "Tense", "Tense")
    (tmp_path / "job.yaml").write_text("corpus: c\nout: o\ntags: [Number, Tense]\n")
    write_json(tmp_path / "stages.json", {})
    folder = plant_job(tmp_path / "x/y")
    (folder / "probe").rename(tmp_path / "probe")
    shutil.rmtree(tmp_path / "x")
    curves("accuracy", in_model=True).save(tmp_path / "ablation.json")
    data = data_of(tmp_path)
    assert any("Without the first" in line for line in data["answer"])
    assert section(data, "used")["blocks"]
    assert len(section(data, "encoded")["blocks"][0]["rows"]) == 3


def test_two_classes_with_one_list_of_neurons_are_said_once(tmp_path: Path) -> None:
    both = np.stack([SCORES, SCORES * (1 + 1e-9)])
    NeuronRanking.from_scores(SPACE, SCORES, "lca", classes=("A", "B"), class_scores=both).save(
        tmp_path / "ranking.json"
    )
    _, table = (b for b in section(data_of(tmp_path), "where")["blocks"] if b["kind"] == "table")
    assert [row[0] for row in table["rows"]] == ["A and B"]


def test_descriptions_alone_are_answered(tmp_path: Path) -> None:
    EVERY["NeuronDescriptions"].save(tmp_path / "d.json")
    data = data_of(tmp_path)
    assert "have a description" in data["answer"][0]
    assert data["neurons"][0]["ordered_by"] is None


def test_a_drawing_has_no_more_lines_than_colours(tmp_path: Path) -> None:
    own = curves().curves[0]
    several = tuple(replace(own, method=f"m{i}") for i in range(7))
    AblationCurves(several).save(tmp_path / "ablation.json")
    drawn = [b for b in section(data_of(tmp_path), "neurons-needed")["blocks"] if "series" in b]
    assert [len(b["series"]) for b in drawn] == [6, 3]  # with the random ones
    assert [b["title"][-12:] for b in drawn] == [" (1 to 5 of 7)"[-12:], " (6 to 7 of 7)"[-12:]]
    names = [each["name"] for b in drawn for each in b["series"]]
    assert [name for name in names if name != "random neurons"] == [f"m{i}" for i in range(7)]


def test_every_column_has_a_name_and_every_class_one(tmp_path: Path) -> None:
    per_class = np.stack([SCORES, SCORES[::-1]])
    NeuronRanking.from_scores(SPACE, SCORES, "lca", classes=("", "B"), class_scores=per_class).save(
        tmp_path / "ranking.json"
    )
    for name in ("MaskFit", "NeuronMask"):
        EVERY[name].save(tmp_path / name)
    for name in ("OnlineCodeLength", "SteeringCurves", "Detection"):
        EVERY[name].save(tmp_path / f"{name}.json")
    plant_job(tmp_path / "a")
    plant_job(tmp_path / "b")
    tables = [b for s in data_of(tmp_path)["sections"] for b in s["blocks"] if b["kind"] == "table"]
    assert all(head and "_" not in head for table in tables for head in table["head"])
    by_class = next(t for t in tables if t["head"][0] == "class")
    assert by_class["rows"][0][0] == "(empty)"


def test_one_is_one(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    minimal = MinimalSet("lca", 0.01, 0.9, (0.1,), (0.895,), (1,), True)
    write_json(folder / "minimal_set.json", {**asdict(minimal), "share": minimal.share})
    data = data_of(folder)
    assert data["answer"][1].startswith(
        "The first neuron of the ranking (10 %) is within 1 point of all of them on dev"
    )
    last = section(data, "encoded")["blocks"][0]["items"][-1]
    assert (last["value"], last["note"][-19:]) == ("1 neuron", "within 1 point of all"[-19:])


def test_exemplars_of_some_neurons_are_not_called_all(tmp_path: Path) -> None:
    every = planted_exemplars()
    some = {name: array[[1, 4]] for name, array in every.arrays.items()}
    replace(every, arrays={**some, "columns": np.array([1, 4])}).save(tmp_path / "exemplars")
    (block,) = section(data_of(tmp_path), "about")["blocks"]
    assert block["title"] == "The first 2 of 6 neurons by the ranking, by kind"


def test_neurons_without_an_order_have_no_rank_interval(tmp_path: Path) -> None:
    places = tuple(range(6))
    known = RankIntervals(
        "lca", SPACE, 0.95, places, places, places, (places,) * 3, 2, (2,) * 3, True
    )
    known.save(tmp_path / "rank_intervals.json")
    blocks = section(data_of(tmp_path), "certainty")["blocks"]
    said = next(block["text"] for block in blocks if block["kind"] == "note")
    assert said.startswith("The ranking does not tell 4 neurons apart; they have no rank")
    (shown,) = (b for each in blocks for b in each.get("blocks", [each]) if b["kind"] == "table")
    assert len(shown["rows"]) == 2 and shown["caption"] == "The first 2 of lca"


def test_a_minimal_set_is_compared_with_its_own_ranking_and_units(tmp_path: Path) -> None:
    """Its share may lie between those of the curve: then the nearest is told, in the same words."""
    folder = plant_job(tmp_path / "job")
    minimal = MinimalSet("lca", 0.01, 0.9, (0.7,), (0.895,), (1, 4, 3, 2), True)
    (own,) = curves().curves
    other = replace(own, method="other", keep=replace(own.keep, top=(0.1, 0.1)))
    AblationCurves((other, own)).save(folder / "ablation.json")

    def said() -> str:
        minimal.save(folder / "minimal_set.json")
        return str(data_of(folder)["answer"][1])

    assert said() == (
        "The first 4 neurons of the ranking (70 %) are within 1 point of all of them on dev; on "
        "test the first 3 (50 %, the nearest share tried there) reach 80.00 %, and as many random "
        "ones 50.00 % (40.00 % to 60.00 %)."
    )
    chance = replace(own, keep=replace(own.keep, top=own.keep.random_high))
    AblationCurves((chance,)).save(folder / "ablation.json")
    assert said().endswith(
        "60.00 %, and as many random ones 50.00 % (40.00 % to 60.00 %): no better than these."
    )
    minimal = replace(minimal, shares=(0.5,), units="heads")
    assert said() == (
        "The first 50 % of the heads of the ranking (4 neurons) are within 1 point of all of them "
        "on dev."
    )


def test_a_ranked_neuron_that_the_model_cannot_read_is_said(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    every = planted_exemplars()
    largest = np.where(np.arange(6) == 1, 1e-32, 1.0)
    found = replace(every, arrays={**every.arrays, "smallest": -largest, "largest": largest})
    found.save(tmp_path / "exemplars")
    assert found.negligible == [Neuron(0, 1)] and "negligible 0:1" in str(found)
    notes = [
        b["text"] for b in section(data_of(tmp_path), "where")["blocks"] if b["kind"] == "note"
    ]
    assert len(notes) == 1 and notes[0].startswith("0:1 (rank 1): varies by less than 1e-12")
    _, (details,), _ = report_data(find_results(tmp_path), neurons=None)
    assert [
        ["of its layer's spread", "below 1e-12: negligible"] in own["facts"] for own in details[0]
    ] == [True, *[False] * 5]
