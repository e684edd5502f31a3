"""Build the documentation site: python docs/site/build.py out/docs.

The sources are laid out as the site will be in OUT-source: docs/, the notebooks, and a few pages
from elsewhere in the repository. Pages that can be made from the code are made there: the
reference of commands and of public names. Then Sphinx runs, with warnings as errors, and what it
wrote is checked: no page may load anything from the net, and every link has to lead somewhere.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from checks import problems_of
from llms import write_llms
from reference import api_pages, command_page
from sphinx.cmd.build import main as sphinx

SITE = Path(__file__).resolve().parent
ROOT = SITE.parents[1]
# Pages from elsewhere, and what they are called on the site.
ELSEWHERE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "data/README.md": "embedded.md",
}
NOTEBOOKS = ("*.ipynb", "*.md", "*.py")


def main(out: Path) -> int:
    """Build the site in ``out``; the exit code of Sphinx, or 1 if a page is not as it should be."""
    source = out.with_name(f"{out.name}-source")
    lay_out(source)
    parsed = out.with_name(f"{out.name}-parsed")  # 180 MB that are no part of the site
    outputs = out.with_name(f"{out.name}-outputs")  # of notebooks, kept while these do not change
    # Their commands are those of this environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    options = ["-W", "--keep-going", "-q", "-a", "-c", str(SITE), "-d", str(parsed)]
    options += ["-D", f"nb_execution_cache_path={outputs}"]
    code = sphinx([*options, str(source), str(out)])
    if code:
        return code
    write_llms(source, out)
    problems = problems_of(out)
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    n_pages = len(list(out.rglob("*.html")))
    print(f"{n_pages} pages in {out}: open {out / 'index.html'}")
    return 1 if problems else 0


def lay_out(source: Path) -> None:
    """Copy or write every source of the site into one folder."""
    pages = {path.relative_to(ROOT / "docs"): path for path in (ROOT / "docs").rglob("*")}
    pages = {name: path for name, path in pages.items() if name.parts[0] != "site"}
    pages |= {Path(name): ROOT / path for path, name in ELSEWHERE.items()}
    pages |= notebooks()
    written = dict([command_page(), *api_pages()])
    wanted = {*written, *(name for name, path in pages.items() if path.is_file())}
    rows = r"^\| \[.*\]\((results/.*)\) \| (.*) \|$"
    found = re.findall(rows, (ROOT / "docs/results.md").read_text(), re.MULTILINE)
    found = {Path(page): f"{text[0].upper()}{text[1:]}." for page, text in found}
    if source.is_dir():
        for path in source.rglob("*"):
            if path.is_file() and path.relative_to(source) not in wanted:
                path.unlink()
    for name in wanted - set(written):
        if name.suffix in (".md", ".ipynb"):
            text = moved_links(pages[name].read_text(), pages[name], name)
            if name in found:  # what was found, below the title of its study
                title, _, rest = text.partition("\n")
                text = f"{title}\n\n:::{{admonition}} In short\n{found[name]}\n:::\n{rest}"
            write_if_changed(source / name, text.encode())
        else:
            write_if_changed(source / name, pages[name].read_bytes())
    for name, text in written.items():
        write_if_changed(source / name, text.encode())


def notebooks() -> dict[Path, Path]:
    """The notebooks of tutorials/, each once: of a pair the first kind of NOTEBOOKS."""
    found: dict[str, Path] = {}
    for pattern in NOTEBOOKS:
        for path in sorted((ROOT / "tutorials").glob(pattern)):
            found.setdefault(path.stem, path)
    return {Path("tutorials") / path.name: path for path in found.values()}


def moved_links(text: str, path: Path, name: Path) -> str:
    """The text of a page with relative links as they are from its place on the site."""
    places = {(ROOT / old).resolve(): Path(new) for old, new in ELSEWHERE.items()}

    def moved(match: re.Match[str]) -> str:
        link, anchor = match[1], match[2] or ""
        target = (path.parent / link).resolve()
        if target in places:
            new = places[target]
        elif target.is_relative_to(ROOT / "docs"):
            new = target.relative_to(ROOT / "docs")
        elif target.is_relative_to(ROOT / "tutorials") and target.is_file():
            new = target.relative_to(ROOT)
        else:
            return match[0]
        up = Path(*[".."] * len(name.parent.parts))
        return f"]({(up / new).as_posix()}{anchor})"

    return re.sub(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)", moved, text)


def write_if_changed(path: Path, content: bytes) -> None:
    """Leave the time of a file that is the same, so that Sphinx reads only what is new."""
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python docs/site/build.py OUT")
    sys.exit(main(Path(sys.argv[1]).resolve()))
