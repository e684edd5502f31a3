"""Bars of progress: for a person who waits in a terminal or a notebook, not in a log.

Used as those of tqdm, with ``disable=None, delay=2``. A notebook without widgets is no terminal to
tqdm, which would show nothing there.
"""

from __future__ import annotations

import sys
from typing import Any

from tqdm import auto


class tqdm(auto.tqdm):
    """A bar that ``disable=None`` hides where nobody looks at it."""

    def __init__(self, *args: Any, disable: bool | None = False, **options: Any):
        shown = disable is None and in_notebook()
        super().__init__(*args, disable=False if shown else disable, **options)


def trange(*args: int, **options: Any) -> tqdm:
    """``tqdm(range(...), ...)``."""
    return tqdm(range(*args), **options)


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_shell() if get_shell else None
    return shell is not None and "IPKernelApp" in shell.config
