"""How good a probe is, on every split and class by class."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from neurox_lite.activations.labelled import LabelledSplits
from neurox_lite.metrics import accuracy, majority_accuracy, per_class
from neurox_lite.probing.probe import ElasticNetProbe


def evaluate_probe(probe: ElasticNetProbe, splits: LabelledSplits) -> dict[str, Any]:
    """Accuracy per split, the majority baseline, the certificate and a table per class on test.

    Streams the activations; the result is JSON-ready.
    """
    predicted = probe.predict(splits.test.X)
    return {
        "test_accuracy": accuracy(splits.test.y, predicted),
        "dev_accuracy": accuracy(splits.dev.y, probe.predict(splits.dev.X)),
        "train_accuracy": accuracy(splits.train.y, probe.predict(splits.train.X)),
        "majority_accuracy": majority_accuracy(splits.train.y, splits.test.y),
        "n_train": len(splits.train.y),
        "n_dev": len(splits.dev.y),
        "n_test": len(splits.test.y),
        "left_out": splits.left_out,
        "nonzero_weights": float((probe.coef_ != 0).mean()),
        "certificate": asdict(probe.certificate_),
        "per_class": [asdict(row) for row in per_class(splits.test.y, predicted)],
    }
