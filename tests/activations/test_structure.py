"""Files that anyone may have written: refused in one line, whatever is in them.

Also of ``neurox_lite.activations.safe_hdf5``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from neurox_lite.activations.checks_without_checksums import check_without_checksums
from neurox_lite.activations.merge_shards import join_virtually
from neurox_lite.activations.neurox_hdf5 import check_neurox_hdf5
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import StoreHeader, open_writer
from neurox_lite.cli.main import main
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

CORPUS = TaggedCorpus([["a", "b"], ["c"], ["d", "e", "f"]])
METADATA = {"model": "m", "revision": "r", "site": "hidden_states", "aggregation": "last"}
COUNTS = {"n_truncated_words": 0, "n_dropped_words": 0}


def write(path: Path, corpus: TaggedCorpus = CORPUS, seed: int = 0) -> Path:
    shape = (corpus.n_words, 4)
    layers = {
        i: np.random.default_rng([i, seed]).normal(size=shape).astype(np.float32) for i in (0, 1)
    }
    with open_writer(path, corpus, dtype="float32", metadata=METADATA) as writer:
        writer.append(layers)
        writer.finish(COUNTS)
    return path


def write_folder(folder: Path) -> Path:
    """A store of two shards."""
    (folder / "shards").mkdir(parents=True)
    parts = [
        write(folder / "shards" / f"{number:05d}.h5", CORPUS.section(part), seed=number)
        for number, part in enumerate((range(2), range(2, 3)))
    ]
    head = StoreHeader(CORPUS, {**METADATA, **COUNTS, "dtype": "float32"})
    join_virtually(parts, head, folder / "store.h5")
    return folder


def replaced(name: str, **dataset: object) -> Callable[[h5py.File], None]:
    """Put another dataset in the place of one."""

    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, **dataset)

    return change


def external_link(file: h5py.File) -> None:
    del file["layers/1"]
    file["layers/1"] = h5py.ExternalLink("/etc/other.h5", "layers/1")


def soft_link(file: h5py.File) -> None:
    del file["layers/1"]
    file["layers/1"] = h5py.SoftLink("/layers/0")


def link_of_words(file: h5py.File) -> None:
    del file["tokens"]
    file["tokens"] = h5py.ExternalLink("other.h5", "tokens")


def link_of_group(file: h5py.File) -> None:
    del file["layers"]
    file["layers"] = h5py.ExternalLink("other.h5", "layers")


def link_beside(file: h5py.File) -> None:
    file["notes"] = h5py.SoftLink("/nowhere")


def virtual(file: h5py.File) -> None:
    del file["layers/1"]
    layout = h5py.VirtualLayout((6, 4), "f4")
    layout[:] = h5py.VirtualSource("../other.h5", "layers/1", (6, 4), "f4")
    file.create_virtual_dataset("layers/1", layout)


def never_allocated(file: h5py.File) -> None:
    for name in ("layers/0", "layers/1"):
        replaced(name, shape=(1 << 60, 1 << 2), dtype="f4", chunks=(1 << 16, 4))(file)


def no_layers(file: h5py.File) -> None:
    del file["layers/0"], file["layers/1"]


def missing(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        if value is None:
            del file.attrs[name]
        else:
            file.attrs[name] = value

    return change


def text(name: str, content: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = content

    return change


NUMBERS = np.zeros((6, 4), "f4")
BYTES = (("/etc/hostname", 0, 6 * 4 * 4),)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (external_link, "/layers/1 is a link to another file"),
        (soft_link, "/layers/1 is a link to another place"),
        (link_of_words, "/tokens is a link to another file"),
        (link_of_group, "/layers is a link to another file"),
        (link_beside, "/notes is a link to another place"),
        (
            replaced("layers/1", shape=(6, 4), dtype="f4", external=BYTES),
            "/layers/1 has its data in other files",
        ),
        (
            replaced("missing", shape=(0,), dtype="i8", external=(("/etc/hostname", 0, 8),)),
            "/missing has its data in other files",
        ),
        (virtual, "/layers/1 has its data in other files"),
        (never_allocated, r"of shape \(1152921504606846976, 4\) cannot be in a file of this size"),
        (replaced("layers/1", shape=(6, 4), dtype="f4", chunks=(2, 4)), "has 0 bytes, too few"),
        (
            replaced("layers/1", data=NUMBERS, chunks=(6, 4), compression="gzip"),
            "/layers/1 is compressed",
        ),
        (replaced("layers/1", data=NUMBERS, chunks=(6, 2)), "its chunks are not of whole rows"),
        (no_layers, "it has no layers"),
        (replaced("layers/1", data=NUMBERS[:, 0]), r"layer 1: is float32 of shape \(6,\)"),
        (replaced("layers/1", data=NUMBERS[:, :0]), r"layer 1: is float32 of shape \(6, 0\)"),
        (replaced("layers/1", data=NUMBERS[:5]), "different numbers of rows"),
        (replaced("layers/1", data=NUMBERS.astype("f8")), "layer 1: is float64"),
        (replaced("layers/1", data=NUMBERS.astype(">f4")), "layer 1: is >f4"),
        (
            replaced("layers/1", data=np.full((6, 4), "x", object), dtype=h5py.string_dtype()),
            "layer 1: is object",
        ),
        (lambda file: file.create_dataset("layers/one", data=NUMBERS), "called by its number"),
        (lambda file: file.create_dataset("layers/-1", data=NUMBERS), "called by its number"),
        (replaced("layers/1", dtype="f4"), "layer 1|layers/1"),
        (missing("layers"), "/layers is missing"),
        (missing("tokens"), "/tokens is missing"),
        (missing("checksums"), "/checksums is missing"),
        (missing("special"), "/special is missing"),
        (replaced("tokens", data=[b"a"] * 5, dtype=h5py.string_dtype()), "not one word for each"),
        (replaced("tokens", data=np.zeros(6)), "not one word for each"),
        (replaced("sentence_offsets", data=np.array([0, 3, 2, 6])), "offsets do not ascend"),
        (replaced("sentence_offsets", data=np.array([0, 3, 9])), "do not go from 0 to its 6 rows"),
        (replaced("sentence_offsets", data=np.array([-1, 6])), "do not go from 0 to its 6 rows"),
        (replaced("sentence_offsets", data=np.array([0.0, 6.0])), "not at most 7 row numbers"),
        (replaced("missing", data=np.array([6])), "/missing does not ascend between 0 and 5"),
        (replaced("special", data=np.array([-1])), "/special does not ascend between 0 and 5"),
        (attribute("model", None), "'model' is missing or not text"),
        (attribute("dtype", "int3"), "'int3' is none of float32, float16, bfloat16"),
        (attribute("dtype", "float16"), "layer 0: is float32"),
        (attribute("n_dropped_words", "many"), "'n_dropped_words' is not a count"),
        (attribute("n_dropped_words", -1), "'n_dropped_words' is not a count"),
        (attribute("model", np.zeros(3)), "'model' is not text or a number"),
        (attribute("model", "another"), "the attributes were changed"),
        (lambda file: file["tokens"].__setitem__(0, b"z"), "the words are not those of the corpus"),
        (attribute("format_version", "2"), "no format_version"),
        (attribute("format_version", np.array([2, 2])), "no format_version"),
        (attribute("format", np.array(["a", "b"], "S1")), "not an activation store"),
        (text("checksums", "{"), "it cannot be read"),
        (text("checksums", "[" * 100_000), "it cannot be read"),
        (text("checksums", "[]"), "not of its 6 rows and 2 layers"),
        (text("checksums", 3), "/checksums is not one text"),
        (text("checksums", json.dumps([{"rows": 6}])), "not of its 6 rows"),
    ],
)
def test_a_hostile_file_is_one_line(
    tmp_path: Path, change: Callable[[h5py.File], None], says: str
) -> None:
    path = write(tmp_path / "s.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=says) as raised:
        list(check_without_checksums(str(path)))
    assert "s.h5" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../../outside.h5", "not of files shards/00000.h5"),
        ("/tmp/outside.h5", "not of files shards/00000.h5"),
        ("shards/../../outside.h5", "not of files shards/00000.h5"),
        ("shards/00007.h5", "this shard is missing"),
    ],
)
def test_shards_are_below_their_folder(tmp_path: Path, name: str, says: str) -> None:
    folder = write_folder(tmp_path / "s")
    write(tmp_path / "outside.h5")
    with h5py.File(folder / "store.h5", "r+") as file:
        shards = json.loads(file["shards"][()])
        shards[1]["file"] = name
        text("shards", json.dumps(shards))(file)
    with pytest.raises(InputError, match=says):
        ActivationStore(folder, check=False)


def test_a_shard_that_is_a_link_out_of_its_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "s")
    shard = folder / "shards" / "00001.h5"
    shard.rename(tmp_path / "outside.h5")
    shard.symlink_to(tmp_path / "outside.h5")
    with pytest.raises(InputError, match=r"00001\.h5: is a link to another folder"):
        ActivationStore(folder)


def test_rows_in_the_virtual_file_come_from_its_shards(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "s")
    with h5py.File(folder / "store.h5", "r+") as file:
        virtual(file)
    with pytest.raises(InputError, match=r"layer 1 has rows in \.\./other\.h5"):
        list(check_without_checksums(str(folder / "store.h5")))


def test_a_shard_of_another_store(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "s")
    shards = folder / "shards"
    content = (shards / "00000.h5").read_bytes()
    with h5py.File(folder / "store.h5", "r+") as file:
        told = json.loads(file["shards"][()])
        told[1]["bytes"] = len(content)
        text("shards", json.dumps(told))(file)
    (shards / "00001.h5").write_bytes(content)
    with (
        ActivationStore(folder, check=False) as store,
        pytest.raises(InputError, match=r"00001\.h5: this shard is of another store"),
    ):
        store.layer(0)[:]


def test_commands_refuse_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "s.h5")
    with h5py.File(path, "r+") as file:
        external_link(file)
    for command in (["inspect"], ["convert", "--to", "store"]):
        out = [str(tmp_path / "o.h5")] if command[0] == "convert" else []
        assert main([*command, str(path), *out]) == 2
        assert "/layers/1 is a link to another file" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["s.h5"]


def test_a_pipe_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    for command in (["inspect"], ["inspect", "--verify"], ["convert"]):
        out = [str(tmp_path / "o.hdf5")] if command[0] == "convert" else []
        assert main([*command, str(tmp_path / "pipe.h5"), *out]) == 2
        assert "it is a named pipe" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda file: file.__setitem__("1", h5py.ExternalLink("o.h5", "1")), "/1 is a link"),
        (lambda file: file.__setitem__("1", h5py.SoftLink("/0")), "/1 is a link"),
        (
            lambda file: file.create_dataset("1", (2, 1, 3), "f4", external=BYTES),
            "sentence 2 has its data in other files",
        ),
        (
            lambda file: file.create_dataset("1", (2, 1 << 50, 3), "f4", chunks=(1, 1024, 3)),
            "cannot be in a file of this size",
        ),
        (
            lambda file: file.create_dataset("1", (2, 1, 3), "f4", chunks=(1, 1, 3)),
            "sentence 2: has 0 bytes, too few",
        ),
        (lambda file: file.create_dataset("1", (2, 1, 3), "f4", fillvalue=1.0), "too few"),
        (lambda file: file.create_group("1"), "sentence 2 .* is missing"),
    ],
)
def test_a_hostile_file_of_neurox(
    tmp_path: Path, change: Callable[[h5py.File], None], says: str
) -> None:
    with h5py.File(tmp_path / "n.hdf5", "w") as file:
        file["0"] = np.ones((2, 2, 3), np.float32)
        index = json.dumps({"a b": "0", "c": "1"})
        file.create_dataset("sentence_to_index", data=[index], dtype=h5py.string_dtype())
        change(file)
    with pytest.raises(InputError, match=says):
        list(check_neurox_hdf5(str(tmp_path / "n.hdf5")))
