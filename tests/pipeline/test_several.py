"""A job of several tags and models: extracted once per model, resumed, compared.

Also of ``neurox_lite.pipeline.comparison``, ``neurox_lite.pipeline.job_result``,
``neurox_lite.pipeline.leaves``, ``neurox_lite.pipeline.result_folder``,
``neurox_lite.pipeline.single``, ``neurox_lite.report.comparison`` and
``neurox_lite.report.comparison_files``.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from filelock import FileLock
from safetensors.torch import load_file, save_file

import neurox_lite as nx
from neurox_lite.activations.store import ActivationStore
from neurox_lite.cli.main import main
from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.evaluation.localisation import localisation
from neurox_lite.evaluation.localisations import Localisations
from neurox_lite.extraction.extract import extract
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.pipeline import comparison, stages, workspace
from neurox_lite.pipeline.comparison import SeveralJobs
from neurox_lite.pipeline.job import AblateOptions, Job, ProbeOptions
from neurox_lite.pipeline.run import run_job
from neurox_lite.ranking.layer_profiles import LayerProfiles
from neurox_lite.ranking.shared_neurons import SharedNeurons
from neurox_lite.report.found import find_results
from neurox_lite.report.html_report import report_data
from neurox_lite.results.ranking import NeuronRanking

pytestmark = pytest.mark.heavy

TAGS, MODELS = ["Number", "Tense"], ["lstm-0", "lstm-1"]
UNITS = np.random.default_rng(0).permutation(128)
STAGES = (
    *("probe", "control", "rank", "minimal set", "ablate"),
    *("exemplars", "twins", "summary", "report"),
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The first sentences of the embedded corpus, with some labels of one value only."""
    folder, files = tmp_path_factory.mktemp("corpus"), {}
    for split in ("train", "dev", "test"):
        path = folder / f"{split}.conllu"
        with gzip.open(embedded_path(f"corpora/english-{split}.conllu.gz"), "rt") as file:
            text = "\n\n".join(file.read().split("\n\n")[:60]) + "\n\n"
        path.write_text(text.replace("\tDET\t_\t_", "\tDET\t_\tOne=Yes"))
        files[split] = str(path)
    return files


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """An embedded model, and the same with its units in another order: unit j is UNITS[j]."""
    first = embedded_path(f"models/{MODELS[0]}")
    second = tmp_path_factory.mktemp("models") / MODELS[1]
    shutil.copytree(first, second)
    weights = {}
    for name, own in load_file(second / "model.safetensors").items():
        # Rows are units four times, once for each gate, but those of embeddings are words.
        gates = torch.cat([torch.from_numpy(UNITS) + 128 * gate for gate in range(4)])
        own = own[gates] if own.shape[0] == 4 * 128 else own
        weights[name] = own[:, UNITS].contiguous() if own.ndim == 2 else own
    save_file(weights, second / "model.safetensors", metadata={"format": "pt"})
    return [str(first), str(second)]


@pytest.fixture(scope="module")
def base(corpus: dict[str, str], models: list[str]) -> Job:
    return Job(
        model=models[0],
        corpus=corpus,
        tag="",
        out="",
        tags=TAGS,
        extract=ExtractOptions(device="cpu", layers=[1, 2]),
        probe=ProbeOptions(l1=0.01, tol=1e-2, min_count=2),
        ablate=AblateOptions(shares=[0.5], n_random=1, retrain=False),
    )


@pytest.fixture(scope="module")
def extractions() -> Iterator[list[str]]:
    """The models that are extracted; and few resamples, for time."""
    models: list[str] = []

    def counted(model: str, *arguments: object, **options: object) -> ActivationStore:
        models.append(model)
        return extract(model, *arguments, **options)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "extract", counted)
        patch.setattr(comparison, "localisation", partial(localisation, n_resamples=2))
        yield models


@pytest.fixture(scope="module")
def tags_job(base: Job, tmp_path_factory: pytest.TempPathFactory) -> Job:
    return replace(base, out=str(tmp_path_factory.mktemp("several") / "tags"))


@pytest.fixture(scope="module")
def done(tags_job: Job, extractions: list[str]) -> Path:
    result = run_job(tags_job)
    assert result.ran == (
        "extract",
        *(f"{tag}: {stage}" for tag in TAGS for stage in STAGES),
        *(f"localise {tag}" for tag in TAGS),
        "comparison",
        "report of all",
    )
    assert result.converged
    assert extractions == [tags_job.model]
    return result.folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_each_tag_has_what_a_job_of_it_alone_writes(
    tags_job: Job, done: Path, extractions: list[str], tmp_path: Path
) -> None:
    alone = replace(tags_job, tag="Number", tags=[], out=str(tmp_path / "alone"))
    run_job(alone)
    own, of_several = contents(tmp_path / "alone"), contents(done / "Number")
    assert own.keys() == of_several.keys()
    differ = {name for name in own if own[name] != of_several[name]}
    # Only times, costs and the name of the folder.
    assert differ <= {
        "job.yaml",
        "stages.json",
        "store.h5",
        "summary.md",
        "ablation.json",
        "report.html",
    }
    assert NeuronRanking.load(done / "Number/ranking.json").top(9) == NeuronRanking.load(
        tmp_path / "alone/ranking.json"
    ).top(9)
    assert (done / "Number/store.h5").is_symlink() and not (done / "store.h5").is_symlink()
    assert yaml.safe_load((done / "Number/job.yaml").read_text())["tag"] == "Number"
    extractions.clear()
    assert run_job(Job.read(done / "Number/job.yaml")).ran == ()
    assert extractions == []


def test_results_of_all_tags(done: Path) -> None:
    shared = nx.load_result(done / "shared_neurons.json")
    assert isinstance(shared, SharedNeurons) and shared.properties == tuple(TAGS)
    profiles = LayerProfiles.load(done / "layer_profiles.json").profiles
    assert [(one.name, one.model) for one in profiles] == [(tag, "lstm-0") for tag in TAGS]
    assert [sum(one.counts) for one in profiles] == [len(own) for own in shared.neurons]
    localised = Localisations.load(done / "localisation.json")
    assert [one.tag for one in localised.results] == TAGS
    for name in ("shared_neurons.png", "layer_profiles.png", "localisation.png"):
        assert (done / name).is_file()
    summary = (done / "summary.md").read_text()
    assert summary.startswith("# Number, Tense: which neurons of lstm-0?\n")
    count = shared.counts[0]
    assert f"| Number and Tense | {count.neurons} | {count.expected:.1f} |" in summary
    for heading in ("Is each encoded?", "Which neurons do they share?", "How localised is each?"):
        assert f"## {heading}" in summary
    assert "than in another" not in summary
    assert "does not tell apart" in summary and "\n- Both have " in summary
    job = yaml.safe_load((done / "job.yaml").read_text())
    assert job["tags"] == TAGS and "tag" not in job and "models" not in job


def test_a_second_run_does_nothing_and_a_changed_option_redoes_what_it_changes(
    tags_job: Job, done: Path, extractions: list[str]
) -> None:
    before = contents(done)
    assert run_job(tags_job).ran == ()
    assert contents(done) == before
    extractions.clear()
    changed = replace(tags_job, ablate=replace(tags_job.ablate, replacement="mean"))
    ablated = tuple(f"{tag}: {stage}" for tag in TAGS for stage in ("ablate", "summary", "report"))
    assert run_job(changed).ran == (*ablated, "comparison", "report of all")
    pdf = replace(changed, figure_format="pdf", table_format="csv")
    assert "comparison" in run_job(pdf).ran
    names = set(contents(done))
    assert {"shared_neurons.pdf", "localisation.csv"} <= names and "localisation.png" not in names
    run_job(tags_job)
    assert set(contents(done)) == set(before)
    assert extractions == []


def test_interrupted_and_taken_up_again(
    base: Job, extractions: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After extraction; and after one tag is localised."""
    job = replace(base, out=str(tmp_path / "out"))
    extractions.clear()

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(stages, "linguistic_correlation", fail)
        run_job(job)
    own = comparison.localisation
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(
            comparison,
            "localisation",
            lambda splits, tag, **options: (
                fail() if tag == "Tense" else own(splits, tag, **options)
            ),
        )
        run_job(job)
    assert not (tmp_path / "out/summary.md").exists()
    result = run_job(job)
    assert result.ran == ("localise Tense", "comparison", "report of all")
    assert extractions == [base.model]
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith((".partial", ".lock"))]


def test_two_tags_of_two_models(
    base: Job,
    done: Path,
    models: list[str],
    extractions: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first model has what was found before, in a folder of its own."""
    job = replace(base, model="", models=models, out=str(tmp_path / "out"))
    extractions.clear()
    result = run_job(job)
    assert extractions == models
    assert result.ran[:2] == ("extract lstm-0", "extract lstm-1")
    assert "lstm-1/Number: probe" in result.ran and "localise lstm-1/Number" in result.ran
    out = result.folder
    assert (out / "lstm-0/store.h5").is_file() and (out / "lstm-1/Number/store.h5").is_symlink()
    first = NeuronRanking.load(out / "lstm-0/Number/ranking.json")
    assert first.top(9) == NeuronRanking.load(done / "Number/ranking.json").top(9)
    localised = Localisations.load(out / "localisation.json")
    found = [(one.model, one.tag) for one in localised.results]
    assert found == [(model, tag) for model in MODELS for tag in TAGS]
    check_twins(out)
    for model in MODELS:
        assert SharedNeurons.load(out / model / "shared_neurons.json").space.layers == (1, 2)
        assert (out / model / "shared_neurons.png").is_file()
    profiles = LayerProfiles.load(out / "layer_profiles.json").profiles
    assert [(one.model, one.name) for one in profiles] == found
    difference = localised.differences()[0]
    assert difference.paired and (difference.model, difference.other) == tuple(MODELS)
    summary = (out / "summary.md").read_text()
    assert "which neurons of lstm-0 and lstm-1?" in summary
    assert f"Number, neurons for 95 %: lstm-0 takes {difference.value:.3g} times as" in summary
    assert "## Which neurons do they share? (lstm-1)" in summary
    assert run_job(job).ran == ()
    one_tag = replace(job, tags=["Tense"], out=str(tmp_path / "one"))
    for model in MODELS:  # what there is already is found in the folder of each
        shutil.copytree(out / model, tmp_path / "one" / model, symlinks=True)
    for name in ("localisation", "twins"):
        shutil.copytree(out / name, tmp_path / "one" / name)
    shutil.copy(out / "stages.json", tmp_path / "one")
    assert run_job(one_tag).ran == ("comparison", "report of all")
    # Of many neurons there are twins of the first of the ranking, on which they depend then.
    monkeypatch.setattr(workspace, "LOOKED_AT", 8)
    between = ("twins of lstm-0 in lstm-1", "twins of lstm-1 in lstm-0")
    assert run_job(one_tag).ran == (*between, "report of all")
    few = NeuronTwins.load(tmp_path / "one/twins/lstm-1/lstm-0.json")
    ranking = NeuronRanking.load(tmp_path / "one/lstm-1/Tense/ranking.json")
    assert few.neurons == tuple(ranking.top(8))
    assert "do they share" not in (tmp_path / "one/summary.md").read_text()


def check_twins(out: Path) -> None:
    """Of every neuron its copy in the other model, which the page of each leads to."""
    copies = {(0, 1): np.argsort(UNITS), (1, 0): UNITS}
    data, details, _ = report_data(find_results(out), neurons=50)
    assert [table["model"] for table in data["neurons"]] == MODELS
    for (one, other), copy in copies.items():
        found = NeuronTwins.load(out / f"twins/{MODELS[one]}/{MODELS[other]}.json")
        assert (found.space.model, found.other_space.model) == (MODELS[one], MODELS[other])
        assert len(found) == 2 * 128
        for neuron in found.neurons:
            twin, r = found.of(neuron)[0]
            assert twin == (neuron.layer, copy[neuron.unit]) and r == pytest.approx(1, abs=1e-4)
        table, rows = data["neurons"][one], [each for chunk in details[one] for each in chunk]
        assert len(table["ids"]) == len(rows) == 50
        titles = [column["title"] for column in table["columns"] if column["kind"] == "rank"]
        assert titles == [f"{tag}: rank by linguistic-correlation" for tag in TAGS]
        there = set(data["neurons"][other]["ids"])
        for name, row in zip(table["ids"], rows, strict=True):
            first = str(found.of(name)[0][0])
            assert row["others"][0] == [MODELS[other], first, 1, first in there]


def test_tags_that_cannot_be_are_said_before_extraction(
    base: Job, extractions: list[str], tmp_path: Path
) -> None:
    extractions.clear()
    job = replace(base, out=str(tmp_path / "out"))
    with pytest.raises(InputError, match=r"no labels called 'Numbr'.*did you mean 'Number'"):
        run_job(replace(job, tags=["Tense", "Numbr"]))
    with pytest.raises(InputError, match="'One' has fewer than two classes"):
        run_job(replace(job, tags=["Number", "One"]))
    assert extractions == [] and not (tmp_path / "out").exists()


def test_a_later_model_is_looked_at_before_the_first_is_extracted(
    base: Job, models: list[str], extractions: list[str], tmp_path: Path
) -> None:
    extractions.clear()
    deep = str(embedded_path("models/gpt2"))
    options = replace(base.extract, layers=[3])
    job = replace(base, extract=options, model="", out=str(tmp_path / "out"))
    with pytest.raises(InputError, match=r"layer 3"):
        run_job(replace(job, models=[deep, models[0]]))
    assert extractions == [] and not (tmp_path / "out").exists()


def test_a_rule_for_labels_of_one_tag_is_not_asked_of_the_other(base: Job, tmp_path: Path) -> None:
    job = replace(base, label_map=["Plur=Many", "Past=Gone"], out=str(tmp_path / "out"))
    rules = [leaf.job.label_map for leaf in SeveralJobs.of(job).leaves]
    assert rules == [["Plur=Many"], ["Past=Gone"]]
    # Nothing of Number is left for the last rule.
    every = replace(job, label_map=["Plur=Many", "Sing=One", "Past=Gone", ".*=Rest"])
    rules = [leaf.job.label_map for leaf in SeveralJobs.of(every).leaves]
    assert rules == [["Plur=Many", "Sing=One"], ["Past=Gone", ".*=Rest"]]
    with pytest.raises(InputError, match=r"label_map 'Sg=x': it matches no label of any of them"):
        run_job(replace(job, label_map=["Sg=x"]))
    with pytest.raises(InputError, match="Number, Tense: no label has a prefix"):
        run_job(replace(job, strip_bio=True))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"tags": ["Number", "Number"]}, "tags: 'Number' is there twice; give each once"),
        ({"tags": ["Number", "Tense"], "tag": "upos"}, "give tag or tags, not both"),
        ({"tag": "upos", "models": ["a", "b"]}, "give model or models, not both"),
        ({"tag": "upos", "model": "", "models": ["a", "a"]}, "models: 'a' is there twice"),
        ({"tags": ["Number", ""]}, "tags: one is empty"),
        ({"tags": []}, "missing key 'tag'"),
        ({"tags": "Number,Tense"}, "tags is 'Number,Tense'; give a list, as"),
    ],
)
def test_keys_of_a_job_that_exclude_each_other(
    keys: dict[str, object], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump({"model": "m", "corpus": "c", "out": "o", **keys}))
    with pytest.raises(InputError, match=says):
        Job.read(path)


def test_a_list_of_one_is_a_job_of_one(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("models: [m]\ncorpus: c\ntags: [upos]\nout: o\n")
    job = Job.read(path)
    assert job == Job("m", "c", "upos", "o") and not job.is_several
    path.write_text("models: [m, n]\ncorpus: c\ntags: [upos, Number]\nout: o\n")
    several = Job.read(path)
    assert several.is_several
    path.write_text(several.to_yaml())
    assert Job.read(path) == several


def test_folders_of_one_name_are_refused(base: Job, models: list[str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/lstm-0").symlink_to(models[0])
    both = [models[0], str(tmp_path / "other/lstm-0")]
    with pytest.raises(InputError, match=r"models: .* would both have the folder 'lstm-0'"):
        run_job(replace(base, model="", models=both, out=str(tmp_path / "out")))
    with pytest.raises(InputError, match="tags: 'x/y' and 'x--y' would both have the folder"):
        run_job(replace(base, tags=["x/y", "x--y"], out=str(tmp_path / "out")))
    with pytest.raises(InputError, match=r"tags: 'summary\.md' is the name of a file of results"):
        run_job(replace(base, tags=["x", "summary.md"], out=str(tmp_path / "out")))


def test_other_folders_are_left_alone(
    base: Job, tags_job: Job, done: Path, extractions: list[str], tmp_path: Path
) -> None:
    """Jobs of one tag and of several stay out of each other's folder, and of a stranger's."""
    extractions.clear()
    before = contents(done)
    with pytest.raises(InputError, match="results of a job of several tags or models"):
        run_job(replace(tags_job, tags=[], tag="Number"))
    assert contents(done) == before
    single = shutil.copytree(done / "Number", tmp_path / "single")
    with pytest.raises(InputError, match="results of a job of one tag and one model"):
        run_job(replace(base, out=str(single)))
    foreign = tmp_path / "foreign"
    (foreign / "Tense").mkdir(parents=True)
    with pytest.raises(InputError, match=r"foreign: exists and holds other files"):
        run_job(replace(base, out=str(foreign)))
    (foreign / "stages.json").write_text("{}")
    (foreign / "Tense/thesis.tex").write_text("all of it")
    with pytest.raises(InputError, match=r"Tense: exists and holds other files"):
        run_job(replace(base, out=str(foreign)))
    with FileLock(done / ".lock"), pytest.raises(InputError, match="another run works there"):
        run_job(tags_job)
    assert extractions == []


def test_a_store_of_an_earlier_job_of_one_tag_is_kept(
    base: Job, done: Path, extractions: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    shutil.copytree(done / "Number", out / "Number")  # with a store of its own, no link
    (out / "stages.json").write_text("{}")
    assert not (out / "Number/store.h5").is_symlink()
    result = run_job(replace(base, out=str(out)))
    assert "Number: probe" in result.skipped
    assert not (out / "Number/store.h5").is_symlink()


def test_words_and_sentences_are_not_mixed(base: Job, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "text,label\n" + "".join(f"a b{n % 3} c{n},{'xy'[n % 2]}\n" for n in range(60))
    )
    job = replace(base, corpus=str(tmp_path / "c.csv"), text_column="text", label_column="label")
    with pytest.raises(InputError, match="'label' and 'position' are not both of words"):
        run_job(replace(job, tags=["label", "position"], out=str(tmp_path / "out")))


def test_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one,folder").mkdir()
    jobs: list[Job] = []
    monkeypatch.setattr("neurox_lite.cli.run_job.run", lambda job, as_json: jobs.append(job))
    options = ["run", "--corpus", "c", "--out", "o", "--tag", "upos, Number,Tense", "--model"]
    assert main([*options, "a,b"]) == 0
    assert (jobs[0].models, jobs[0].tags) == (["a", "b"], ["upos", "Number", "Tense"])
    assert main([*options, "one,folder"]) == 0
    assert (jobs[1].model, jobs[1].models) == ("one,folder", [])
    assert main([*options, "a,"]) == 2
    assert main([*options, "a,a"]) == 2


def test_heads_of_several_tags_are_counted_as_heads(
    base: Job, extractions: list[str], tmp_path: Path
) -> None:
    options = ExtractOptions(device="cpu", site="attention_heads")
    gpt2 = str(embedded_path("models/gpt2"))
    job = replace(base, model=gpt2, out=str(tmp_path / "heads"), extract=options, units="heads")
    run_job(job)
    profiles = LayerProfiles.load(tmp_path / "heads/layer_profiles.json")
    n_heads = NeuronRanking.load(tmp_path / "heads/Number/ranking.json").space.n_neurons
    assert all(sum(one.counts) <= n_heads for one in profiles.profiles)
    summary = (tmp_path / "heads/summary.md").read_text()
    assert "## Which heads do they share?" in summary and f"of {n_heads} heads" in summary


def test_a_list_under_the_key_of_one_says_which_key_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("model: m\ncorpus: c\ntag: [Number, Tense]\nout: o\n")
    with pytest.raises(InputError, match=r"tag: .* is a list; write tags: instead"):
        Job.read(path)
