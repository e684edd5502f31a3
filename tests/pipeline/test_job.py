"""A job file says exactly what is done, or is refused by the key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.errors import InputError
from neurox_lite.pipeline.job import DescribeOptions, Job

GOOD = {"model": "m", "corpus": "c.conllu", "tag": "upos", "out": "o"}


def write(folder: Path, content: object) -> Path:
    path = folder / "job.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_reads_options_and_spells_out_the_rest(tmp_path: Path) -> None:
    job = Job.read(write(tmp_path, {**GOOD, "probe": {"l1": 0.01}, "extract": {"layers": [0, -1]}}))
    assert (job.probe.l1, job.probe.l2, job.extract.layers, job.seed) == (0.01, 1e-3, [0, -1], 0)
    for given, kept in ((-1, [-1]), ("all", None), (None, None)):
        job = Job.read(write(tmp_path, {**GOOD, "extract": {"layers": given}}))
        assert job.extract.layers == kept
    again = Job.read(write(tmp_path, job.to_yaml()))
    assert again == job


def test_paths_are_kept_as_text() -> None:
    of_paths = Job(Path("m"), {"train": Path("a"), "test": Path("b")}, "upos", Path("o"))
    assert of_paths == Job("m", {"train": "a", "test": "b"}, "upos", "o")
    assert Job("", "c", "upos", "o", models=[Path("m"), Path("n")]).models == ["m", "n"]


def test_options_of_a_stage_may_be_a_dict() -> None:
    job = Job("m", "c", "upos", "o", describe={"neurons": 20}, words={"min_frequency": 2})
    assert job.describe == DescribeOptions(neurons=20)
    assert job.words == WordSelection(min_frequency=2)
    with pytest.raises(InputError, match="describe: unknown key 'neuron'; did you mean 'neurons'"):
        Job("m", "c", "upos", "o", describe={"neuron": 20})


def test_words_and_class_weight(tmp_path: Path) -> None:
    words = {"pattern": "[a-z]+", "min_frequency": 2, "disjoint": "types"}
    path = write(tmp_path, {**GOOD, "words": words, "probe": {"class_weight": "balanced"}})
    job = Job.read(path)
    assert job.words == WordSelection("[a-z]+", None, 2, None, "types")
    assert job.probe.class_weight == "balanced"
    assert Job.read(write(tmp_path, job.to_yaml())) == job
    assert Job.read(write(tmp_path, GOOD)).words == WordSelection()


def test_one_file_per_split(tmp_path: Path) -> None:
    files = {"train": "a", "dev": "b", "test": "c"}
    assert Job.read(write(tmp_path, {**GOOD, "corpus": files})).corpus == files


def test_scientific_notation_without_a_point_is_a_number(tmp_path: Path) -> None:
    path = write(tmp_path, "model: m\ncorpus: c\ntag: t\nout: o\nprobe: {l1: 1e-3, l2: 0}\n")
    assert Job.read(path).probe.l1 == 0.001


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({**GOOD, "modle": "m"}, "unknown key 'modle'; did you mean 'model'?"),
        ({**GOOD, "pooling": "mean"}, "unknown key 'pooling'; it belongs under 'extract'"),
        ({**GOOD, "probe": {"lambda": 1}}, "probe: unknown key 'lambda'; known keys: l1, l2"),
        ({k: v for k, v in GOOD.items() if k != "tag"}, "missing key 'tag'"),
        ({**GOOD, "tag": "a, b"}, "tag: 'a, b' is several names; write tags: [a, b]"),
        ({**GOOD, "probe": {"l1": 10**400}}, "probe: l1: too large a number"),
        ({**GOOD, "out": "o\0"}, r"out: 'o\x00' holds a NUL character"),
        ({**GOOD, "seed": "one"}, "seed is 'one'; give a whole number"),
        ({**GOOD, "seed": True}, "seed is True; give a whole number"),
        (
            {**GOOD, "extract": {"layers": "0,1"}},
            "extract: layers are '0,1'; give one",
        ),
        ({**GOOD, "extract": {"layers": 1.5}}, "extract: layers is 1.5; give"),
        ({**GOOD, "extract": {"layers": True}}, "extract: layers is True; give"),
        ({**GOOD, "extract": {"layers": ["a"]}}, "extract: layers is ['a']; give"),
        ({**GOOD, "probe": None}, "probe: expected keys and values, with some of the keys l1, l2"),
        ({**GOOD, "words": "[a-z]+"}, "words: expected keys and values"),
        ({**GOOD, "words": {"regex": "a"}}, "words: unknown key 'regex'; known keys: pattern,"),
        (
            {**GOOD, "words": {"pattern": "("}},
            "words: word filter: '(' is not a regular expression",
        ),
        ({**GOOD, "words": {"min_frequency": -1}}, "words: min_frequency is -1; give at least 0"),
        ({**GOOD, "words": {"disjoint": "all"}}, "words: disjoint is 'all'; give sentences or"),
        ({**GOOD, "probe": {"class_weight": "even"}}, "probe: class_weight: give balanced or null"),
        ("- a\n- b\n", "expected keys and values"),
        ("a: [", "is not valid YAML"),
        ("", "expected keys and values"),
    ],
)
def test_refuses_by_name(tmp_path: Path, content: object, says: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        Job.read(path)
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Job.read(tmp_path / "nothing.yaml")


def test_yaml_runs_no_code(tmp_path: Path) -> None:
    path = write(tmp_path, "model: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(InputError, match="is not valid YAML"):
        Job.read(path)


def test_how_a_corpus_is_read_and_its_labels_are_changed(tmp_path: Path) -> None:
    keys = {
        "columns": ["word", "_", "upos", "ner"],
        "comment": "# ",
        "skip_bad_lines": True,
        "strip_bio": True,
        "label_map": ["(.*):.*=\\1", "O="],
        "words": {"where": {"upos": "NOUN,PROPN", "Number": ["Sing"]}, "balance": "under"},
    }
    job = Job.read(write(tmp_path, {**GOOD, **keys}))
    assert job.words == WordSelection(where=keys["words"]["where"], balance="under")  # type: ignore[index]
    assert (job.columns, job.label_map) == (keys["columns"], keys["label_map"])
    assert Job.read(write(tmp_path, job.to_yaml())) == job
    assert Job.read(write(tmp_path, {**GOOD, "columns": "germeval"})).columns == "germeval"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"label_map": "a=b"}, "label_map is 'a=b'; give a list, as [a, b]"),
        (
            {"words": {"where": "upos=X"}},
            "words: where is 'upos=X'; give keys, each with a text, or a list, as [a, b]",
        ),
        ({"label_map": ["ab"]}, "give PATTERN=LABEL"),
        ({"columns": "ner,xpos"}, "give every column its own name"),
        ({"text": "cooked"}, "text is 'cooked'; give words or raw"),
        ({"words": {"where": {"upos": 3}}}, "words: where is 3; give a text, or a list"),
        ({"words": {"balance": "both"}}, "words: balance is 'both'; give under or over"),
    ],
)
def test_rules_are_refused_before_a_corpus_is_read(
    tmp_path: Path, keys: dict[str, object], says: str
) -> None:
    path = write(tmp_path, {**GOOD, **keys})
    with pytest.raises(InputError) as caught:
        Job.read(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(path))
