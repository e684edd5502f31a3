"""The version of the package; what it writes names it."""

__version__ = "0.1.0"
