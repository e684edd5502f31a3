"""`make release-check` finds what does not agree."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from neurox_lite.version import __version__
from tests import release


def test_version_changelog_and_citation_agree() -> None:
    assert release.version_of(release.ROOT) == __version__
    assert list(release.wrong_in_texts(release.ROOT)) == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("neurox_lite/version.py", "CHANGELOG.md", "CITATION.cff"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((release.ROOT / name).read_text())
    return tmp_path


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        ("neurox_lite/version.py", __version__, "9.9", "its first version is not 9.9"),
        ("neurox_lite/version.py", __version__, "9.9", "CITATION.cff: version is '0.1.0', not 9.9"),
        (
            "CHANGELOG.md",
            " - unreleased",
            "",
            "needs a date, as 2027-01-31, or the word",
        ),
        (
            "CHANGELOG.md",
            "# Changelog",
            "# Changelog\n\n## [1.0]",
            "its first version is not 0.1.0",
        ),
        ("CITATION.cff", "license: BSD-3-Clause\n", "", "license is None"),
        (
            "CITATION.cff",
            "family-names: Bau\n        given-names: Anthony",
            "alias: x",
            "reference 1",
        ),
        ("CITATION.cff", "type: conference-paper", "kind: paper", "reference 1: type or title"),
    ],
)
def test_what_does_not_agree(root: Path, file: str, before: str, after: str, says: str) -> None:
    text = (root / file).read_text()
    assert before in text
    (root / file).write_text(text.replace(before, after, 1))
    assert any(says in problem for problem in release.wrong_in_texts(root))


def test_what_comes_after_a_version_stands_under_unreleased(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text()
    head = "## [Unreleased]\n\n## [0.1.0] - 2027-01-31"
    (root / "CHANGELOG.md").write_text(text.replace("## [0.1.0] - unreleased", head))
    assert list(release.wrong_in_texts(root)) == []


METADATA = """Name: neurox-lite
Version: 0.1.0
Summary: s
License-File: LICENSE
Requires-Python: >=3.11
Description-Content-Type: text/markdown
"""


def build(folder: Path, metadata: str = METADATA, *more: str) -> Path:
    """A wheel and an sdist with nothing but names."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "neurox_lite-0.1.0-py3-none-any.whl", "w") as wheel:
        for name in (*release.IN_WHEEL, *more):
            wheel.writestr(name, "")
        wheel.writestr("neurox_lite-0.1.0.dist-info/METADATA", metadata)
    with tarfile.open(folder / "neurox_lite-0.1.0.tar.gz", "w:gz") as sdist:
        for name in release.IN_SDIST:
            sdist.addfile(tarfile.TarInfo(f"neurox_lite-0.1.0/{name}"), io.BytesIO())
    return folder


def test_files_to_release(tmp_path: Path) -> None:
    assert list(release.wrong_in_files(build(tmp_path / "whole"), "0.1.0")) == []

    def wrong(name: str, *given: str, version: str = "0.1.0") -> str:
        return "\n".join(release.wrong_in_files(build(tmp_path / name, *given), version))

    assert "not of version 0.2.0" in wrong("version", version="0.2.0")
    assert "no Requires-Python" in wrong(
        "python", METADATA.replace("Requires-Python: >=3.11\n", "")
    )
    assert "holds tests beside the package" in wrong("tests", METADATA, "tests/test_a.py")
    cache = "neurox_lite/__pycache__/a.cpython-311.pyc"
    assert f"holds {cache}" in wrong("cache", METADATA, cache)
    (tmp_path / "whole/neurox_lite-0.1.0.tar.gz").unlink()
    assert "1 wheels and 0 sdists" in "".join(release.wrong_in_files(tmp_path / "whole", "0.1.0"))
