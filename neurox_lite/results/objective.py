"""What a neuron mask is to bring about."""

from enum import StrEnum


class Objective(StrEnum):
    """What a neuron mask is to bring about, and what an open gate does to its neuron."""

    FLIP = "flip"
    """Few neurons to replace so that the choice turns; an open gate replaces its neuron."""

    SUFFICIENCY = "sufficiency"
    """Few neurons to keep, all others replaced, so that little changes; an open gate keeps."""

    CUSTOM = "custom"
    """A function of the user's to increase; an open gate replaces its neuron."""
