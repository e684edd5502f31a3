"""The folder that a probe is written into, beside what was found out about it."""

from __future__ import annotations

from neurox_lite.outputs import results_named

PROBE, INDEX = "probe.json", "one_vs_rest.json"
FILES = (
    PROBE,
    "probe.safetensors",
    *results_named("evaluation"),
    *results_named("control"),
    *results_named("search"),
)
NAMES = (*FILES, *results_named("one_vs_rest"), *(f"[0-9][0-9][0-9]/{name}" for name in FILES))
"""Patterns of all that one fit writes; nothing of another probe stays beside a new one."""
