"""What setup.cfg cannot say: packages are found, and data and docs lie beside the package."""

import re
from pathlib import Path

from setuptools import find_namespace_packages, setup


def on_its_own(readme: str) -> str:
    """README for a page beside which there are no files: without pictures and links to them."""
    lines = [line for line in readme.splitlines() if "![" not in line]
    text = re.sub(r"\n\| the answer[^\n]*\n\|[-|]+\n", "\n", "\n".join(lines))
    return re.sub(r"\[([^]]+)\]\((?!https?:)[^)]*\)", r"\1", text)


setup(
    long_description=on_its_own((Path(__file__).parent / "README.md").read_text()),
    packages=[
        *find_namespace_packages(include=["neurox_lite*"], exclude=["*.__pycache__*"]),
        "neurox_lite.data",
        "neurox_lite.docs",
    ],
)
