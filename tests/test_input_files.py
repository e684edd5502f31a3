"""Files that never end, that stand for more than they hold, or that say a thing twice."""

from __future__ import annotations

import gzip
import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from neurox_lite.activations.convert import convert
from neurox_lite.activations.neurox_json import read_neurox_json
from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora import text_files
from neurox_lite.corpora.lexicon import read_lexicon
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.corpora.reading import read_corpus
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.files import hash_file
from neurox_lite.input_files import lines_of_input, parse_json, read_yaml
from neurox_lite.json_files import read_json
from neurox_lite.pipeline.job import Job
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking

CORPUS = TaggedCorpus([["a"]])

READERS = {
    "a.conllu": read_corpus,
    "a.conll": read_corpus,
    "a.conllu.gz": read_corpus,
    "text.txt": lambda path: read_corpus(path, format="text"),
    "labels.txt": lambda path: read_corpus(
        embedded_path("corpora/number-pairs.tsv"), format="parallel", labels=path
    ),
    "words.txt": lambda path: WordSelection(file=str(path)).mask(CORPUS, 0),
    "pairs.tsv": read_pairs,
    "job.yaml": Job.read,
    "lexicon.yaml": read_lexicon,
    "a.json": read_json,
    "ranking.json": NeuronRanking.load,
    "weights": hash_file,
    "neurox.json": lambda path: read_neurox_json(path, path.with_name("out.h5")),
    "neurox.jsonl": lambda path: convert(path, path.with_name("out.h5")),
    "neurox.hdf5": lambda path: convert(path, path.with_name("out.h5")),
    "store.h5": ActivationStore,
}


def message_of(read: object, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)  # type: ignore[operator]
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    assert str(path) in message
    return message


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_a_device_a_socket_or_a_folder_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    assert f"{path}: cannot be read (it is a named pipe)" in message_of(READERS[name], path)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "a device" in message_of(READERS[name], path)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        assert "a socket" in message_of(READERS[name], path)


def test_arrays_of_a_probe_or_mask_that_are_a_pipe(tmp_path: Path) -> None:
    X = np.arange(12.0).reshape(6, 2)
    ElasticNetProbe().fit(X, ["a", "b"] * 3).save(tmp_path)
    (tmp_path / "probe.safetensors").unlink()
    os.mkfifo(tmp_path / "probe.safetensors")
    assert "a named pipe" in message_of(lambda _: ElasticNetProbe.load(tmp_path), tmp_path)


@pytest.mark.parametrize("name", sorted(set(READERS) - {"neurox.jsonl", "neurox.hdf5", "store.h5"}))
def test_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    message_of(READERS[name], tmp_path / name)


def test_a_file_in_the_place_of_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    with pytest.raises(InputError, match=r"r\.json: is a file; give the folder of mask\.json$"):
        NeuronMask.load(tmp_path / "r.json")


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu.gz"
    line = b"a\n"
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(80):
            file.write(line * (1 << 19))  # 80 MiB of short lines, in some 80 KB
    assert path.stat().st_size < 200_000
    assert "unpacks to more than 200 times" in message_of(read_corpus, path)


def test_text_that_packs_well_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"the same sentence again\n" * 20_000))
    assert path.stat().st_size * 200 < 24 * 20_000  # it grows more than a bomb may
    assert len(read_corpus(path, format="text")) == 20_000


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_is_refused_from_its_limit_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(text_files, "MAX_LINE", 3 << 20)
    path = tmp_path / "a.txt"
    longest = b"ab " * (1 << 20)
    path.write_bytes(b"short\n" + longest + end)
    assert len(list(text_files.open_text(path))) == 2
    path.write_bytes(b"short\n" + longest + b"c" + end)
    with pytest.raises(InputError, match=r"a\.txt: line 2 is longer than 3 MiB"):
        text_files.open_text(path)


def test_a_whole_file_is_refused_from_its_limit_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "MAX_TEXT", 1 << 20)
    path = tmp_path / "a.txt"
    path.write_bytes(b"ab cd ef\n" * ((1 << 20) // 9))
    assert text_files.open_text(path).readline() == "ab cd ef\n"
    path.write_bytes(b"ab cd ef\n" * ((1 << 20) // 9 + 1))
    with pytest.raises(InputError, match=r"a\.txt: more than 1 MiB of text"):
        text_files.open_text(path)


def test_a_character_cut_by_the_end_of_a_block_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "x" * ((1 << 20) - 1) + "é\nnaïve\n"
    path.write_bytes(text.encode())
    assert text_files.open_text(path).read() == text
    path.write_bytes(text.encode() + b"\xe9")
    with pytest.raises(InputError, match="line 3: not UTF-8"):
        text_files.open_text(path)


LONG, CELLS = "x " * 1_000_001, "\t_" * 8


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.txt", LONG, {"format": "text"}),
        ("a.conll", "x\n" * 1_000_001, {}),
        ("a.conllu", "".join(f"{i}\tx{CELLS}\n" for i in range(1, 1_000_002)), {}),
    ],
)
def test_a_sentence_of_more_than_a_million_words_is_refused(
    tmp_path: Path, name: str, text: str, options: dict[str, str]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match="more than 1,000,000 words"):
        read_corpus(path, **options)  # type: ignore[arg-type]


def test_so_is_one_to_be_predicted_and_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"fine\n{LONG}\n")
    with pytest.raises(InputError, match="sentence 2 has more than 1,000,000 words"):
        text_files.read_lines(path)
    path.write_text(json.dumps({"sentence_good": LONG + "a", "sentence_bad": LONG + "b"}))
    with pytest.raises(InputError, match=r"line 1: .* more than 1,000,000 words"):
        read_pairs(path)


def test_so_is_one_made_in_python() -> None:
    with pytest.raises(InputError, match="sentence 2 has more than 1,000,000 words"):
        TaggedCorpus([["a"], ["b"] * 1_000_001])
    assert TaggedCorpus([["a"], ["b"] * 1_000_000]).n_words == 1_000_001


BAD_YAML = {
    "a: &a [x]\nb: *a\n": "an alias",
    "a: &a {x: 1}\nb:\n  <<: *a\n": "an alias",
    "a: {<<: {x: 1}}\n": "a merge key",
    "x: " + "[" * 30 + "]" * 30: "nested deeper than 20 levels",
    "x: " + "[" * 100_000: "nested deeper than 20 levels",
    "x: " + "{a: " * 5000: "nested deeper than 20 levels",
    "- " * 5000 + "x": "nested deeper than 20 levels",
    "a: 1\nb: 2\na: 3\n": "the key 'a' occurs twice",
    "b: {c: {a: 1, a: 1}}\n": "the key 'a' occurs twice",
    "a: 1\n'a': 2\n": "the key 'a' occurs twice",
    "? [x]\n: 1\n": "is not valid YAML",
    "a: 2020-13-45\n": "a value cannot be read",
    "a: !!bool x\n": "a value cannot be read",
    "a: !!int ''\n": "a value cannot be read",
    f"a: {'9' * 5000}\n": "a value cannot be read",
    "a: !!python/object/apply:os.system [ls]\n": "is not valid YAML",
    "a: 1\n---\nb: 2\n": "is not valid YAML",
    "#" * (1 << 20) + "\na: 1\n": "larger than 1 MiB",
}


@pytest.mark.parametrize("text", BAD_YAML, ids=BAD_YAML.values())
@pytest.mark.parametrize("read", [read_yaml, Job.read, read_lexicon])
def test_yaml_that_stands_for_more_than_it_says(tmp_path: Path, read: object, text: str) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(text)
    assert BAD_YAML[text] in message_of(read, path)


def test_the_classic_bomb_is_refused_in_no_time(tmp_path: Path) -> None:
    lines = ["a0: &a0 [lol]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)
    ]
    path = tmp_path / "job.yaml"
    path.write_text("\n".join(lines))
    assert "an alias" in message_of(Job.read, path)


def test_yaml_that_is_fine_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: [1, 2.5, null]\nb: {c: {d: yes}}\ne: é\n")
    assert read_yaml(path) == {"a": [1, 2.5, None], "b": {"c": {"d": True}}, "e": "é"}


BAD_JSON = {
    "[" * 100_000: "nested too deeply",
    '{"a":' * 100_000: "nested too deeply",
    '{"a": 1, "a": 2}': "'a' occurs twice",
    '[{"b": {"a": 1, "c": 2, "a": 1}}]': "'a' occurs twice",
    "[NaN]": "NaN is not a number",
    "[-Infinity]": "-Infinity is not a number",
    "[1e999]": "too large a number",
    "[-1e+400]": "too large a number",
    "[" + "9" * 400 + ".0]": "too large a number",
    "[" + "9" * 5000 + "]": "not valid JSON",
    "{": "not valid JSON",
    "": "not valid JSON",
    "\ufeff{}": "not valid JSON",
}


@pytest.mark.parametrize("text", BAD_JSON, ids=range(len(BAD_JSON)))
@pytest.mark.parametrize("read", [read_json, NeuronRanking.load])
def test_json_that_is_none(tmp_path: Path, read: object, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert BAD_JSON[text] in message_of(read, path)


def test_numbers_in_json_are_the_same_with_and_without_large_exponents() -> None:
    numbers = [1e-300, 1.5e300, 0.1, -3.25, 12]
    assert parse_json(json.dumps(numbers)) == numbers
    assert parse_json("[1e-999, 0.1]") == [0.0, 0.1]


def test_lines_of_json_have_a_limit_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"[1]\n[22]\n")
    assert list(lines_of_input(path, 5)) == [b"[1]\n", b"[22]\n"]
    with pytest.raises(InputError, match="line 2 is longer than 4 bytes"):
        list(lines_of_input(path, 4))


def test_a_line_of_neurox_json_says_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    features = '"features": [{"token": "a", "layers": [{"index": 0, "values": [1.0, 2.0]}]}]'
    path.write_text(f'{{"linex_index": 0, {features}, {features}}}\n')
    with pytest.raises(InputError, match=r"line 1: .*'features' occurs twice"):
        read_neurox_json(path, tmp_path / "out.h5")
    path.write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"line 1: .*nested too deeply"):
        read_neurox_json(path, tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()
