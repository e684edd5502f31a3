"""autoapi reads the code of this package without running it; this keeps it from reading others'.

It asks astroid what bases and annotations are, for which astroid reads the sources of torch, scipy
and all that they import: minutes and gigabytes, for nothing that a page shows.
"""

from __future__ import annotations

import sys
from typing import Any

from astroid.exceptions import AstroidImportError
from astroid.manager import AstroidManager

OWN = {*sys.stdlib_module_names, "neurox_lite", ""}
_any_module = AstroidManager.ast_from_module_name


def _own_module(self: AstroidManager, name: str | None, *args: Any, **options: Any) -> Any:
    if (name or "").split(".")[0] not in OWN:
        raise AstroidImportError(f"{name} is not read")
    return _any_module(self, name, *args, **options)


def setup(_: Any) -> dict[str, bool]:
    """Do so in this build."""
    AstroidManager.ast_from_module_name = _own_module
    return {"parallel_read_safe": True, "parallel_write_safe": True}
