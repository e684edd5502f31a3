"""What a description says of examples, beside the activations of a neuron."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from neurox_lite.arguments import real_number, shown
from neurox_lite.descriptions.shuffling import shuffled_rows
from neurox_lite.errors import InputError
from neurox_lite.intervals import sentence_numbers
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class Examples:
    """Examples, in which something may be present and a neuron active.

    Attributes
    ----------
    present : (n_examples,) float64 array
        From 0 to 1.
    activations : (n_examples,) float64 array
    sentences : (n_examples,) int array
        From 0, without gaps.
    threshold : float
    """

    present: np.ndarray
    activations: np.ndarray
    sentences: np.ndarray
    threshold: float

    __repr__ = short_repr

    @classmethod
    def of(cls, present: Any, activations: Any, sentences: Any, threshold: Any) -> Examples:
        """From what the user gave; raises InputError for what is no number or out of range."""
        said = validate_present(present)
        if not len(said):
            raise InputError("no examples; give at least one")
        values = _numbers(activations, "activations", "example")
        if len(values) != len(said):
            raise InputError(
                f"{len(values)} activations for {len(said)} examples; give one for each"
            )
        threshold = real_number(threshold, "threshold")
        if not np.isfinite(threshold):
            raise InputError(f"threshold is {threshold}; give a finite activation")
        return cls(said, values, sentence_numbers(sentences, len(said), "sentences"), threshold)

    @cached_property
    def is_present(self) -> np.ndarray:
        """Whether the described is present, (n_examples,): where that is at least as likely."""
        return self.present >= 0.5

    @cached_property
    def is_active(self) -> np.ndarray:
        """Whether the neuron is active, (n_examples,).

        Above the threshold, and at it except where that is the smallest activation.
        """
        at = (self.activations == self.threshold) & (self.activations > self.activations.min())
        return (self.activations > self.threshold) | at

    def with_constant(self) -> Examples:
        """Of a description that is present everywhere."""
        return replace(self, present=np.ones(len(self.present)))

    def with_shuffled(self, rng: np.random.Generator) -> Examples:
        """With the activations of other sentences, each begun at another of its examples."""
        rows = shuffled_rows(self.sentences, rng)
        return replace(self, activations=self.activations[rows])


def validate_present(present: Any, each: str = "example") -> np.ndarray:
    """What a description says of examples, or of ``each`` that it is of, from 0 to 1; float64."""
    said = _numbers(present, "present", each)
    outside = (said < 0) | (said > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(f"present is {said[row]:g} in {each} {row}; give numbers from 0 to 1")
    return said


def _numbers(values: Any, name: str, each: str) -> np.ndarray:
    """A finite number for each example, (n_examples,) float64."""
    wanted = f"give one number per {each}, as a list or an array"
    if hasattr(values, "detach"):  # a tensor
        values = values.detach().cpu().double()
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(float), np.nan)
    try:
        array = np.asarray(values)
    except ValueError:  # rows of several lengths
        raise InputError(f"{name} is {shown(values)}; {wanted}") from None
    if array.ndim != 1 or array.dtype.kind not in "fiub":
        raise InputError(f"{name} is {shown(values)}; {wanted}")
    array = array.astype(np.float64)
    wrong = ~np.isfinite(array)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"{name} is {array[row]} in {each} {row}; give finite numbers")
    return array
