"""llms.txt: one page for language models, with the shortest correct examples and every page."""

from __future__ import annotations

import re
import shutil
from pathlib import Path


def write_llms(source: Path, out: Path) -> None:
    """Write ``llms.txt``, and the text of every page that it names beside the page."""
    pages = sorted(path for path in source.rglob("*.md") if path.name != "llms.md")
    lines = []
    for path in pages:
        name = path.relative_to(source)
        title = re.search(r"^# (.*)", text := path.read_text(), re.MULTILINE)
        if title is None or name.parts[0] == "tutorials":
            continue
        if name.parts[0] == "reference":  # its text is only made by Sphinx
            name = name.with_suffix(".html")
        else:
            shutil.copyfile(path, out / name)
        lines.append(f"- [{title[1]}]({name.as_posix()}){_first_sentence(text)}")
    begin = (source / "llms.md").read_text().rstrip()
    (out / "llms.txt").write_text(f"{begin}\n\n## Pages\n\n" + "\n".join(lines) + "\n")


def _first_sentence(text: str) -> str:
    """What a study found, or how the first paragraph begins, as `: It says this`; or nothing."""
    if found := re.search(r"In short\n(.*)\n", text):
        return ": " + found[1].rstrip(".")
    for paragraph in re.split(r"\n\s*\n", text.partition("# ")[2].partition("\n")[2]):
        plain = " ".join(paragraph.split())
        if plain and plain[0] not in "#`-|:<!([*":
            first = re.split(r"(?<=[.?!]) ", plain)[0].rstrip(".:")
            return ": " + re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", first)
    return ""
