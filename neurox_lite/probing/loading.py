"""The files of a probe, and probes of either kind read from them."""

from __future__ import annotations

from pathlib import Path

from neurox_lite.errors import InputError
from neurox_lite.json_files import open_json
from neurox_lite.outputs import result_names
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression

PROBE, INDEX = "probe.json", "one_vs_rest.json"
FILES = (
    PROBE,
    "probe.safetensors",
    *result_names("evaluation"),
    *result_names("control"),
    *result_names("search"),
)
NAMES = (*FILES, *result_names("one_vs_rest"), *(f"[0-9][0-9][0-9]/{name}" for name in FILES))
"""Patterns of all that one fit writes; nothing of another probe stays beside a new one."""


def load_probe(folder: str | Path) -> ElasticNetProbe | ElasticNetRegression:
    """Read a probe of the kind that the folder holds.

    Raises
    ------
    InputError
        When the folder holds no probe, or those of many labels.
    """
    if (Path(folder) / INDEX).is_file():
        raise InputError(f"{folder}: holds a probe per label; give the folder of one, see {INDEX}")
    with open_json(Path(folder) / PROBE) as data:
        kind = data.get("kind") if isinstance(data, dict) else None
        if kind == ElasticNetProbe.KIND:
            return ElasticNetProbe.load(folder)
        if kind == ElasticNetRegression.KIND:
            return ElasticNetRegression.load(folder)
        raise InputError(f"{folder}: does not hold a probe; fit one with 'probe'")
