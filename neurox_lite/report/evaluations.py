"""How good a probe is, as its files say: read, and required to hold what the report needs."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from neurox_lite.json_files import read_json
from neurox_lite.probing.certificate import Certificate

COUNTS = ("n_train", "n_dev", "n_test", "nonzero_weights")
R2 = (*COUNTS, "train_r2", "dev_r2", "test_r2")
ACCURACIES = ("train_accuracy", "dev_accuracy", "test_accuracy", "majority_accuracy")
OF_LABEL = ("test_accuracy", "majority_accuracy", "nonzero_weights")


def evaluation(path: Path) -> dict[str, Any] | None:
    """Of one probe; None of probes of a label each, of which another file says more.

    Raises
    ------
    ValueError
        When something is missing, or of another type.
    """
    found = _object(read_json(path), "it")
    if isinstance(found.get("test_accuracy"), dict):
        return None
    if "test_r2" in found:
        _require_numbers(found, R2)
    else:
        _require_numbers(found, (*COUNTS, *ACCURACIES))
        ends = _there(found, "test_accuracy_interval")
        if not (isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends))):
            raise ValueError("'test_accuracy_interval' is not two numbers")
        rows = _there(found, "per_class")
        if not isinstance(rows, list):
            raise ValueError("'per_class' is not a list")
        for row in rows:
            _there(_object(row, "a row of 'per_class'"), "label")
            _require_numbers(row, ("f1", "support"))
        confusions = found.get("confusions", [])
        if not isinstance(confusions, list):
            raise ValueError("'confusions' is not a list")
        for row in confusions:
            for name in ("label", "predicted"):
                _there(_object(row, "a row of 'confusions'"), name)
            _require_numbers(row, ("words",))
    _object(found.get("left_out", {}), "'left_out'")
    certificate = _object(_there(found, "certificate"), "'certificate'")
    _require_numbers(certificate, ("value", "tol"))
    Certificate(**certificate)
    return dict(found)


def of_labels(path: Path) -> dict[str, Any]:
    """Of a probe of each label.

    Raises
    ------
    ValueError
        As :func:`evaluation`.
    """
    found = _object(read_json(path), "it")
    for label, one in found.items():
        _require_numbers(_object(one, f"'{label}'"), OF_LABEL)
        _there(one, "converged")
    return dict(found)


def require_numbers(result: Any, *names: str) -> Any:
    """The result, if these of its attributes are numbers; see :func:`evaluation`."""
    _require_numbers(vars(result), names)
    return result


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is not an object with names")
    return value


def _there(found: Mapping[str, Any], name: str) -> Any:
    if name not in found:
        raise ValueError(f"'{name}' is missing")
    return found[name]


def _require_numbers(found: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if not _is_number(_there(found, name)):
            raise ValueError(f"'{name}' is not a number")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
