"""Text as it was written, from the file to the curves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neurox_lite.activations.store import ActivationStore
from neurox_lite.cli.main import main
from neurox_lite.embedded import embedded_path

WORDS = ["the", "dog", "sees", "teacher", "near", "knows", "cat"]


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    """Sentences whose last word stands before a full stop."""
    blocks = []
    for number in range(40):
        words = [*(WORDS[(number * i + i) % 7] for i in range(1, 5 + number % 3)), "."]
        last = len(words) - 1
        rows = []
        for i, word in enumerate(words, start=1):
            upos = "NOUN" if word in ("dog", "teacher", "cat") else "X"
            misc = "SpaceAfter=No" if i == last else "_"
            rows.append("\t".join([str(i), word, "_", upos, *"_____", misc]))
        blocks.append("\n".join(rows))
    path = tmp_path / "a.conllu"
    path.write_text("\n\n".join(blocks) + "\n\n")
    return str(path)


def test_all_commands_take_it(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, store = str(embedded_path("models/bert")), str(tmp_path / "s.h5")
    extract = ["extract", "--model", model, "--corpus", corpus, "--layers", "-1", "--out", store]
    assert main([*extract, "--text", "raw", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words that share a subword"] == 0
    with ActivationStore(store) as opened:
        assert opened.metadata["text"] == "raw"
    assert main(extract) == 2  # the same words, read otherwise
    labels = ["--store", store, "--corpus", corpus, "--tag", "upos"]
    ranking = str(tmp_path / "r.json")
    assert main(["rank", "probeless", *labels, "--text", "raw", "--out", ranking]) == 0
    first = json.loads(Path(ranking).read_text())["order"]
    assert main(["rank", "probeless", *labels, "--out", ranking, "--overwrite"]) == 0
    assert json.loads(Path(ranking).read_text())["order"] == first
    ablate = ["ablate", "--ranking", ranking, *labels, "--no-retrain", "--shares", "0.1"]
    ablate += ["--n-random", "1", "--out", str(tmp_path / "a")]
    assert main([*ablate, "--text", "raw"]) in (0, 3)
    capsys.readouterr()
    assert main([*ablate, "--text", "file.txt", "--overwrite"]) == 2
    assert "takes no --text" in capsys.readouterr().err
