"""Rankings as files: JSON with everything, CSV and LaTeX as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.json_files import open_json, write_json
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.tables import is_table_name

KIND = "neuron ranking"

Ranking = TypeVar("Ranking")


def check_name(path: str | Path) -> None:
    """Raise InputError unless a ranking can be written under this name."""
    if Path(path).suffix != ".json" and not is_table_name(path):
        raise InputError(f"{path}: a ranking is saved as .json, .csv or .tex; choose such a name")


def write_fields(path: str | Path, fields: dict[str, Any]) -> None:
    """Write the fields of a ranking as JSON."""
    check_name(path)
    per_class = fields["class_scores"]
    write_json(
        path,
        {
            "kind": KIND,
            "method": fields["method"],
            "space": fields["space"].to_dict(),
            "parameters": dict(fields["parameters"]),
            "provenance": dict(fields["provenance"]),
            "order": fields["order"].tolist(),
            "scores": _nan_as_none(fields["scores"]),
            "classes": list(fields["classes"]),
            "class_scores": None if per_class is None else list(map(_nan_as_none, per_class)),
        },
    )


def read_ranking(path: str | Path, build: Callable[..., Ranking]) -> Ranking:
    """Build a ranking from the fields that :func:`write_fields` wrote."""
    if is_table_name(path):
        raise InputError(f"{path}: a table, not the whole ranking; give the one written as .json")
    if Path(path).is_dir():
        own = Path(path) / "ranking.json"
        such = f", as {own}" if own.is_file() else ""
        raise InputError(f"{path}: is a folder; give the file of a ranking{such}")
    with open_json(path) as data:
        if not isinstance(data, dict) or data.get("kind") != KIND:
            raise InputError(f"{path}: does not hold a neuron ranking; make one with 'rank'")
        try:
            per_class = data["class_scores"]
            return build(
                space=NeuronSpace.from_dict(data["space"]),
                order=np.array(data["order"], dtype=np.int64),
                scores=np.array(data["scores"], dtype=np.float64),
                method=data["method"],
                classes=tuple(data["classes"]),
                class_scores=None if per_class is None else np.array(per_class, np.float64),
                parameters=data["parameters"],
                provenance=data["provenance"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: the ranking is damaged ({error}); make it again") from None


def _nan_as_none(values: np.ndarray) -> list[float | None]:
    """JSON has no NaN; read back as a float array, None is one."""
    return [None if value != value else value for value in values.tolist()]
