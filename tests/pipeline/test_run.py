"""A job on an embedded model, end to end: it arrives, and does nothing twice.

Also of ``neurox_lite.measure``, ``neurox_lite.pipeline.figures``, ``neurox_lite.pipeline.stage``,
``neurox_lite.pipeline.study``, ``neurox_lite.pipeline.workspace``,
``neurox_lite.report.study``, ``neurox_lite.report.summary``.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from neurox_lite.activations.store import ActivationStore
from neurox_lite.attribution.faithfulness import Faithfulness
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.reading import read_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.descriptions.neuron_description import NeuronDescriptions
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.pipeline.job import (
    AblateOptions,
    AttributeOptions,
    DescribeOptions,
    Job,
    ProbeOptions,
)
from neurox_lite.pipeline.run import run_job
from neurox_lite.pipeline.stages import STAGES
from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.probing.online_code import OnlineCodeLength
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.search import RegularisationSearch
from neurox_lite.report.job_files import EXEMPLARS, TWINS
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.token_attributions import TokenAttributions
from tests.processes import start_command

pytestmark = pytest.mark.heavy

BASE = Job(model="", corpus="", tag="t", out="")
"""Neither a search nor a study."""

OF_WORDS = Workspace(BASE, TaggedCorpus([["a"]], {"t": [["A"]]}))
ALL = tuple(stage.name for stage in STAGES if stage.is_wanted(OF_WORDS))


def first_sentences(split: str, count: int, folder: Path) -> str:
    """The first sentences of the embedded corpus as a file of its own."""
    import gzip

    path = folder / f"{split}.conllu"
    with gzip.open(embedded_path(f"corpora/english-{split}.conllu.gz"), "rt") as file:
        path.write_text("\n\n".join(file.read().split("\n\n")[:count]) + "\n\n")
    return str(path)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("corpus")
    return Job(
        model=str(embedded_path("models/lstm-0")),
        corpus={s: first_sentences(s, 120, folder) for s in ("train", "dev", "test")},
        tag="upos",
        out=str(folder / "results"),
        extract=ExtractOptions(device="cpu"),
        probe=ProbeOptions(l1=0.01, tol=1e-3, min_count=2),
        ablate=AblateOptions(shares=[0.05, 0.5], n_random=2),
    )


@pytest.fixture(scope="module")
def done(job: Job) -> Path:
    result = run_job(job)
    assert result.ran == ALL
    assert result.converged
    return result.folder


def test_folder_holds_everything(done: Path) -> None:
    expected = {name for stage in STAGES if stage.name in ALL for name in stage.files}
    assert expected <= {str(p.relative_to(done)) for p in done.rglob("*")}
    assert not list(done.rglob("*.partial"))


def test_results_load_and_make_sense(done: Path) -> None:
    ranking = NeuronRanking.load(done / "ranking.json")
    evaluation = json.loads((done / "probe/evaluation.json").read_text())
    frozen, retrained = AblationCurves.load(done / "ablation.json").curves
    assert ranking.space.layers == (0, 1, 2)
    assert evaluation["test_accuracy"] > 0.9 > 0.5 > evaluation["majority_accuracy"]
    assert frozen.intact == retrained.intact == evaluation["test_accuracy"]
    assert frozen.keep.top[1] > frozen.keep.bottom[1]


def test_summary_tells_the_measured_numbers(done: Path) -> None:
    summary = (done / "summary.md").read_text()
    evaluation = json.loads((done / "probe/evaluation.json").read_text())
    best = NeuronRanking.load(done / "ranking.json").top(1)[0]
    assert f"{100 * evaluation['test_accuracy']:.2f} %" in summary
    assert f"Top 10 (layer:unit): {best}," in summary
    with ActivationStore(done / "store.h5") as store:
        n_words, n_unknown = (store.metadata[name] for name in ("n_words", "n_unknown_words"))
    assert f"{n_unknown:,} of {n_words:,} words ({100 * n_unknown / n_words:.2f} %) hold" in summary
    assert "NOT CONVERGED" not in summary


def test_second_run_does_nothing(job: Job, done: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in done.rglob("*") if p.is_file()}
    result = run_job(job)
    assert (result.ran, result.skipped) == ((), ALL)
    assert before == {p: p.stat().st_mtime_ns for p in done.rglob("*") if p.is_file()}


def test_a_changed_option_redoes_what_depends_on_it(job: Job, done: Path) -> None:
    changed = replace(job, ablate=replace(job.ablate, replacement="mean"))
    assert run_job(changed).ran == ("ablate", "summary", "report")
    assert run_job(job).ran == ("ablate", "summary", "report")


def test_of_many_neurons_the_first_are_looked_at(
    job: Job, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(done, out := tmp_path / "out")
    (out / ".lock").unlink(missing_ok=True)
    (out / "exemplars/twins.json").unlink()
    (out / "exemplars/exemplars.json").unlink()
    monkeypatch.setattr("neurox_lite.pipeline.workspace.LOOKED_AT", 8)

    assert run_job(replace(job, out=str(out))).ran == ("exemplars", "twins")

    first = NeuronRanking.load(out / "ranking.json").top(8)
    exemplars, twins = EXEMPLARS.read(out), TWINS.read(out)
    every = EXEMPLARS.read(done)
    assert twins.neurons == tuple(first) and len(exemplars) == 8 < len(every)
    for neuron in first:
        assert exemplars.of(neuron).highest.examples == every.of(neuron).highest.examples


def test_heads_and_sentences_have_no_exemplars() -> None:
    heads = replace(BASE, units="heads", extract=ExtractOptions(site="attention_heads"))
    for other in (heads, replace(BASE, extract=ExtractOptions(pooling="mean"))):
        assert not Workspace(other, OF_WORDS.words).has_exemplars


def test_a_study_adds_its_stages(job: Job, done: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)
    (out / ".lock").unlink(missing_ok=True)
    study = replace(job, out=str(out), study=True, table_format="csv")

    result = run_job(study)

    added = ("layers", "redundancy", "online code", "learning curve", "rank intervals")
    assert result.ran == ("control", "describe", *added, "summary", "report")
    found = NeuronDescriptions.load(out / "descriptions/descriptions.json")
    assert [own.neuron for own in found.exemplars] == NeuronRanking.load(out / "ranking.json").top(
        20
    )
    assert result.converged
    scores = LayerScores.load(out / "layer_scores.json")
    evaluation = json.loads((out / "probe/evaluation.json").read_text())
    assert scores.layers == (0, 1, 2)
    assert scores.cumulative[-1] == pytest.approx(evaluation["test_accuracy"])
    summary = (out / "summary.md").read_text()
    code = OnlineCodeLength.load(out / "online_code.json")
    assert f"| compression | {code.compression:.2f} |" in summary
    assert code.compression > 2 and (out / "online_code.png").is_file()
    sets = json.loads((out / "redundancy.json").read_text())
    columns = [column for found in sets for column in found["columns"] or ()]
    assert len(columns) == len(set(columns))
    tables = ("control", "minimal_set", "redundancy", "online_code", "layer_scores")
    rows = {name: (out / f"{name}.csv").read_text().splitlines() for name in tables}
    assert rows["control"][0].endswith(",selectivity")
    assert rows["redundancy"][0] == f"set,{rows['minimal_set'][0]}"
    numbers = [row.split(",")[0] for row in rows["redundancy"][1:]]
    assert numbers == [str(n) for n, found in enumerate(sets, 1) for _ in found["shares"]]
    assert len(rows["layer_scores"]) == 4
    assert "; 3 seeds, " in summary
    assert run_job(study).ran == ()
    assert run_job(replace(study, study=False)).ran == ("control", "summary", "report")
    assert not (out / "online_code.json").exists() and not (out / "online_code.csv").exists()


def test_a_search_chooses_the_penalties(job: Job, done: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)
    (out / ".lock").unlink(missing_ok=True)
    searching = replace(job, out=str(out), probe=replace(job.probe, search=True))

    result = run_job(searching)

    assert result.ran == ("search", *ALL[1:])
    search = RegularisationSearch.load(out / "search.json")
    probe = ElasticNetProbe.load(out / "probe")
    assert (probe.l1, probe.l2) == search.best
    assert f"Chosen: l1 = {probe.l1:g}, l2 = {probe.l2:g}." in (out / "summary.md").read_text()
    assert result.converged
    run_job(replace(searching, probe=job.probe))
    assert not (out / "search.json").exists()
    assert "| search |" not in (out / "summary.md").read_text()


def test_a_damaged_file_is_made_again(job: Job, done: Path) -> None:
    (done / "ranking.csv").write_text("rank\n")
    assert run_job(job).ran == ("rank",)
    (done / "control.json").unlink()
    assert run_job(job).ran == ("control",)


def test_other_labels_keep_the_activations(job: Job, done: Path, tmp_path: Path) -> None:
    """Only the labels of the same words change: extraction is not redone."""
    relabelled = {}
    for split, path in dict(job.corpus).items():  # type: ignore[arg-type]
        text = Path(path).read_text().replace("\tADV\t", "\tADJ\t")
        relabelled[split] = str(tmp_path / Path(path).name)
        Path(relabelled[split]).write_text(text)
    assert run_job(replace(job, corpus=relabelled)).skipped == ("extract",)
    assert "extract" in run_job(job).skipped


def test_other_words_keep_the_activations(job: Job, done: Path, tmp_path: Path) -> None:
    """What counts is which words are chosen: a changed list of words is another choice."""
    out, listed = tmp_path / "out", tmp_path / "words.txt"
    shutil.copytree(done, out)
    (out / ".lock").unlink(missing_ok=True)
    words = sorted({w for p in dict(job.corpus).values() for w in read_conllu(p).words()})  # type: ignore[arg-type]
    listed.write_text("\n".join(words[: len(words) // 2]))
    chosen = WordSelection(file=str(listed), where={"position": [str(n) for n in range(24)]})
    job = replace(job, out=str(out), words=chosen)

    assert run_job(job).skipped == ("extract",)
    summary = (out / "summary.md").read_text()
    assert "; only words chosen by file `words.txt`, where `position=0,1,2," in summary
    assert run_job(job).ran == ()
    listed.write_text("\n".join(words))
    assert run_job(job).skipped == ("extract",)
    assert (out / "ranking.csv").read_bytes() == (done / "ranking.csv").read_bytes()


def test_words_that_leave_nothing_are_said_before_extraction(job: Job, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="no word passes the word filter"):
        run_job(replace(job, out=str(out), words=WordSelection(pattern="qqq")))
    unseen_in_train = WordSelection(max_frequency=0)
    with pytest.raises(InputError, match="fewer than two classes"):
        run_job(replace(job, out=str(out), words=unseen_in_train))
    assert not out.exists()


def test_a_foreign_folder_is_left_alone(job: Job, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(InputError, match="holds other files"):
        run_job(replace(job, out=str(tmp_path)))
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "files",
    [
        {"stages.json": '["build", "test"]', "thesis.tex": "all of it"},
        {"stages.json": '{"build": {"image": "x"}}', "thesis.tex": "all of it"},
        {"stages.json": "{}", "ablation.png": "my own figure"},
        {"stages.json": "{}", "summary.md": "# My summary"},
        {"stages.json": "{}", "store.h5": "my own data"},
        {"stages.json": "{}", "probe/probe.json": '{"kind": "Pod"}'},
    ],
)
def test_files_that_no_run_wrote_are_left_alone(
    job: Job, tmp_path: Path, files: dict[str, str]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"holds other files|was not written by neurox_lite"):
        run_job(replace(job, out=str(tmp_path)))
    left = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == files


def test_the_folder_of_the_model_is_no_folder_of_results(job: Job, tmp_path: Path) -> None:
    model = shutil.copytree(job.model, tmp_path / "model")
    for out in (model, model / "results"):
        with pytest.raises(InputError, match=r"is an input, too|is in the folder of the model"):
            run_job(replace(job, model=str(model), out=str(out)))
    assert not (model / "results").exists()


def test_what_is_published_does_not_say_where_it_was_made(job: Job, done: Path) -> None:
    """Only job.yaml does, which says what was asked for."""
    places = [str(Path(job.out).parent).encode(), str(Path(job.model).parent).encode()]
    for path in done.rglob("*"):
        if path.is_file() and path.name != "job.yaml":
            content = path.read_bytes()
            assert not any(place in content for place in places), path
    assert "Labels `upos` of train.conllu, " in (done / "summary.md").read_text()


def test_unknown_tag_is_said_before_extraction(job: Job, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="no labels called 'pos'"):
        run_job(replace(job, tag="pos", out=str(out)))
    assert not out.exists()


def test_another_run_in_the_folder_is_refused(job: Job, done: Path) -> None:
    with FileLock(done / ".lock"), pytest.raises(InputError, match="another run works there"):
        run_job(job)


@pytest.mark.parametrize("content", ["[]", "{", '{"extract": 3}', '{"extract": {}}'])
def test_a_damaged_record_only_costs_time(job: Job, tmp_path: Path, content: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "stages.json").write_text(content)
    assert run_job(replace(job, out=str(out))).ran == ALL


def test_a_failed_job_leaves_no_results_of_another(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    run_job(replace(job, out=str(out)))
    failing = replace(job, out=str(out), tag="Number")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patched:
        patched.setattr("neurox_lite.pipeline.stages.linguistic_correlation", fail)
        with pytest.raises(RuntimeError):
            run_job(failing)
    left = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} - {".lock"}
    probe = {f"probe/{name}" for name in ("probe.safetensors", "probe.json", "evaluation.json")}
    assert left == {"store.h5", "stages.json", "job.yaml", "control.json", *probe}
    assert run_job(failing).skipped == ("extract", "probe", "control")


def test_a_killed_run_is_taken_up_again(job: Job, tmp_path: Path) -> None:
    """SIGKILL at several moments, from the start of extraction to the last stage."""
    (tmp_path / "job.yaml").write_text(replace(job, out=str(tmp_path / "out")).to_yaml())
    for stage in ("extract", "probe", "ablate"):
        process, stderr = start_command(["run", str(tmp_path / "job.yaml")])
        for line in stderr:
            if line.startswith(f"{stage}: running"):
                process.kill()
                break
        process.join()
        assert process.exitcode == -signal.SIGKILL
    result = run_job(replace(job, out=str(tmp_path / "out")))
    assert result.converged
    assert {"extract", "probe"} <= set(result.skipped)
    assert not list((tmp_path / "out").rglob("*.partial"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ablate": AblateOptions(shares=[2.0])}, "shares: give numbers above 0"),
        ({"ablate": AblateOptions(shares=[])}, "shares: give numbers above 0"),
        ({"ablate": AblateOptions(delta=float("nan"))}, "delta"),
        ({"ablate": AblateOptions(n_random=0)}, "n_random"),
        ({"probe": ProbeOptions(l1=-1.0)}, "l1"),
        ({"probe": ProbeOptions(min_count=0)}, "min_count"),
        ({"probe": ProbeOptions(class_weight="even")}, "class_weight"),
        ({"seed": -1}, "seed"),
    ],
)
def test_values_out_of_range_are_said_at_once(job: Job, options: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        replace(job, **options)


def test_rare_classes_are_said_before_extraction(job: Job, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="occurs once in train"):
        run_job(Job(job.model, rare(tmp_path), "rare", str(out)))
    assert not out.exists()


def rare(folder: Path) -> dict[str, str]:
    """A corpus in which one class of the layer "rare" occurs once in train."""
    files = {}
    for split in ("train", "dev", "test"):
        rows = [("the", "DET"), ("dog", "NOUN"), ("sleeps", "VERB")]
        text = "".join(
            f"{i}\t{w}\t_\t{t}\t_\t_\t_\t_\t_\trare={w if split == 'train' else 'the'}\n"
            for i, (w, t) in enumerate(rows, start=1)
        )
        files[split] = str(folder / f"rare-{split}.conllu")
        Path(files[split]).write_text(text + "\n")
    return files


def test_not_converged_is_said(job: Job, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = replace(job.probe, max_iter=3)
    hurried = replace(job, out=str(tmp_path / "out"), probe=options)
    with caplog.at_level(logging.ERROR), pytest.warns(UserWarning, match="did not converge"):
        result = run_job(hurried)
    assert not result.converged
    assert "NOT CONVERGED" in (tmp_path / "out/summary.md").read_text()


def test_single_file_is_split_at_random_by_sentence() -> None:
    path = str(embedded_path("corpora/english-dev.conllu.gz"))
    corpus = read_splits(path, seed=1)
    texts = {s: set() for s in ("train", "dev", "test")}  # type: ignore[var-annotated]
    for number, split in enumerate(corpus.splits):
        texts[split].add(corpus.text(number))
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["dev"]
    assert read_splits(path, seed=1).splits == corpus.splits != read_splits(path, seed=2).splits


def test_the_tokens_that_decide(job: Job, done: Path, tmp_path: Path) -> None:
    out = shutil.copytree(done, tmp_path / "results")
    options = AttributeOptions(
        ["uniform", "leave-one-out"], {"leave-one-out": {"state": 1}}, neurons=2, n_texts=3
    )
    with_tokens = replace(job, out=str(out), attribute=options)
    assert run_job(with_tokens).ran == ("attribute", "summary", "report")
    faith = Faithfulness.load(out / "attribution/faithfulness.json")
    assert faith.methods == ("uniform", "leave-one-out", "random order")
    assert faith.n_texts == 3
    found = TokenAttributions.load(out / "attribution/leave-one-out.json")
    assert found.words and found.parameters["state"] == 1
    summary = (out / "summary.md").read_text()
    assert "## Which tokens decide?" in summary and "the top 2 neurons of the ranking" in summary
    assert run_job(with_tokens).ran == ()
    assert run_job(replace(job, out=str(out))).ran == ("summary", "report")
    assert not (out / "attribution/leave-one-out.json").exists()
    assert "Which tokens decide" not in (out / "summary.md").read_text()
    with pytest.raises(InputError, match="unknown method 'uniformly'"):
        replace(job, attribute=AttributeOptions(["uniformly"]))
    with pytest.raises(InputError, match="methods: give each once"):
        replace(job, attribute=AttributeOptions(["uniform", "uniform"]))
    for options, message in {
        "state: {a: 1}": "options: 'state' is not among the methods",
        "noise: {steps: 1}": "unknown option of noise 'steps'",
        "noise: {state: 0.5}": "options: noise: state is 0.5; give a whole number",
        "noise: {entropy_weight: 1e-1}": "",
    }.items():
        (tmp_path / "job.yaml").write_text(
            "model: m\ncorpus: c\ntag: t\nout: o\n"
            f"attribute: {{methods: [noise], options: {{{options}}}}}"
        )
        if message:
            with pytest.raises(InputError, match=message):
                Job.read(tmp_path / "job.yaml")
    assert Job.read(tmp_path / "job.yaml").attribute.options == {"noise": {"entropy_weight": 0.1}}


def test_what_the_first_neurons_are_about(job: Job, done: Path, tmp_path: Path) -> None:
    out = shutil.copytree(done, tmp_path / "results")
    described = replace(job, out=str(out), describe=DescribeOptions(2, min_count=1))
    assert run_job(described).ran == ("describe", "summary", "report")
    found = NeuronDescriptions.load(out / "descriptions/descriptions.json")
    top = NeuronRanking.load(out / "ranking.json").top(2)
    assert [own.neuron for own in found.exemplars] == top
    summary = (out / "summary.md").read_text()
    assert "## What are they about?" in summary and f"| {top[0]} | highest |" in summary
    assert (out / "descriptions/descriptions.html").is_file()
    assert run_job(described).ran == ()
    assert run_job(replace(job, out=str(out))).ran == ("summary", "report")
    assert not (out / "descriptions/descriptions.json").exists()
    with pytest.raises(InputError, match="describe: neurons"):
        replace(job, describe=DescribeOptions(-1))
    with pytest.raises(InputError, match="describe: takes a row per word"):
        replace(job, describe=DescribeOptions(2), extract=replace(job.extract, pooling="mean"))


def test_other_results_in_the_folder_are_in_the_report_and_damaged_ones_do_not_end_a_run(
    job: Job, done: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "results"
    shutil.copytree(done, out, copy_function=shutil.copy2)
    own = replace(job, out=str(out))
    assert run_job(own).ran == ()
    ranking = NeuronRanking.load(out / "ranking.json")
    replace(ranking, method="another").save(out / "more.json")
    text = (out / "more.json").read_text()
    (out / "broken.json").write_text(text[: len(text) // 2])
    assert run_job(own).ran == ("report",)
    assert "broken.json" in caplog.text
    page = (out / "report.html").read_text()
    assert "Left out of this report: broken.json" in page and "another" in page
    assert run_job(own).ran == ()
    (out / "broken.json").unlink()
    assert run_job(own).ran == ("report",)
    assert "Left out of this report" not in (out / "report.html").read_text()
