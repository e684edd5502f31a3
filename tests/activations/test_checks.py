"""`inspect --verify` finds what happened to a store, and nothing in one that is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from neurox_lite.activations.checks import verify, verify_file
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.cli.main import main
from neurox_lite.corpora.tagged_corpus import TaggedCorpus

CORPUS = TaggedCorpus([["a", "b"], ["c"], ["d", "e", "f"]])
METADATA = {"model": "m", "revision": "r", "site": "hidden_states", "aggregation": "last"}


def write(path: Path, dtype: str = "float32") -> None:
    """A store of two layers whose fourth word has no activation."""
    layers = {i: np.random.default_rng(i).normal(size=(6, 4)).astype(np.float32) for i in (0, 1)}
    for array in layers.values():
        array[3] = np.nan
    with open_writer(path, CORPUS, dtype=dtype, metadata=METADATA) as writer:
        writer.append(layers, [3])
        writer.finish({"n_truncated_words": 1, "n_dropped_words": 0})


def flip_a_byte(path: Path) -> None:
    """Flip one bit where the activations of layer 1 lie in the file."""
    with h5py.File(path) as file:
        place = file["layers/1"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 5] ^= 1
    path.write_bytes(content)


def setting(name: str, value: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            file["layers/1"][:] = np.where(np.isnan(file["layers/1"][:]), np.nan, 1)
            layer = file["layers/1"]
            if name == "row":
                layer[0] = value
            elif name == "layer":
                layer[:] = value
                layer[3] = np.nan
            elif name == "missing":
                layer[3] = value
            elif name == "word":
                file["tokens"][0] = value
            elif name == "offsets":
                file["sentence_offsets"][1] = value
            else:
                file.attrs[name] = value

    return change


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_whole_store_has_no_problems(tmp_path: Path, dtype: str) -> None:
    write(tmp_path / "s.h5", dtype)
    assert verify(ActivationStore(tmp_path / "s.h5")) == []
    assert main(["inspect", str(tmp_path / "s.h5"), "--verify"]) == 0


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flip_a_byte, "layer 1: its bytes in rows 0 to 5 are not those that were written"),
        (setting("row", np.nan), "layer 1: 1 words have NaN and are not marked"),
        (setting("row", np.inf), "layer 1: 1 words have infinite activations"),
        (setting("layer", 0.0), "layer 1: all activations are zero"),
        (setting("missing", 1.0), "layer 1: 1 words marked as without activations have some"),
        (setting("word", "z"), "the words are not those of the corpus"),
        (setting("offsets", 3), "the sentence offsets do not ascend"),
        (setting("model", "other"), "the attributes were changed"),
        (setting("n_dropped_words", 2), "1 words are marked as without activations, 3 were"),
    ],
)
def test_damage_is_named(
    tmp_path: Path,
    damage: Callable[[Path], None],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "s.h5"
    write(path)
    damage(path)
    problems = verify_file(path)
    assert any(problem.startswith(says) for problem in problems), problems
    assert main(["inspect", str(path), "--verify"]) == 3
    assert says in capsys.readouterr().out


def test_a_truncated_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.h5"
    write(path)
    path.write_bytes(path.read_bytes()[:-2000])
    assert main(["inspect", str(path), "--verify"]) == 2
    assert "not a readable HDF5 file" in capsys.readouterr().err
