"""What functions are given: activations, and a label for every row.

The one place that says which are accepted. Public functions take them as ``(X, y)``, as
scikit-learn does, or as :class:`LabelledActivations` in the place of X, and hand them on as these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets

from neurox_lite.activations.access import space_of, take_rows
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import expect, shown
from neurox_lite.errors import InputError
from neurox_lite.intervals import sentence_numbers
from neurox_lite.json_files import hash_json
from neurox_lite.labels import validate_labels
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.showing import short_repr, some, summary

WANTED = "an array, a tensor or a store's matrix of shape (n_words, n_neurons)"


@dataclass(frozen=True)
class LabelledActivations:
    """Activations and labels of words, such as those of one split of a corpus.

    Attributes
    ----------
    X : (n_words, n_neurons) ActivationMatrix, array or tensor
        On disk as :func:`neurox_lite.labelled_splits` gives it.
    y : (n_words,) array
        One label per word.
    rows : (n_words,) int array
        Their positions among the words of the corpus, ascending; by default from 0.
    sentences : (n_words,) int array
        Numbers of their sentences in the corpus, from 0; by default each word is one of its own.
    """

    X: Any
    y: np.ndarray
    rows: np.ndarray = None  # type: ignore[assignment]
    sentences: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        require_array(self.X)
        object.__setattr__(self, "X", validate_activations(self.X))
        object.__setattr__(self, "y", validate_labels(self.y, self.X.shape[0]))
        for name in ("rows", "sentences"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.arange(len(self.y)))
            elif len(getattr(self, name)) != len(self.y):
                raise InputError(
                    f"{len(getattr(self, name))} {name} for {len(self.y)} labels; give one of each "
                    "for a word"
                )

    __repr__ = short_repr
    _repr_html_ = as_html

    def __str__(self) -> str:
        classes = some(np.unique(self.y).tolist())
        title = f"LabelledActivations of {self.X.shape[1]} neurons"
        return summary(title, {"words": len(self.y)}, [f"labels {classes}"])

    def __len__(self) -> int:
        return len(self.y)

    @property
    def space(self) -> NeuronSpace:
        """The neurons that the columns are; of a plain array one layer of its own."""
        return space_of(self.X)

    @property
    def classes(self) -> np.ndarray:
        """The labels there are, sorted; (n_classes,).

        Raises
        ------
        InputError
            When there are fewer than two, or labels are not classes.
        """
        return self._class_ids[0]

    @property
    def ids(self) -> np.ndarray:
        """Number of the class of each row; (n_words,) int array. Raises as ``classes``."""
        return self._class_ids[1]

    @property
    def class_names(self) -> tuple[Any, ...]:
        """The classes as Python has them."""
        return tuple(self.classes.tolist())

    @cached_property
    def _class_ids(self) -> tuple[np.ndarray, np.ndarray]:
        return class_ids(self.y)

    @property
    def provenance(self) -> dict[str, Any]:
        """The number of words, and of words of a store a hash of them and their labels."""
        words = {"n_words": len(self)}
        identity = hash_labelled_words(self.X, self.y)
        return {**words, "words": identity} if identity else words

    def one_hot(self, start: int, stop: int, like: torch.Tensor) -> torch.Tensor:
        """Classes of some rows as (n_classes, n_rows) zeros and ones, float32 on a device."""
        ids = torch.from_numpy(self.ids[start:stop]).to(like.device)
        return (ids == torch.arange(len(self.classes), device=like.device)[:, None]).float()

    def take(self, positions: np.ndarray) -> LabelledActivations:
        """Some words, of ascending positions without repeats."""
        X = take_rows(self.X, positions)
        return LabelledActivations(
            X, self.y[positions], self.rows[positions], self.sentences[positions]
        )


def unpack(X: Any, y: Any, suffix: str = "") -> tuple[Any, Any]:
    """``(X, y)``, of LabelledActivations in the place of X their own; ``suffix`` is of names."""
    if isinstance(y, LabelledActivations):
        raise InputError(f"y{suffix} is LabelledActivations; give it as X_dev= or X_test=")
    if not isinstance(X, LabelledActivations):
        return X, y
    if y is not None:
        raise InputError(f"X{suffix} has labels of its own; leave out y{suffix}")
    return X.X, X.y


def validate_inputs(
    X: Any,
    y: Any,
    part: str = "",
    *,
    like: LabelledActivations | None = None,
) -> LabelledActivations:
    """Check what a function was given; nothing is read from the disk.

    Parameters
    ----------
    X : (n, n_neurons) array-like, or LabelledActivations
    y : (n,) array-like
    part : str
        What errors call them: X_dev and y_dev of "dev".
    like : LabelledActivations, optional
        Those of train, whose neurons and kind of labels they must have.

    Raises
    ------
    InputError
        As :func:`validate_activations` and :func:`neurox_lite.labels.validate_labels`, or when they
        are not ``like`` train.
    """
    suffix = f"_{part}" if part else ""
    X, y = unpack(X, y, suffix)
    X = validate_activations(X, f"X{suffix}")
    of_train = None if like is None else like.y
    y = validate_labels(y, X.shape[0], name=f"y{suffix}", like=of_train)
    if like is not None:
        require_same_neurons(like.X, X, part)
    return LabelledActivations(X, y)


def validate_with_sentences(X: Any, y: Any, groups: Any) -> LabelledActivations:
    """:func:`validate_inputs` with the sentence of each row, ``groups`` (n,)."""
    data = validate_inputs(X, y)
    if groups is None and isinstance(X, LabelledActivations):
        groups = X.sentences
    return replace(data, sentences=sentence_numbers(groups, len(data)))


def require_array(X: Any, name: str = "X") -> None:
    """Raise InputError for what is not an array of activations, or is sparse."""
    if isinstance(X, ActivationMatrix):
        return
    if isinstance(X, ActivationStore):
        raise InputError(f"{name} is a store; give its activations, as store.matrix()")
    if hasattr(X, "X") and hasattr(X, "y"):
        raise InputError(f"{name} is {shown(X)}; give its activations and labels, .X and .y")
    if issparse(X) or (isinstance(X, torch.Tensor) and X.layout != torch.strided):
        raise InputError("sparse input is not supported: activations are dense; use .toarray()")
    is_array = hasattr(X, "__array__") or isinstance(X, list | tuple)
    if isinstance(X, type) or not is_array:
        raise InputError(f"{name} is {shown(X)}; give {WANTED}")


def validate_activations(X: Any, name: str = "X") -> Any:
    """``X`` as something with two dimensions and numbers; integers become float32.

    Of LabelledActivations it is theirs. Raises InputError when it is not an array, is sparse, has
    other numbers, or is no matrix with rows.
    """
    if isinstance(X, LabelledActivations):
        return X.X
    if isinstance(X, ActivationMatrix):
        return X
    require_array(X, name)
    if not isinstance(X, torch.Tensor):
        try:
            X = np.asarray(X)
        except ValueError as error:  # rows of several lengths
            raise InputError(f"{name} is not a matrix ({error}); give {WANTED}") from None
        if X.dtype.kind not in "fiub":
            raise InputError(f"activations of type {X.dtype}; give real numbers")
        X = X if X.dtype.kind == "f" else X.astype(np.float32)
    elif X.is_complex():
        raise InputError(f"activations of type {X.dtype}; give real numbers")
    else:
        X = X.detach() if X.is_floating_point() else X.float()
    if X.ndim != 2 or not all(X.shape):
        raise InputError(
            f"activations of shape {tuple(X.shape)}; give (n_words, n_neurons), at least one row"
        )
    return X


def require_same_neurons(X: Any, other: Any, part: str) -> None:
    """Raise InputError unless activations of another part are of the neurons of ``X``, of train."""
    if X.shape[1] != other.shape[1]:
        raise InputError(
            f"{part} activations of shape {tuple(other.shape)} for {X.shape[1]} neurons of train; "
            "give the same neurons"
        )
    both_know_theirs = isinstance(X, ActivationMatrix) and isinstance(other, ActivationMatrix)
    if both_know_theirs and X.space != other.space:
        raise InputError(f"train and {part} have different neurons; give the same layers")


def validate_space(space: NeuronSpace | None, X: Any, name: str = "space") -> NeuronSpace:
    """The neurons that the columns of ``X`` are, as the user says or as ``X`` knows itself."""
    if space is None:
        return space_of(X)
    expect(space, NeuronSpace, name, "a NeuronSpace, such as store.space")
    if space.n_neurons != X.shape[1]:
        raise InputError(f"{name} has {space.n_neurons} neurons for {X.shape[1]} columns")
    return space


def class_ids(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes, sorted, and the number of each row's class, (n,).

    Raises InputError when there are fewer than two classes, or labels are not classes.
    """
    try:
        check_classification_targets(y)
    except ValueError as error:
        raise InputError(f"{error}; for numbers fit an ElasticNetRegression") from None
    classes, ids = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise InputError(f"only one class, '{classes[0]}'; give words of at least two")
    return classes, ids


def hash_labelled_words(X: Any, y: np.ndarray) -> str:
    """Hash of a store's content, the rows taken from it and their labels; "" for an array."""
    if not isinstance(X, ActivationMatrix):
        return ""
    return hash_json([X.store.content_hash, X.rows.tolist(), [str(label) for label in y]])


def sample_rows(ids: np.ndarray, n_rows: int, seed: int) -> np.ndarray:
    """Numbers of about ``n_rows`` rows, ascending, with the same share of every class.

    Parameters
    ----------
    ids : (n,) int array
        Class of every row.
    n_rows : int
        Every class has at least one row, so there may be a few more.
    seed : int
    """
    if len(ids) <= n_rows:
        return np.arange(len(ids))
    rng = np.random.default_rng(seed)
    of_classes = []
    for number in np.unique(ids):
        rows = np.flatnonzero(ids == number)
        size = int(np.ceil(len(rows) * n_rows / len(ids)))
        of_classes.append(rng.choice(rows, size=size, replace=False))
    return np.sort(np.concatenate(of_classes))
