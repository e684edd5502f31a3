"""Results are found wherever they lie; what is not ours is left alone, what is damaged named.

Of ``neurox_lite.report.evaluations``, ``neurox_lite.report.notes`` and
``neurox_lite.report.result_files``.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.json_files import write_json
from neurox_lite.report.data import skipped_lines
from neurox_lite.report.found import CONTROL_TASK, EVALUATION, MINIMAL, find_results
from neurox_lite.report.html_report import report_data, write_report
from neurox_lite.report.notes import notes
from neurox_lite.report.result_files import other_files
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.saving import SavedResult
from neurox_lite.saved_results import CLASS_OF, IN_FOLDERS
from tests.report.planted import curves, evaluation, plant_job, ranking
from tests.results.every_result import EVERY, fit, mask

SAVED = {
    name: result
    for name, result in EVERY.items()
    if any(known.endswith(f".{name}") for known in (*CLASS_OF.values(), *IN_FOLDERS.values()))
}


@pytest.mark.parametrize("name", SAVED)
def test_every_saved_result_is_found(name: str, tmp_path: Path) -> None:
    result = SAVED[name]
    is_file = isinstance(result, SavedResult) or name == "NeuronRanking"
    result.save(tmp_path / "deep/er" / "r.json" if is_file else tmp_path / "deep/er/own")
    kinds = [each.kind for each in find_results(tmp_path).results]
    own = {kind for kind, known in CLASS_OF.items() if known.endswith(f".{name}")}
    assert own <= set(kinds) and kinds
    assert any(type(each.result).__name__ == name for each in find_results(tmp_path).results)


def test_a_job_is_found_with_its_files_that_do_not_say_their_kind(tmp_path: Path) -> None:
    found = find_results(plant_job(tmp_path / "job"))
    assert {each.kind for each in found.results} == {
        *(EVALUATION, CONTROL_TASK, MINIMAL, "neuron ranking", "ablation curves"),
    }
    assert found.homes == (".",)
    assert found.jobs["."]["tag"] == "Number"


def test_results_belong_to_the_job_above_them(tmp_path: Path) -> None:
    plant_job(tmp_path / "a", "Number")
    plant_job(tmp_path / "b", "Tense")
    curves().save(tmp_path / "b/more/ablation.json")
    ranking().save(tmp_path / "other.json")
    found = find_results(tmp_path)
    assert set(found.homes) == {".", "a", "b"}
    by_path = {each.path.as_posix(): each.home for each in found.results}
    assert by_path["b/more/ablation.json"] == "b" and by_path["other.json"] == "."
    subjects = Subjects(found)
    assert subjects.labels == {"a": "Number", "b": "Tense", ".": ""}
    assert subjects.title == "Number, Tense in m"


def test_properties_stand_in_the_order_of_their_job(tmp_path: Path) -> None:
    tags = ["Tense", "Number", "Aspect"]
    for tag in sorted(tags):
        plant_job(tmp_path / "job" / tag, tag)
    job = {"model": "m", "corpus": "my.conllu", "tags": tags, "out": "job"}
    (tmp_path / "job/job.yaml").write_text(yaml.safe_dump(job))
    write_json(tmp_path / "job/stages.json", {})
    for folder, before in ((tmp_path / "job", ""), (tmp_path, "job/")):
        found = find_results(folder)
        assert found.homes == tuple(f"{before}{tag}" for tag in tags)
        assert Subjects(found).title == "Tense, Number, Aspect in m"
    (table,) = report_data(found, neurons=None)[0]["neurons"]
    assert [each["title"] for each in table["columns"][:4]] == [
        *(f"{tag}: rank by lca" for tag in tags),
        "Tense: score",
    ]


def test_a_mask_is_found_once_with_its_fit(tmp_path: Path) -> None:
    fit.save(tmp_path / "fit")
    mask.save(tmp_path / "mask")
    kinds = sorted(each.kind for each in find_results(tmp_path).results)
    assert kinds == ["mask fit", "neuron mask", "neuron ranking"]


def test_other_files_and_links_to_folders_are_left_alone(tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    (tmp_path / "control.json").write_text('{"mine": 1}')
    (tmp_path / "notes.json").write_text("no JSON at all")
    (tmp_path / "job.yaml").write_text("- not a job")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere.json")
    (tmp_path / ".hidden").mkdir()
    ranking().save(tmp_path / ".hidden/ranking.json")
    assert [each.path.as_posix() for each in find_results(tmp_path).results] == ["ranking.json"]


def test_a_kind_of_a_later_version_is_said_to_be_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ranking().save(tmp_path / "ranking.json")
    (tmp_path / "new.json").write_text('{"kind": "dreams", "checksum": "0"}')
    with caplog.at_level(logging.WARNING):
        find_results(tmp_path)
    assert "new.json: a result of an unknown kind ('dreams') is left out" in caplog.text


@pytest.mark.parametrize("name", ["ranking.json", "control.json", "ablation.json"])
def test_a_damaged_file_is_named(name: str, tmp_path: Path) -> None:
    path = plant_job(tmp_path / "job") / name
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        find_results(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("probe/evaluation.json", '{"test_accuracy": 0.5, "certificate": {}}'),
        ("probe/one_vs_rest.json", '{"NOUN": {"folder": "000"}}'),
        ("ranking.json", ""),
        ("control.json", '{"task_accuracy": 1, "control_accuracy": NaN}'),
        ("control.json", '{"task_accuracy": 1, "control_accuracy": null}'),
        ("job.yaml", "a: ["),
        ("job.yaml", "corpus: c\nout: o\nlabel_map: 4\n"),
        ("probe/evaluation.json", json.dumps({**evaluation(), "test_accuracy": None})),
        ("probe/evaluation.json", json.dumps({**evaluation(), "test_accuracy_interval": "a"})),
        ("probe/evaluation.json", json.dumps({**evaluation(), "per_class": [3]})),
        ("probe/evaluation.json", json.dumps({**evaluation(), "confusions": [{"label": "A"}]})),
        ("probe/evaluation.json", json.dumps({**evaluation(), "certificate": 3})),
        ("probe/evaluation.json", json.dumps({**evaluation(), "left_out": [1]})),
    ],
)
def test_a_file_that_says_less_than_it_should_is_named(
    name: str, content: str, tmp_path: Path
) -> None:
    folder = plant_job(tmp_path / "job")
    (folder / name).write_text(content)
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        write_report(folder, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_damaged_store_does_not_keep_from_a_report(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    (folder / "store.h5").write_text("no store")
    data = report_data(find_results(folder), neurons=None)[0]
    assert data["notes"][0].startswith("Left out of this report: store.h5: ")
    write_report(folder, tmp_path / "report.html")
    assert "Left out of this report: store.h5" in (tmp_path / "report.html").read_text()


def test_what_the_summary_says_is_left_out_is_noted(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    (folder / "summary.md").write_text(skipped_lines([f"line {i}" for i in range(1200)]))
    found = find_results(folder)
    counts = {"n_words": 100, "n_unknown_words": 90, "n_split_words": 0, "n_dropped_words": 1}
    found.__dict__["_stores"] = {".": {**counts, "n_truncated_words": 2, "n_rows": 97}}
    skipped, lost = notes(Subjects(found))
    assert skipped == "1,200 sentences with bad lines are left out."
    assert lost.startswith("3 words have no activation and are left out: 2 beyond")


def test_results_of_single_commands_know_their_property_and_the_store_beside_them(
    tmp_path: Path,
) -> None:
    labels = {"tag": "upos", "label": "NOUN", "corpus": ["train=a.conllu", "test=b.conllu"]}
    own = {**evaluation(), "provenance": {"labels": labels}}
    write_json(tmp_path / "probe/evaluation.json", own)
    ranking().save(tmp_path / "ranking.json")

    def write_store(name: str, model: str) -> None:
        (tmp_path / name).unlink(missing_ok=True)
        corpus = TaggedCorpus([["a", "b", "c"]])
        facts = {"n_words": 3, "n_unknown_words": 3, "n_split_words": 0, "n_truncated_words": 0}
        metadata = {"model": model, "revision": "r", "site": "mlp", "aggregation": "last"}
        with open_writer(
            tmp_path / name, corpus, dtype="float32", metadata=metadata | facts
        ) as writer:
            writer.append({0: np.ones((3, 3), np.float32)}, ())
            writer.finish({"n_dropped_words": 0})

    def report() -> dict[str, Any]:
        return report_data(find_results(tmp_path), neurons=None)[0]

    (tmp_path / "other.h5").write_text("of another program")
    data = report()
    assert (data["title"], data["warnings"], data["notes"]) == ("NOUN of upos in m", [], [])
    assert ["corpus", "a.conllu, b.conllu"] in data["provenance"]
    write_store("other.h5", "another")
    assert report()["warnings"] == []
    write_store("other.h5", "m")
    assert "does not know 3 of 3 words" in report()["warnings"][0]
    write_store("second.h5", "m")
    assert report()["warnings"] == [], "which of them is not known"
    replace(ranking(), provenance={"labels": {"tag": "xpos"}}).save(tmp_path / "ranking.json")
    assert report()["title"] == "m", "of two properties"


def test_a_probe_of_nothing_is_left_alone_and_a_name_is_no_kind(tmp_path: Path) -> None:
    ranking().save(tmp_path / "exemplars.json")
    (tmp_path / "probe.json").write_text("{}")
    (found,) = find_results(tmp_path).results
    assert found.kind == "neuron ranking"


def test_other_files_are_those_that_no_run_recorded(tmp_path: Path) -> None:
    folder = plant_job(tmp_path / "job")
    files = dict.fromkeys(("ranking.json", "control.json"), "0")
    write_json(folder / "stages.json", {"rank": {"key": "0", "files": files}})
    named = [name for name, _, _ in other_files(folder)]
    assert named == ["ablation.json", "minimal_set.json", "probe/evaluation.json"]
    assert other_files(tmp_path, ("job",)) == [[f"job/{n}", *o] for n, *o in other_files(folder)]


def test_arrays_that_are_gone_are_named(tmp_path: Path) -> None:
    EVERY["Exemplars"].save(tmp_path / "own")
    (tmp_path / "own/exemplars.safetensors").unlink()
    with pytest.raises(InputError, match=r"own/exemplars\.json: cannot be read"):
        find_results(tmp_path)


def test_a_field_of_another_type_is_named(tmp_path: Path) -> None:
    ranking().save(tmp_path / "r.json")
    data = json.loads((tmp_path / "r.json").read_text())
    data["order"] = ["x"]
    del data["checksum"]
    (tmp_path / "r.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"r\.json"):
        find_results(tmp_path)


def test_a_folder_without_results_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no results; give the folder of a job"):
        find_results(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_results(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        find_results(tmp_path / "file")
