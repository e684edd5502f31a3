"""What Sphinx does not notice: pages that would load something from the net, links to nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes whose address a browser fetches without being asked.
FETCHED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "object": "data",
    "embed": "src",
}
FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "manifest"}


class Page(HTMLParser):
    """The anchors, links and fetched addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element says."""
        given = {key: value or "" for key, value in attrs}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and FETCHED_LINKS & set(given.get("rel", "").split()):
            self.fetched.append(given["href"])
        if FETCHED.get(tag) in given:
            self.fetched.append(given[FETCHED[tag]])


def problems_of(site: Path) -> list[str]:
    """A line for everything that is wrong in the pages of a site."""
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    found = [problem for path in pages for problem in _problems(path, site, pages)]
    for path in sorted(site.rglob("*.css")):
        if "url(http" in (text := path.read_text()) or "@import" in text:
            found.append(f"{path.relative_to(site)}: loads something from the net")
    return found


def _problems(path: Path, site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    name = path.relative_to(site)
    for address in pages[path].fetched:
        parts = urlsplit(address)
        if parts.scheme not in ("", "data") or parts.netloc:
            yield f"{name}: would load {address}"
        elif not parts.scheme and not _target(path, parts.path).is_file():
            yield f"{name}: there is no {address}"
    for link in pages[path].links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if parts.scheme not in ("https", "http", "mailto") or not (parts.netloc or parts.path):
                yield f"{name}: no address: {link}"
            continue
        target = _target(path, parts.path)
        if not target.is_file():
            yield f"{name}: link to nowhere: {link}"
        elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{name}: no such place: {link}"


def _target(path: Path, link: str) -> Path:
    if not link:
        return path
    target = (path.parent / unquote(link)).resolve()
    return target / "index.html" if target.is_dir() else target
