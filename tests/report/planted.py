"""Folders of results about which all is known."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import yaml

from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.json_files import write_json
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.sweep import Sweep

SPACE = NeuronSpace("m", "mlp", (0, 1), (3, 3), revision="sha256:00")
SCORES = np.array([0.1, 0.9, 0.2, 0.3, 0.8, 0.0])
SHARES = (0.5, 1.0)


def ranking(method: str = "lca", scores: np.ndarray = SCORES) -> NeuronRanking:
    """1, 4, 3, 2, 0, 5 are its columns; the first is best for B, the second for A."""
    of_a = scores * (np.arange(6) != 1)
    per_class = np.stack([of_a, scores * (np.arange(6) != 4)])
    return NeuronRanking.from_scores(
        SPACE, scores, method, classes=("A", "B"), class_scores=per_class
    )


def curves(metric: str = "accuracy", *, in_model: bool = False) -> AblationCurves:
    """Half of the neurons reach 0.8, random ones 0.5 (0.4 to 0.6)."""
    keep = Sweep(0.9, (0.8, 0.9), (0.3, 0.9), (0.5, 0.9), (0.4, 0.9), (0.6, 0.9))
    remove = Sweep(0.9, (0.3, 0.1), (0.8, 0.1), (0.7, 0.1), (0.6, 0.1), (0.8, 0.1))
    if not in_model:
        remove = Sweep(0.9, (0.3, 0.1))
    curve = AblationCurve(
        "lca", not in_model, "mean", metric, 6, SHARES, (3, 6), keep, remove, True
    )
    return AblationCurves((curve,))


def evaluation(accuracy: float = 0.9, low: float = 0.85, *, converged: bool = True) -> dict:
    """Of a probe of two classes."""
    return {
        "test_accuracy": accuracy,
        "test_accuracy_interval": [low, 0.95],
        "dev_accuracy": 0.9,
        "train_accuracy": 0.95,
        "majority_accuracy": 0.5,
        "left_out": {},
        "per_class": [
            {"label": label, "precision": 0.9, "recall": 0.9, "f1": 0.9, "support": 10}
            for label in ("A", "B")
        ],
        "confusions": [{"label": "B", "predicted": "A", "words": 1}],
        "n_train": 100,
        "n_dev": 20,
        "n_test": 20,
        "nonzero_weights": 0.5,
        "certificate": {
            "kind": "duality gap",
            "value": 1e-5 if converged else 1.0,
            "tol": 1e-4,
            "objective": 0.1,
            "n_iter": 9,
        },
    }


def plant_job(folder: Path, tag: str = "Number", *, converged: bool = True) -> Path:
    """A job of one tag and one model, as a run leaves it, without its store."""
    (folder / "probe").mkdir(parents=True)
    job = {"model": "m", "corpus": "my.conllu", "tag": tag, "out": str(folder), "seed": 0}
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    write_json(folder / "stages.json", {})
    write_json(folder / "probe/evaluation.json", evaluation(converged=converged))
    control = Selectivity(0.9, 0.6, 10, True, (0.6,))
    write_json(folder / "control.json", {**asdict(control), "selectivity": control.selectivity})
    minimal = MinimalSet("lca", 0.01, 0.9, (0.5,), (0.895,), (1, 4, 3), True)
    write_json(folder / "minimal_set.json", {**asdict(minimal), "share": minimal.share})
    ranking().save(folder / "ranking.json")
    curves().save(folder / "ablation.json")
    return folder
