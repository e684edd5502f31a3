"""A changed byte in a saved result is noticed, and files of before or made by hand are read.

Also of ``neurox_lite.results.arrays``.
"""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from every_result import EVERY

from neurox_lite.errors import InputError
from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking

SPACE = NeuronSpace("m", "hidden_states", layers=(0, 1), widths=(3, 4), revision="sha256:1")
RANDOM = np.random.default_rng(0)


def save_ranking(folder: Path) -> None:
    scores = RANDOM.random((2, 7))
    NeuronRanking.from_scores(
        SPACE, scores.max(0), "m", classes=("A", "é"), class_scores=scores, parameters={"l1": 1e-07}
    ).save(folder / "ranking.json")


def save_mask(folder: Path) -> None:
    NeuronMask.of(SPACE, [1, 5], RANDOM.random(7), method="m").save(folder)


def save_probe(folder: Path) -> None:
    X = RANDOM.normal(size=(30, 4))
    ElasticNetProbe(0.01).fit(X, np.where(X[:, 0] > 0, "a", "b")).save(folder)


def save_result(folder: Path) -> None:
    MinimalSet("m", 0.1, 0.9, (), (), None, True).save(folder / "set.json")


KINDS = {
    "ranking": (save_ranking, lambda folder: NeuronRanking.load(folder / "ranking.json")),
    "mask": (save_mask, NeuronMask.load),
    "probe": (save_probe, ElasticNetProbe.load),
    "result": (save_result, lambda folder: MinimalSet.load(folder / "set.json")),
}


def state(value: object) -> str:
    """All that a result holds."""
    return repr(
        sorted((k, v.tolist() if hasattr(v, "tolist") else v) for k, v in vars(value).items())
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_byte_is_noticed_or_changes_nothing(tmp_path: Path, kind: str) -> None:
    save, load = KINDS[kind]
    save(tmp_path)
    whole = state(load(tmp_path))
    rng, n_noticed, n_flips = random.Random(kind), 0, 0
    for file in sorted(tmp_path.iterdir()):
        content = file.read_bytes()
        for place in rng.sample(range(len(content)), 150):
            flipped = bytearray(content)
            flipped[place] ^= rng.choice([1, 2, 4, 8, 16, 32, 64, 128, 255])
            file.write_bytes(flipped)
            n_flips += 1
            try:
                assert state(load(tmp_path)) == whole, (file, place)
            except InputError as error:
                n_noticed += 1
                assert "\n" not in str(error) and str(tmp_path) in str(error)
        file.write_bytes(content)
    assert n_noticed > 0.97 * n_flips
    assert state(load(tmp_path)) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_number_says_what_to_do(tmp_path: Path, kind: str) -> None:
    save, load = KINDS[kind]
    save(tmp_path)
    (file,) = tmp_path.glob("*.json")
    data = json.loads(file.read_text())
    data["by hand"] = True
    if kind == "result":
        data = {**data, "delta": 0.2}
        del data["by hand"]
    file.write_text(json.dumps(data))
    with pytest.raises(InputError, match=r'its checksum differs.*remove the line "checksum"'):
        load(tmp_path)
    del data["checksum"]
    file.write_text(json.dumps(data, indent=4))
    load(tmp_path)


@pytest.mark.parametrize("kind", ["mask", "probe"])
def test_arrays_of_another_save_are_not_taken(tmp_path: Path, kind: str) -> None:
    save, load = KINDS[kind]
    for name in ("one", "other"):
        save(tmp_path / name)
    shutil.copy(tmp_path / "other" / f"{kind}.safetensors", tmp_path / "one")
    with pytest.raises(InputError, match=rf"{kind}\.safetensors: is not what {kind}\.json was"):
        load(tmp_path / "one")
    file = tmp_path / "one" / f"{kind}.json"
    data = json.loads(file.read_text())
    for name in ("checksum", "sha256 of arrays"):  # as of before there were any
        del data[name]
    file.write_text(json.dumps(data))
    assert state(load(tmp_path / "one"))


def test_a_fit_beside_another_mask(tmp_path: Path) -> None:
    fit = EVERY["MaskFit"]
    fit.save(tmp_path)
    assert MaskFit.load(tmp_path).size == fit.size
    replace(fit.mask, gates=1 - fit.mask.gates).save(tmp_path)
    with pytest.raises(InputError, match=r"fit\.json: .*another mask than the one beside it"):
        MaskFit.load(tmp_path)


def test_reformatted_it_is_the_same(tmp_path: Path) -> None:
    save_ranking(tmp_path)
    file = tmp_path / "ranking.json"
    before = NeuronRanking.load(file)
    file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True).replace(",", " ,\r\n"))
    assert state(NeuronRanking.load(file)) == state(before)
