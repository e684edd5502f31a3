"""How good a probe is, on every split and class by class."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.errors import InputError
from neurox_lite.intervals import accuracy_interval
from neurox_lite.json_files import read_json
from neurox_lite.metrics import accuracy, confusions, majority_accuracy, per_class
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression
from neurox_lite.results.tables import Table

logger = logging.getLogger(__name__)


def evaluate_probe(
    probe: ElasticNetProbe | ElasticNetRegression, splits: LabelledSplits
) -> dict[str, Any]:
    """How well a probe predicts every split, how sparse it is, and its certificate.

    Of classes: accuracies, that on test with its 95 % interval over sentences (see
    :func:`neurox_lite.intervals.accuracy_interval`), the majority baseline, a table per class and
    the confusions on test, the most frequent first. Of numbers: R2. Streams the activations; the
    result is JSON-ready.
    """
    if not (probe.coef_ != 0).any():
        logger.warning(
            "all weights of the probe are 0, so that it gives one answer to every word: l1 is %g; "
            "give a smaller one",
            probe.l1,
        )
    if isinstance(probe, ElasticNetRegression):
        parts = {"test": splits.test, "dev": splits.dev, "train": splits.train}
        measured = {f"{name}_r2": float(probe.score(p)) for name, p in parts.items()}
    else:
        measured = _of_classes(probe, splits)
    return {
        **measured,
        "n_train": len(splits.train.y),
        "n_dev": len(splits.dev.y),
        "n_test": len(splits.test.y),
        "nonzero_weights": float((probe.coef_ != 0).mean()),
        "certificate": asdict(probe.certificate_),
    }


def evaluation_table(evaluation: Mapping[str, Any]) -> Table:
    """A row per class on test; of a regression, a row per split."""
    rows = evaluation.get("per_class")
    if rows is None:
        splits = ("train", "dev", "test")
        return [["split", "R2"], *([split, evaluation[f"{split}_r2"]] for split in splits)]
    header = ["label", "precision", "recall", "f1", "support"]
    return [header, *([row[name] for name in header] for row in rows)]


def read_evaluation(path: str | Path) -> dict[str, Any]:
    """What ``evaluation.json`` of a probe, or of one for each label, says.

    Raises
    ------
    InputError
        When the file is missing, damaged or holds something else.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"{path}: not the evaluation of a probe; make it again")
    return found


def _of_classes(probe: ElasticNetProbe, splits: LabelledSplits) -> dict[str, Any]:
    predicted = probe.predict(splits.test.X)
    interval = accuracy_interval(predicted == splits.test.y, splits.test.sentences)
    return {
        "test_accuracy": accuracy(splits.test.y, predicted),
        "test_accuracy_interval": [interval.low, interval.high],
        "dev_accuracy": accuracy(splits.dev.y, probe.predict(splits.dev.X)),
        "train_accuracy": accuracy(splits.train.y, probe.predict(splits.train.X)),
        "majority_accuracy": (
            majority_accuracy(splits.train.y, splits.test.y)
            if splits.majority is None
            else accuracy(splits.test.y, np.full(len(splits.test.y), splits.majority))
        ),
        "left_out": splits.left_out,
        "per_class": [asdict(row) for row in per_class(splits.test.y, predicted)],
        "confusions": [asdict(row) for row in confusions(splits.test.y, predicted)],
    }
