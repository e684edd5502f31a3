"""neurox-lite compare: what it prints, writes and refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurox_lite.cli.main import main
from neurox_lite.errors import InputError
from neurox_lite.masking.mask_overlaps import MaskOverlaps
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import agreement, random_ranking
from neurox_lite.ranking.agreement import AgreementMatrix
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking

SPACE = NeuronSpace("m", "mlp", (0, 1), (30, 20))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A ranking, its noisy version, and a random one."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=50)
    rankings = [
        NeuronRanking.from_scores(SPACE, scores, "one"),
        NeuronRanking.from_scores(SPACE, scores + 0.1 * rng.normal(size=50), "two"),
        random_ranking(SPACE),
    ]
    for ranking in rankings:
        ranking.save(tmp_path / f"{ranking.method}.json")
    return [str(tmp_path / f"{ranking.method}.json") for ranking in rankings]


def test_it_writes_the_agreement_and_prints_overlaps(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "comparison"
    assert main(["compare", *files, "--out", str(out), "-k", "10", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    expected = agreement([NeuronRanking.load(path) for path in files], 10)
    assert AgreementMatrix.load(out / "agreement.json") == expected
    assert {path.name for path in out.iterdir()} == {"agreement.json", "agreement.png"}
    assert (shown["neurons"], shown["k"], shown["overlap by chance"]) == (50, 10, 0.2)
    assert shown["overlap of one"] == {
        "two": expected.overlap[0][1],
        "random": expected.overlap[0][2],
    }
    assert shown["overlap of one"]["two"] > 0.6


def test_without_k_it_is_a_tenth(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert AgreementMatrix.load(tmp_path / "out/agreement.json").k == 5
    assert [line.split()[-1] for line in lines[1:4]] == ["50", "5", "0.1"]
    assert len(lines) == 7


def test_two_rankings_of_one_method_are_told_apart(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    random_ranking(SPACE, 1).save(tmp_path / "again.json")
    again = str(tmp_path / "again.json")
    assert main(["compare", files[2], again, "--out", str(out)]) == 0
    methods = AgreementMatrix.load(out / "agreement.json").methods
    assert methods == (f"random ({Path(files[2]).name})", "random (again.json)")


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--help"]) == 0
    assert "Example: neurox-lite compare" in capsys.readouterr().out


def test_bad_input(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"

    def error(*arguments: str) -> str:
        assert main(["compare", *arguments, "--out", str(out)]) == 2
        return capsys.readouterr().err

    random_ranking(NeuronSpace.of_array(50)).save(tmp_path / "elsewhere.json")
    assert "only one ranking" in error(files[0])
    assert ", not of " in error(files[0], str(tmp_path / "elsewhere.json"))
    assert "-k is 0; give a number from 1 to 50" in error(*files, "-k", "0")
    assert "k is 51" in error(*files, "-k", "51")
    assert "cannot be read" in error(files[0], str(tmp_path / "none.json"))
    assert not out.exists()
    assert main(["compare", *files, "--out", str(out)]) == 0
    assert "exists already" in error(*files)
    assert main(["compare", *files, "--out", str(out), "--overwrite"]) == 0


# Masks.


@pytest.fixture
def masks(tmp_path: Path) -> list[str]:
    """Of 50 neurons: 3 and 4 that share 2, and 1 that is in neither; models in two places."""
    folders = []
    for name, columns in (("a", [1, 2, 40]), ("b", [2, 40, 41, 42]), ("c", [0])):
        space = replace(SPACE, model=f"/{name}/m", revision="sha256:1")
        NeuronMask.of(space, columns, method="search").save(tmp_path / name)
        folders.append(str(tmp_path / name))
    return folders


def test_masks_are_compared_as_sets(
    masks: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "overlap"
    assert main(["compare", *masks, "--out", str(out), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    a, b, c = "a", "b", "c"  # not where they lie
    assert shown["neurons"] == 50 and shown["sizes"] == {a: 3, b: 4, c: 1}
    # C(4, 2) C(46, 1) / C(50, 3) + C(4, 3) / C(50, 3)
    p = (6 * 46 + 4) / 19600
    assert shown[f"{a} and {b}"] == pytest.approx(
        {
            "both": 2,
            "by chance": 12 / 50,
            "p of so many": p,
            "p of so few": 1 - 4 / 19600,
            "only the first": 1,
            "only the second": 2,
        }
    )
    assert shown[f"{b} and {c}"]["both"] == 0
    assert {path.name for path in out.iterdir()} == {"overlaps.json", "overlaps.png"}
    saved = json.loads((out / "overlaps.json").read_text())
    assert [(pair["first"], pair["second"]) for pair in saved["overlaps"]] == [
        (a, b),
        (a, c),
        (b, c),
    ]
    first = saved["overlaps"][0]
    assert first["both"] == ["0:2", "1:10"]
    assert first["only_first"] == ["0:1"] and first["only_second"] == ["1:11", "1:12"]
    assert first["expected"] == 0.24 and first["p_at_least"] == pytest.approx(p)
    loaded = MaskOverlaps.load(out / "overlaps.json")
    assert loaded == MaskOverlaps.of(
        [replace(NeuronMask.load(path), method=Path(path).name) for path in masks]
    )
    assert loaded.overlaps[0].both[0].layer == 0
    (out / "overlaps.json").write_text('{"kind": "mask overlaps", "neurons": 50}')
    with pytest.raises(InputError, match="cannot be read"):
        MaskOverlaps.load(out / "overlaps.json")


def test_masks_that_cannot_be_compared(
    masks: list[str], files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def error(*arguments: str) -> str:
        assert main(["compare", *arguments, "--out", str(out)]) == 2
        return capsys.readouterr().err

    other = replace(SPACE, revision="sha256:2")
    NeuronMask.of(other, [1]).save(tmp_path / "other")
    assert "only one mask" in error(masks[0])
    assert "a mask is given twice" in error(masks[0], masks[0])
    for path in (files[0], "nowhere"):
        message = f"{path}: no folder of a mask, as {masks[0]} is; give masks only"
        assert message in error(masks[0], path)
    assert "masks are compared whole; run without -k" in error(*masks, "-k", "3")
    assert "have different neurons" in error(masks[0], str(tmp_path / "other"))
    (tmp_path / "b" / "mask.safetensors").unlink()
    assert "the mask cannot be read" in error(*masks)
    assert not out.exists()
    assert main(["compare", masks[0], masks[2], "--out", str(out)]) == 0
    assert "exists already" in error(masks[0], masks[2])
