"""Which packages are installed, whether they are recent enough, and what those left out are for."""

from __future__ import annotations

import csv
import hashlib
from base64 import urlsafe_b64encode
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement

NAME = "neurox-lite"

PURPOSES = {
    "captum": "integrated gradients",
    "pandas": "results as data frames",
    "ray": "extraction and fits on several machines",
    "docs": "building the documentation",
}
"""What the extras that a user may want are for."""

OF_DATA = ("neurox_lite/data/", "neurox_lite/docs/")


def installed(package: str) -> str | None:
    """The version of a package, if it is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def requirements() -> dict[str, list[Requirement]]:
    """What is required, by extra; "" is what is always required.

    Nothing where the package is not installed but run from its folder.
    """
    found: dict[str, list[Requirement]] = {"": []}
    if installed(NAME) is None:
        return found
    for line in distribution(NAME).requires or []:
        requirement = Requirement(line)
        if requirement.marker is None:
            found[""].append(requirement)
            continue
        for extra in PURPOSES:
            if requirement.marker.evaluate({"extra": extra}):
                found.setdefault(extra, []).append(requirement)
    return found


def unfit(requirement: Requirement) -> str | None:
    """What is wrong with a required package, and what to do."""
    found = installed(requirement.name)
    wanted = f"{requirement.name}{requirement.specifier}"
    if found is None:
        return f"{requirement.name} is not installed; pip install '{wanted}'"
    if not requirement.specifier.contains(found, prereleases=True):
        has = f"{requirement.name} {found}"
        return f"{has} is installed, which is not {wanted}; pip install '{wanted}'"
    return None


def damaged_files() -> tuple[int, list[str]]:
    """Data and documents of an installed wheel: how many, and those that are not as they were.

    None at all in a checkout, where they change.
    """
    if installed(NAME) is None:
        return 0, []
    wheel = distribution(NAME)
    # Not `wheel.files`, which from Python 3.12 on leaves out those that are missing.
    record = csv.reader((wheel.read_text("RECORD") or "").splitlines())
    files = {name: kept for name, kept, _ in record if name.startswith(OF_DATA) and kept}
    is_whole = {name: _has(Path(str(wheel.locate_file(name))), files[name]) for name in files}
    return len(files), [name for name in files if not is_whole[name]]


def _has(path: Path, kept: str) -> bool:
    """Whether a file has the hash that is kept of it, as ``sha256=...`` in base64."""
    algorithm, value = kept.split("=", 1)
    try:
        digest = hashlib.new(algorithm, path.read_bytes()).digest()
    except OSError:
        return False
    return urlsafe_b64encode(digest).rstrip(b"=").decode() == value
