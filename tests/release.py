"""Is what is to be released whole? Version, changelog, citation, wheel and sdist.

Run by `make release-check`, after both are built: `python tests/release.py dist`.
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import parse_sdist_filename, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent

IN_WHEEL = ("neurox_lite/py.typed", "neurox_lite/data/lexicon.yaml", "neurox_lite/docs/guide.md")
IN_SDIST = ("Makefile", "constraints.txt", "CITATION.cff", "tests/release.py", "data/lexicon.yaml")
NEVER = re.compile(r"__pycache__|\.py[co]$|(^|/)(out|demo|\.venv|\.git)/|\.h5$")
CITATION = {
    "cff-version": r"1\.2\.0",
    "message": r".+",
    "title": r".+",
    "type": r"software",
    "license": r"[\w.+-]+",
    "version": r".+",
}
"""Fields that are required here, and what they hold (citation-file-format 1.2.0)."""


def version_of(root: Path) -> str:
    """As the package has it."""
    found = re.search(
        r'^__version__ = "(.+)"$', (root / "neurox_lite/version.py").read_text(), re.M
    )
    return found[1] if found else ""


def wrong_in_texts(root: Path) -> Iterator[str]:
    """What the changelog and the citation say otherwise than the package."""
    version = version_of(root)
    heads = re.findall(r"^## \[(.+?)\](?: - (.+))?$", (root / "CHANGELOG.md").read_text(), re.M)
    heads = [head for head in heads if head[0] != "Unreleased"]
    if not heads or heads[0][0] != version:
        yield f"CHANGELOG.md: its first version is not {version}, which neurox_lite/version.py has"
    elif not re.fullmatch(r"unreleased|\d{4}-\d\d-\d\d", heads[0][1]):
        yield f"CHANGELOG.md: {version} needs a date, as 2027-01-31, or the word unreleased"
    for other, date in heads[1:]:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
            yield f"CHANGELOG.md: {other}, an earlier version, has no date"
    yield from wrong_in_citation(yaml.safe_load((root / "CITATION.cff").read_text()), version)


def wrong_in_citation(citation: Any, version: str) -> Iterator[str]:
    """Fields that are missing or hold something else."""
    if not isinstance(citation, dict):
        yield "CITATION.cff: it holds no fields"
        return
    for field, pattern in CITATION.items():
        if not re.fullmatch(pattern, str(citation.get(field, ""))):
            yield f"CITATION.cff: {field} is {citation.get(field)!r}"
    if str(citation.get("version")) != version:
        yield f"CITATION.cff: version is {citation.get('version')!r}, not {version}"
    for number, work in enumerate([citation, *citation.get("references", [])]):
        where = f"CITATION.cff: reference {number}" if number else "CITATION.cff"
        if number and not {"type", "title"} <= set(work):
            yield f"{where}: type or title is missing"
        if not work.get("authors"):
            yield f"{where}: authors are missing"
        for author in work.get("authors") or []:
            if not ({"family-names", "given-names"} <= set(author) or "name" in author):
                yield f"{where}: an author has neither a name nor family and given names: {author}"


def wrong_in_files(folder: Path, version: str) -> Iterator[str]:
    """What the built wheel and sdist lack, or should not hold."""
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        yield f"{folder}: {len(wheels)} wheels and {len(sdists)} sdists; one of each is needed"
        return
    (wheel,), (sdist,) = wheels, sdists
    if str(parse_wheel_filename(wheel.name)[1]) != version:
        yield f"{wheel.name}: not of version {version}"
    if str(parse_sdist_filename(sdist.name)[1]) != version:
        yield f"{sdist.name}: not of version {version}"
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        (place,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(opened.read(place).decode())
    if metadata["Version"] != version or metadata["Name"] != "neurox-lite":
        yield f"{wheel.name}: its metadata are of {metadata['Name']} {metadata['Version']}"
    for field in ("Summary", "Requires-Python", "License-File", "Description-Content-Type"):
        if not metadata[field]:
            yield f"{wheel.name}: no {field} in its metadata"
    yield from _wrong_names(wheel.name, names, IN_WHEEL)
    if others := {name.split("/")[0] for name in names} - {"neurox_lite", place.split("/")[0]}:
        yield f"{wheel.name}: holds {', '.join(sorted(others))} beside the package"
    with tarfile.open(sdist) as opened_sdist:
        inside = {name.partition("/")[2] for name in opened_sdist.getnames()}
    yield from _wrong_names(sdist.name, inside, IN_SDIST)


def _wrong_names(file: str, names: set[str], needed: tuple[str, ...]) -> Iterator[str]:
    if missing := sorted(set(needed) - names):
        yield f"{file}: {', '.join(missing)} is missing"
    if unwanted := sorted(name for name in names if NEVER.search(name)):
        yield f"{file}: holds {unwanted[0]}"


def main(folder: str) -> int:
    """Print what is wrong; 1 if anything is."""
    version = version_of(ROOT)
    problems = [*wrong_in_texts(ROOT), *wrong_in_files(Path(folder), version)]
    print("\n".join(problems) or f"{version}: changelog, citation, wheel and sdist agree")
    if "## [" + version + "] - unreleased" in (ROOT / "CHANGELOG.md").read_text():
        print(f"CHANGELOG.md: {version} has no date yet")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
