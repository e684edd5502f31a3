"""How good a probe is, on every split and class by class."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from neurox_lite.activations.labelled import LabelledSplits
from neurox_lite.metrics import accuracy, majority_accuracy, per_class
from neurox_lite.probing.bootstrap import accuracy_interval
from neurox_lite.probing.probe import ElasticNetProbe


def evaluate_probe(probe: ElasticNetProbe, splits: LabelledSplits) -> dict[str, Any]:
    """Accuracy per split, the majority baseline, the certificate and a table per class on test.

    The accuracy on test comes with its 95 % interval over resamples of the test sentences. Streams
    the activations; the result is JSON-ready.
    """
    predicted = probe.predict(splits.test.X)
    interval = accuracy_interval(predicted == splits.test.y, splits.test.sentences)
    return {
        "test_accuracy": accuracy(splits.test.y, predicted),
        "test_accuracy_interval": [interval.low, interval.high],
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
