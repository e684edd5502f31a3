"""Rankings as files: JSON with everything, CSV as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.files import reading_json, write_json
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.tables import is_table_name, write_table

if TYPE_CHECKING:
    from neurox_lite.results.ranking import NeuronRanking

KIND = "neuron ranking"


def write_ranking(ranking: NeuronRanking, path: str | Path) -> None:
    """Write a ranking as ``.json`` (everything), ``.csv`` or ``.tex`` (a table, best first).

    Raises
    ------
    InputError
        When the name ends in something else, or the file cannot be written.
    """
    if is_table_name(path):
        write_table(path, as_table(ranking))
        return
    check_name(path)
    per_class = ranking.class_scores
    write_json(
        path,
        {
            "kind": KIND,
            "method": ranking.method,
            "space": ranking.space.to_dict(),
            "parameters": dict(ranking.parameters),
            "provenance": dict(ranking.provenance),
            "order": ranking.order.tolist(),
            "scores": _nan_as_none(ranking.scores),
            "classes": list(ranking.classes),
            "class_scores": None
            if per_class is None
            else [_nan_as_none(scores) for scores in per_class],
        },
    )


def check_name(path: str | Path) -> None:
    """Raise InputError unless a ranking can be written under this name."""
    if Path(path).suffix != ".json" and not is_table_name(path):
        raise InputError(f"{path}: a ranking is saved as .json, .csv or .tex; choose such a name")


def as_table(ranking: NeuronRanking) -> list[list[Any]]:
    """A header, and one row per neuron, best first."""
    rows: list[list[Any]] = [["rank", "layer", "unit", "score", *ranking.classes]]
    per_class = ranking.class_scores
    for rank, column in enumerate(ranking.order.tolist(), start=1):
        neuron = ranking.space.neuron(column)
        of_classes = [] if per_class is None else per_class[:, column].tolist()
        score = float(ranking.scores[column])
        rows.append([rank, neuron.layer, neuron.unit, score, *of_classes])
    return rows


def read_ranking(path: str | Path, build: Callable[..., NeuronRanking]) -> NeuronRanking:
    """Read a ranking written as JSON; ``build`` takes the fields of a ranking as keywords.

    Raises
    ------
    InputError
        When the file is missing, damaged or holds no ranking.
    """
    if is_table_name(path):
        raise InputError(f"{path}: a table, not the whole ranking; give the one written as .json")
    with reading_json(path) as data:
        if not isinstance(data, dict) or data.get("kind") != KIND:
            raise InputError(f"{path}: holds no neuron ranking; make one with 'rank'")
        try:
            per_class = data["class_scores"]
            return build(
                space=NeuronSpace.from_dict(data["space"]),
                order=np.array(data["order"], dtype=np.int64),
                scores=np.array(data["scores"], dtype=np.float64),
                method=data["method"],
                classes=tuple(data["classes"]),
                class_scores=None if per_class is None else np.array(per_class, dtype=np.float64),
                parameters=data["parameters"],
                provenance=data["provenance"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: the ranking is damaged ({error}); make it again") from None


def _nan_as_none(values: np.ndarray) -> list[float | None]:
    """JSON has no NaN; read back as a float array, None is one."""
    return [None if value != value else value for value in values.tolist()]
