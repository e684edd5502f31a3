"""Bars of progress: for a person who waits in a terminal or a notebook, not in a log.

Used as those of tqdm, with ``disable=None, delay=2``. A notebook without widgets is no terminal to
tqdm, which would show nothing there, or a line for every step: there the bars of a cell share one.
"""

from __future__ import annotations

import sys
from typing import Any

from tqdm import auto
from tqdm.asyncio import tqdm as plain


class tqdm(auto.tqdm):
    """A bar that ``disable=None`` hides where nobody looks at it."""

    def __init__(self, *args: Any, disable: bool | None = False, **options: Any):
        shown = disable is None and in_notebook()
        if shown and auto.tqdm is plain:  # there are no widgets
            options["file"] = _LINE
        super().__init__(*args, disable=False if shown else disable, **options)


def trange(*args: int, **options: Any) -> tqdm:
    """``tqdm(range(...), ...)``."""
    return tqdm(range(*args), **options)


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    shell = _shell()
    return shell is not None and "IPKernelApp" in shell.config


def _shell() -> Any:
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_shell() if get_shell else None


class _CellLine:
    """A file whose last line is what the running cell of a notebook shows."""

    cell: int | None = None
    handle: Any = None

    def write(self, text: str) -> None:
        """Show a line in the place of the one before; blanks, which clear it, are left out."""
        from IPython.display import display

        line = {"text/plain": text.strip()}
        if not line["text/plain"]:
            return
        if self.cell == (cell := _shell().execution_count):
            self.handle.update(line, raw=True)
        else:
            self.cell, self.handle = cell, display(line, raw=True, display_id=True)

    def flush(self) -> None:
        """Nothing is held back."""


_LINE = _CellLine()
