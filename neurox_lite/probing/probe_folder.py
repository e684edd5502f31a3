"""The folder that a probe is written into, beside what was found out about it."""

from __future__ import annotations

from neurox_lite.outputs import result_names

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
