"""The gallery: runs the programs of docs/gallery.md and draws the figures below them.

Each figure is what the last line of the program before it gives: a figure of matplotlib, or a
result as a notebook shows it, for which Chromium has to be installed; without, these stay as they
are.

`python -m tests.benchmarks.gallery` writes docs/figures/gallery/, in a few minutes.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from matplotlib.figure import Figure
from PIL import Image, ImageChops

from neurox_lite.figures import save_figure
from neurox_lite.results.html import PAGE

DOCS = Path(__file__).parent.parent.parent / "docs"
PARTS = re.compile(r"```python\n(.*?)```|!\[[^\]]*\]\((figures/[^)]*)\)", re.DOTALL)
CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --force-device-scale-factor=1"
)
PIXELS = (900, 1400)
MOST_BYTES = 100_000
DPI, N_COLOURS = 90, 128


def parts(page: str) -> Iterator[tuple[str | None, str | None]]:
    """Programs and names of figures, in their order; one of a pair is None."""
    for found in PARTS.finditer(page):
        yield found[1], found[2]


def last_value(program: str, names: dict[str, Any]) -> Any:
    """Run a program; what its last line gives if it is an expression."""
    tree = ast.parse(program)
    *before, last = tree.body
    exec(compile(ast.Module(before, []), "gallery", "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "gallery", "eval"), names)
    exec(compile(ast.Module([last], []), "gallery", "exec"), names)
    return None


def screenshot(shown: str, path: Path) -> None:
    """HTML as Chromium shows it, cut to what there is."""
    browser = shutil.which("chromium")
    if browser is None:
        print(f"{path}: left as it is; install chromium")
        return
    with tempfile.TemporaryDirectory() as folder:
        page, raw = Path(folder, "page.html"), Path(folder, "page.png")
        page.write_text(PAGE.format(title="", body=shown, style="font-family:sans-serif"))
        size = "--window-size={},{}".format(*PIXELS)
        command = [browser, *CHROMIUM.split(), size, f"--screenshot={raw}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        image = Image.open(raw).convert("RGB")
    white = Image.new("RGB", image.size, "white")
    box = ImageChops.difference(image, white).getbbox() or (0, 0, *image.size)
    edges = (min(box[2] + 10, PIXELS[0]), min(box[3] + 10, PIXELS[1]))
    image.crop((0, 0, *edges)).save(path)


def shrink(path: Path) -> int:
    """Keep so many colours as a figure needs; how many bytes it has then."""
    Image.open(path).convert("RGB").quantize(N_COLOURS).save(path, "PNG", optimize=True)
    return path.stat().st_size


def main() -> None:
    docs, value, names = DOCS.resolve(), None, {}
    (docs / "figures/gallery").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for program, figure in parts((docs / "gallery.md").read_text()):
            if program is not None:
                value = last_value(program, names)
            elif isinstance(value, Figure):
                save_figure(value, docs / str(figure), dpi=DPI)
            else:
                screenshot(value._repr_html_(), docs / str(figure))
            if figure is not None:
                size = shrink(docs / figure)
                print(f"{figure}: {size / 1000:.0f} kB{' TOO LARGE' * (size > MOST_BYTES)}")
    os.chdir(docs)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
