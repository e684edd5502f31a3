"""Tests mirror the package: every module has a test file of its name, or is named in another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import neurox_lite

PACKAGE = Path(neurox_lite.__file__).parent
TESTS = Path(__file__).parent
TEXTS = {path: path.read_text() for path in sorted(TESTS.rglob("test_*.py"))}
MODULES = [
    path.relative_to(PACKAGE).with_suffix("").parts
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.stem != "__init__"
]


@pytest.mark.parametrize("module", MODULES, ids=".".join)
def test_a_module_has_its_tests(module: tuple[str, ...]) -> None:
    *room, stem = module
    own = TESTS.joinpath(*room, f"test_{stem}.py")
    named = re.compile(
        rf"neurox_lite\.{re.escape('.'.join(module))}\b"
        rf"|from {re.escape('.'.join(['neurox_lite', *room]))} import [^\n]*\b{stem}\b"
    )
    assert own in TEXTS or any(named.search(text) for text in TEXTS.values())


def test_names_of_test_files_are_unique() -> None:
    """So that pytest imports each as what it is."""
    names = [path.name for path in TEXTS]
    assert len(names) == len(set(names))
