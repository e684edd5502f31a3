"""Also of ``neurox_lite.activations.neurox_store``, ``neurox_lite.cli.convert``."""

import inspect
import json
import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.checks import verify
from neurox_lite.activations.matrix import BLOCK_ROWS
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.cli.main import main
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from tests.processes import run_command

METADATA = {
    "model": "tiny",
    "revision": "r1",
    "tokenizer": "tok",
    "site": "hidden_states",
    "aggregation": "last",
    "note": "kept too",
}
SENTENCES = [["the", "dog"], ["a"], ["the", "dog"]]
GUIDE = (Path(__file__).parents[2] / "docs/coming-from-neurox.md").read_text()


def write_store(path, sentences=SENTENCES, dtype="float32", widths=(3, 3), missing=(), special=()):
    """Layers 2 and 7 of random activations."""
    corpus = TaggedCorpus(sentences)
    rng = np.random.default_rng(0)
    layers = {
        layer: rng.normal(size=(corpus.n_words, width)).astype(np.float32)
        for layer, width in zip((2, 7), widths, strict=True)
    }
    for array in layers.values():
        array[list(missing)] = np.nan
    with open_writer(
        path, corpus, dtype=dtype, metadata=METADATA, special=np.array(special, dtype=int)
    ) as writer:
        writer.append(layers, missing)
        writer.finish({"n_truncated_words": 0, "n_dropped_words": len(missing)})
    return path


def everything(path):
    """Words, layers and what they hold."""
    with ActivationStore(path) as store:
        sentences = [store.words()[a:b] for a, b in pairwise(store.sentence_offsets)]
        return sentences, np.asarray(store.matrix())


@pytest.mark.parametrize("suffix", [".hdf5", ".json"])
def test_there_and_back_by_default(tmp_path, suffix):
    write_store(tmp_path / "s.h5")
    there = nx.convert(tmp_path / "s.h5", tmp_path / f"n{suffix}")
    back = nx.convert(str(there), str(tmp_path / "back.h5"), model="tiny")

    assert (there, back) == (tmp_path / f"n{suffix}", tmp_path / "back.h5")
    words, activations = everything(back)
    assert words == SENTENCES
    np.testing.assert_array_equal(activations, everything(tmp_path / "s.h5")[1])
    with ActivationStore(back) as store:
        assert store.space.layers == (0, 1)
        assert store.metadata["model"] == "tiny"
        assert verify(store) == []


def test_what_a_file_is_does_not_depend_on_its_name(tmp_path):
    nx.convert(write_store(tmp_path / "s.h5"), tmp_path / "n.hdf5")
    (tmp_path / "n.hdf5").rename(tmp_path / "n.h5")
    (tmp_path / "s.h5").rename(tmp_path / "s.hdf5")

    nx.convert(tmp_path / "n.h5", tmp_path / "n-store.hdf5")
    nx.convert(tmp_path / "s.hdf5", tmp_path / "s-neurox.hdf5")
    assert everything(tmp_path / "n-store.hdf5")[0] == SENTENCES
    with h5py.File(tmp_path / "s-neurox.hdf5") as file:
        assert "sentence_to_index" in file


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_copy_of_a_store_is_the_same_store(tmp_path, dtype):
    n_words = BLOCK_ROWS + 10
    sentences = [["a", "b"]] * (n_words // 2)
    missing = [3, BLOCK_ROWS - 1, BLOCK_ROWS, n_words - 1]
    write_store(tmp_path / "s.h5", sentences, dtype, (3, 5), missing, special=[0, 10])
    nx.convert(tmp_path / "s.h5", tmp_path / "copy.h5", to="store")

    with ActivationStore(tmp_path / "s.h5") as one, ActivationStore(tmp_path / "copy.h5") as other:
        assert other.metadata == one.metadata
        assert other.missing.tolist() == missing
        assert other.special.tolist() == [0, 10]
        assert other.space == one.space
        assert verify(other) == []


def test_a_damaged_store_is_not_copied(tmp_path):
    write_store(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        file["layers/7"][1, 1] = 5.0

    with pytest.raises(InputError, match=r"s\.h5: layer 7: its bytes .*; extract again"):
        nx.convert(tmp_path / "s.h5", tmp_path / "copy.h5", to="store")
    assert not (tmp_path / "copy.h5").exists()


def make_folder(tmp_path):
    write_store(tmp_path / "s.h5")
    nx.convert(tmp_path / "s.h5", tmp_path / "n.hdf5")
    nx.convert(tmp_path / "s.h5", tmp_path / "n.json")
    (tmp_path / "text.h5").write_text("hello")
    (tmp_path / "ranking.json").write_text('{"method": "random"}')
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1


@pytest.mark.parametrize(
    ("source", "out", "options", "message"),
    [
        ("none.h5", "o.h5", {}, r"none\.h5: no such file"),
        ("text.h5", "o.h5", {}, r"text\.h5: not a readable HDF5 file"),
        ("other.h5", "o.h5", {}, r"other\.h5: neither an activation store nor a file of NeuroX"),
        ("ranking.json", "o.h5", {}, r"ranking\.json: line 1: not a line that NeuroX writes"),
        ("s.h5", "o.h5", {}, r"o\.h5: a NeuroX file is called \.hdf5 or \.json; .*--to store"),
        ("s.h5", "o.jsonl", {}, r"o\.jsonl: a NeuroX file is called \.hdf5 or \.json"),
        ("s.h5", "o.json", {"model": "m"}, r"s\.h5: is a store and names its model"),
        ("s.h5", "o.h5", {"to": "h5"}, "cannot convert to 'h5'; use store or neurox"),
        ("n.hdf5", "o.json", {"to": "neurox"}, r"n\.hdf5: is a NeuroX file already"),
        ("n.json", "o.hdf5", {"to": "neurox"}, r"n\.json: is a NeuroX file already"),
        ("n.json", "text.h5", {}, r"text\.h5: exists already"),
        ("s.h5", "text.h5", {"to": "store"}, r"text\.h5: exists already"),
        ("s.h5", "n.json", {}, r"n\.json: exists already"),
        (".", "o.hdf5", {}, "store"),
    ],
)
def test_what_cannot_be_converted(tmp_path, source, out, options, message):
    make_folder(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    with pytest.raises(InputError, match=message) as raised:
        nx.convert(tmp_path / source, tmp_path / out, **options)
    assert "\n" not in str(raised.value)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_overwriting_even_the_input(tmp_path, caplog):
    write_store(tmp_path / "s.h5")
    expected = everything(tmp_path / "s.h5")
    nx.convert(tmp_path / "s.h5", tmp_path / "s.h5", to="store", overwrite=True)

    assert "s.h5: the store is replaced by its copy" in caplog.text
    assert everything(tmp_path / "s.h5")[0] == expected[0]
    np.testing.assert_array_equal(everything(tmp_path / "s.h5")[1], expected[1])


def test_no_file_is_replaced_by_its_own_conversion(tmp_path):
    make_folder(tmp_path)
    (tmp_path / "link.hdf5").symlink_to("n.hdf5")
    shutil.copy(tmp_path / "s.h5", tmp_path / "s.hdf5")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for source, out in (("n.hdf5", "n.hdf5"), ("n.hdf5", "link.hdf5"), ("s.hdf5", "s.hdf5")):
        with pytest.raises(InputError, match=f"{out}: is an input, too; give another output"):
            nx.convert(tmp_path / source, tmp_path / out, overwrite=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.heavy
def test_the_command(tmp_path, capsys):
    make_folder(tmp_path)
    source, out = str(tmp_path / "n.hdf5"), str(tmp_path / "bert.h5")
    arguments = ["convert", source, out, "--model", "bert"]

    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"written": out}
    with ActivationStore(out) as store:
        assert store.metadata["model"] == "bert"
    assert main(arguments) == 2
    assert "bert.h5: exists already" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0
    assert main(["convert", out, str(tmp_path / "copy.h5"), "--to", "store"]) == 0
    assert main(["convert", out, str(tmp_path / "x.h5"), "--to", "elsewhere"]) == 2


def test_commands_in_the_guide_from_neurox(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_store(tmp_path / "bert.h5")
    nx.convert("bert.h5", "activations.hdf5")
    nx.convert("bert.h5", "activations.json")
    shutil.copy("bert.h5", "own.h5")
    found = [shlex.split(line) for line in re.findall(r"^ {4}neurox-lite (.*)$", GUIDE, re.M)]

    assert found
    for command in found:
        assert main([*command, "--overwrite"]) == 0, command


def test_program_in_the_guide_from_neurox(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = [f"the dog{number} barks" for number in range(60)]
    Path("sentences.txt").write_text("\n".join(text))
    Path("labels.txt").write_text("\n".join(["DET NOUN VERB"] * 60))
    write_store(Path("bert.h5"), [f"Ġthe dog##{number} Ġbarks".split() for number in range(60)])
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    found = {}
    exec(compile(program, "coming-from-neurox.md", "exec"), found)

    assert found["data"].train.X.shape == (3 * 48, 6)


def test_names_in_the_guide_from_neurox_exist():
    names = set(re.findall(r"\bnx\.(\w+)\.?(\w*)", GUIDE))
    assert ("convert", "") in names
    for name, inside in names:
        assert name in nx.__all__
        assert not inspect.ismodule(getattr(nx, name)) or inside in getattr(nx, name).__all__
    modules = (Path(nx.__file__).parent / "cli").glob("*.py")
    known = {path.stem.replace("run_job", "run") for path in modules}
    assert set(re.findall(r"`neurox-lite (\w+)", GUIDE)) <= known


# A full disk: a process whose files may not grow.


@pytest.mark.parametrize("limit", [0, 5_000, 60_000])
@pytest.mark.parametrize("name", ["o.hdf5", "o.json", "o.h5"])
def test_a_full_disk_is_one_line(tmp_path, name, limit):
    sentences = [[f"word{i}", "b", "c"] for i in range(60)]
    rng = np.random.default_rng(0)
    layers = {i: rng.normal(size=(180, 64)).astype(np.float32) for i in (0, 1)}
    with open_writer(
        tmp_path / "s.h5", TaggedCorpus(sentences), dtype="float32", metadata=METADATA
    ) as writer:
        writer.append(layers)
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    options = ["--to", "store"] if name == "o.h5" else []
    (tmp_path / "there").mkdir()

    command = ["convert", tmp_path / "s.h5", tmp_path / "there" / name, *options]
    code, said = run_command(command, file_limit=limit)

    assert code == 1, said
    (line,) = said.splitlines()
    assert line.startswith(f"neurox-lite: error: {tmp_path / 'there' / name}: cannot be written")
    assert not list((tmp_path / "there").iterdir())
