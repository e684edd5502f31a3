"""`steer` on the embedded LSTM."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.cli.main import main
from neurox_lite.interventions.steering_curves import SteeringCurves

MODEL = str(nx.embedded_path("models/lstm-0"))
PAIRS = str(nx.embedded_path("corpora/number-pairs.tsv"))
SPACE = nx.NeuronSpace("lstm-0", "lstm_cell", (0,), (128,))


@pytest.fixture
def ranking(tmp_path: Path) -> str:
    """The cells that carry number first."""
    first = [55, 120, 33, 93, 39]
    order = np.array([*first, *np.delete(np.arange(128), first)])
    path = tmp_path / "ranking.json"
    nx.NeuronRanking(SPACE, order, np.zeros(128), "number").save(path)
    return str(path)


def steer(ranking: str, out: Path, *options: str) -> int:
    kinds = ["--condition", "singular", "--target", "plural"]
    if "--condition" in options or "--target" in options:
        kinds = []
    command = ["steer", "--model", MODEL, "--pairs", PAIRS, "--ranking", ranking, *kinds]
    return main([*command, "--template", "simple", "--out", str(out), *options])


def test_curves_table_and_figure(
    ranking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, out = tmp_path / "text.txt", tmp_path / "out"
    text.write_text("The niece watches those boxes .\n\nThe boy smiles .\n")
    options = ["--mode", "add", "--counts", "1,5", "--text", str(text), "--json"]
    assert steer(ranking, out, *options, "--n-random", "2") == 0
    shown = json.loads(capsys.readouterr().out)
    (curve,) = SteeringCurves.load(out / "steering.json").curves
    assert shown["pairs"] == curve.n_pairs == 50 and shown["left out as wrong"] == 0
    assert shown["turned by number"] == {"1": 0.0, "5": round(curve.success.top[1], 6)}
    assert shown["turned by random"] == {"1": 0.0, "5": 0.0}
    assert shown["KL of number"]["5"] > 0.01
    assert (curve.mode, curve.strength, curve.positions) == ("add", 8.0, "all")
    assert curve.success.top[1] > 0.9
    assert (out / "steering.csv").read_text().startswith("method,neurons,count,success")
    assert (out / "steering.png").is_file()

    assert steer(ranking, out) == 2
    assert "exists" in capsys.readouterr().err
    again = ["--overwrite", "--shares", "0.01", "--positions", "1", "--strength", "2"]
    assert steer(ranking, out, *again, "--mode", "add", "--n-random", "1") == 0
    (curve,) = SteeringCurves.load(out / "steering.json").curves
    assert (curve.counts, curve.strength, curve.positions) == ((1,), 2.0, "1")
    assert curve.kl is None
    assert "turned by number" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--condition", "dual", "--target", "plural"], "the conditions are plural"),
        (["--condition", "singular", "--target", "dual"], "the conditions are plural"),
        (["--condition", "s", "--target", "singular"], "among the pairs to turn and those of"),
        (["--template", "none"], "no pairs of that kind"),
        (["--mode", "push"], "unknown mode 'push'; use set or add"),
        (["--strength", "2"], "strength applies to mode add"),
        (["--counts", "1,500"], "give whole numbers from 1 to 128"),
        (["--counts", "a"], "give whole numbers separated by commas"),
        (["--counts", "1", "--shares", "0.1"], "give one of them"),
        (["--positions", "first"], "unknown positions 'first'"),
        (["--positions", "7"], "no word 7"),
        (["--n-random", "0"], "--n-random is 0; give at least 1"),
        (["--text", "nowhere.txt"], "nowhere.txt: no such file"),
        (["--text", "/dev/null"], "it is a device"),
    ],
)
def test_bad_input_writes_nothing(
    options: list[str],
    message: str,
    ranking: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert steer(ranking, tmp_path / "out", *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_ranking_of_another_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = nx.NeuronSpace("gpt2", "mlp", (0,), (512,))
    path = tmp_path / "other.json"
    nx.NeuronRanking(space, np.arange(512), np.zeros(512), "other").save(path)
    assert steer(str(path), tmp_path / "out") == 2
    assert "use another site" in capsys.readouterr().err
