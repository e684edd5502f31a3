"""Labels: what is one, and what is none.

One rule for corpora and for every function that takes ``y``. None, NaN, pandas' NA, a masked entry
and a string that is empty or blank are *no label*: in a corpus the word then has none, and
`labelled_splits` omits it; where every row needs a label it is an error. Other labels stay what
they are, of one kind: strings, whole numbers, numbers or bools. In a corpus, which is text, they
are strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from neurox_lite.arguments import shown
from neurox_lite.errors import InputError

UNLABELLED = ""
"""The label of a word that has none of a tag, such as ``Number`` of a preposition."""

KINDS = {"U": "strings", "b": "bools", "i": "numbers", "u": "numbers", "f": "numbers"}
"""Of dtypes that labels can have."""


def validate_labels(
    y: Any, n_rows: int | None = None, *, name: str = "y", like: np.ndarray | None = None
) -> np.ndarray:
    """One label per row, as an array of strings, bools, whole numbers or numbers.

    Parameters
    ----------
    y : (n_rows,) array-like
        A list, an array, a tensor, or a column of pandas.
    n_rows : int, optional
        Number of rows that they must fit.
    name : str
        What the message calls them.
    like : array, optional
        Labels, such as those of train, that these are compared to.

    Raises
    ------
    InputError
        When a row has no label, labels are of several kinds or of another than ``like``, or there
        is not one for each row.
    """
    labels = _as_array(y, name)
    if labels.ndim != 1:
        raise InputError(f"{name} has shape {labels.shape}; give one label per row")
    if n_rows is not None and len(labels) != n_rows:
        raise InputError(
            f"{name}: {n_rows} rows of activations for {len(labels)} labels; give one per row"
        )
    if labels.dtype.kind in "OT":
        labels = _of_objects(labels.tolist(), name)
    if labels.dtype.kind not in KINDS:
        raise InputError(f"{name} holds {labels.dtype} labels; give strings or whole numbers")
    if labels.dtype.kind == "U":
        _refuse_missing((labels == UNLABELLED) | np.char.isspace(labels), labels, name)
    elif labels.dtype.kind == "f":
        _refuse_missing(np.isnan(labels), labels, name)
        if not np.isfinite(labels).all():
            row = int(np.argmax(~np.isfinite(labels)))
            raise InputError(f"{name} has label {labels[row]} in row {row}; give finite numbers")
    if like is not None:
        refuse_other_kind(labels, like, name)
    return labels


def refuse_other_kind(labels: np.ndarray, like: np.ndarray, name: str) -> None:
    """Raise InputError for strings that are compared to numbers, of which none would be equal."""
    if (labels.dtype.kind == "U") != (like.dtype.kind == "U"):
        raise InputError(
            f"{name} holds {KINDS[labels.dtype.kind]}, but the labels they are compared to are "
            f"{KINDS[like.dtype.kind]}; give both alike"
        )


def is_missing(value: Any) -> bool:
    """Whether a value says that there is no label: None, NaN, NA, masked, or a blank string."""
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA does not even say whether it is itself
        return True
    except ValueError:  # an array
        return False


def _as_array(y: Any, name: str) -> np.ndarray:
    if isinstance(y, np.ma.MaskedArray):
        labels = y.data.astype(object)
        labels[np.ma.getmaskarray(y)] = None
        return labels
    if hasattr(y, "detach"):  # a tensor
        y = y.detach().cpu()
        return (y.double() if y.is_floating_point() else y).numpy()
    if hasattr(y, "__array__"):
        return np.asarray(y)
    if isinstance(y, str | bytes | Mapping | Set) or not isinstance(y, Iterable):
        raise InputError(f"{name} is {shown(y)}; give one label per row, as a list or an array")
    # Not by numpy, to which ["a", nan, 1] are three strings.
    items = list(y)
    return np.fromiter(items, dtype=object, count=len(items))


def _of_objects(items: list[Any], name: str) -> np.ndarray:
    types = set(map(type, items))
    if all(issubclass(kind, str) for kind in types):
        return np.array(items, dtype=str)
    missing = np.array([is_missing(item) for item in items])
    _refuse_missing(missing, items, name)
    kinds = {_kind(item): item for item in reversed(items)}
    if len(kinds) == 1 or set(kinds) == {"i", "f"}:
        [kind] = {"f"} if len(kinds) > 1 else kinds
        if kind in ("b", "i", "f"):
            return np.array(items, dtype={"b": bool, "i": np.int64, "f": np.float64}[kind])
        raise InputError(f"{name} holds {shown(kinds[kind])}; give strings or whole numbers")
    first, second, *_ = kinds.values()
    raise InputError(
        f"{name} holds labels of several kinds, as {shown(first)} and {shown(second)}; give one "
        "kind"
    )


def _kind(item: Any) -> str:
    """Kind of the dtype that holds it."""
    found = np.asarray(item)
    return {"u": "i"}.get(found.dtype.kind, found.dtype.kind) if found.ndim == 0 else "O"


def _refuse_missing(missing: np.ndarray, labels: Any, name: str) -> None:
    if not missing.any():
        return
    row, n_others = int(np.argmax(missing)), int(missing.sum()) - 1
    others = f" and {n_others} others" if n_others else ""
    raise InputError(
        f"{name} has no label in row {row}{others} ({shown(labels[row])}); leave out words without "
        "a label, as labelled_splits does"
    )
