"""Numbers that say how good predictions are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ClassReport:
    """Precision, recall and F1 of one class, and how many words have it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class LabelConfusion:
    """How many words of a label got another one."""

    label: str
    predicted: str
    words: int


def accuracy(y: np.ndarray, predicted: np.ndarray) -> float:
    """Share of equal labels; both of shape (n,)."""
    return float(np.mean(np.asarray(y) == np.asarray(predicted)))


def majority_accuracy(y_train: np.ndarray, y: np.ndarray) -> float:
    """Accuracy on ``y`` of always answering the most frequent label of ``y_train``."""
    return accuracy(y, np.full(len(y), most_frequent(y_train)))


def most_frequent(y: np.ndarray) -> Any:
    """The most frequent label; of several the first in sorted order."""
    labels, counts = np.unique(y, return_counts=True)
    return labels[np.argmax(counts)]


def per_class(y: np.ndarray, predicted: np.ndarray) -> list[ClassReport]:
    """Precision, recall and F1 per class of ``y``, in sorted order; 0 where undefined."""
    from sklearn.metrics import precision_recall_fscore_support

    labels = np.unique(y)
    columns = precision_recall_fscore_support(y, predicted, labels=labels, zero_division=0.0)
    return [
        ClassReport(str(label), float(p), float(r), float(f), int(n))
        for label, p, r, f, n in zip(labels, *columns, strict=True)
    ]


def confusions(y: np.ndarray, predicted: np.ndarray) -> list[LabelConfusion]:
    """Labels that words got in place of their own, the most frequent first."""
    labels, ids = np.unique(np.concatenate([y, predicted]), return_inverse=True)
    right, got = ids.reshape(2, -1)
    wrong = np.stack([right, got])[:, right != got]
    pairs, words = np.unique(wrong, axis=1, return_counts=True)
    return [
        LabelConfusion(str(labels[pairs[0, n]]), str(labels[pairs[1, n]]), int(words[n]))
        for n in np.argsort(-words, kind="stable")
    ]
