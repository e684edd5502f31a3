"""A probe of every label against the rest, as a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.activations.access import finite_blocks
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.corpora.tagged_corpus import rest_of
from neurox_lite.files import write_text
from neurox_lite.json_files import json_text, write_json
from neurox_lite.metrics import majority_accuracy
from neurox_lite.output_formats import TABLE_FORMATS
from neurox_lite.outputs import atomic_write_folder
from neurox_lite.probing.loading import INDEX, NAMES
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.tables import Table, write_table


def save_one_vs_rest(
    probes: dict[Any, ElasticNetProbe],
    splits: LabelledSplits,
    folder: str | Path,
    table_format: str | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write every probe into a numbered folder, since labels may be no names of folders.

    Parameters
    ----------
    probes : dict
        From :func:`neurox_lite.fit_one_vs_rest` on ``splits.train``.
    splits : LabelledSplits
    folder : path
    table_format : {"csv", "latex"}, optional
        Write the index as a table, too.
    provenance : dict, optional
        Where the labels are from.

    Returns
    -------
    dict
        Test accuracy of every label, the labels whose probe has not converged, and the classes left
        out; ``evaluation.json`` has the same and the provenance. ``one_vs_rest.json`` has for every
        label more, its folder above all.
    """
    accuracies = _accuracies(probes, splits.test)
    index = {}
    found: dict[str, Any] = {"test_accuracy": accuracies}
    with atomic_write_folder(folder, NAMES) as new:
        for number, (label, probe) in enumerate(probes.items()):
            name = f"{number:03d}"
            probe.save(new / name)
            index[label] = {
                "folder": name,
                "test_accuracy": accuracies[label],
                "majority_accuracy": majority_accuracy(
                    splits.train.y == label, splits.test.y == label
                ),
                "nonzero_weights": float((probe.coef_ != 0).mean()),
                "certificate": probe.certificate_.value,
                "converged": probe.certificate_.converged,
            }
        write_text(new / INDEX, json_text(index))  # its keys are labels: no place for a checksum
        found["not_converged"] = [k for k, entry in index.items() if not entry["converged"]]
        found["left_out"] = splits.left_out
        write_json(new / "evaluation.json", {**found, "provenance": dict(provenance or {})})
        if table_format is not None:
            write_table(new / f"one_vs_rest{TABLE_FORMATS[table_format]}", _table(index))
    return found


def _table(index: dict[Any, dict[str, Any]]) -> Table:
    names = list(next(iter(index.values())))
    rows = ([label, *(entry[name] for name in names)] for label, entry in index.items())
    return [["label", *names], *rows]


def _accuracies(probes: dict[Any, ElasticNetProbe], test: LabelledActivations) -> dict[Any, float]:
    """Test accuracy of every probe, in one pass over the activations."""
    right = dict.fromkeys(probes, 0)
    for start, block in finite_blocks(test.X, test.X.space):
        labels = test.y[start : start + len(block)]
        for label, probe in probes.items():
            binary = np.where(labels == label, str(label), rest_of(label))
            right[label] += int(np.sum(probe.predict(block) == binary))
    return {label: count / len(test.y) for label, count in right.items()}
