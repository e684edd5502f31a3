"""Pages that are made from the code: commands with their options, and every public name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import typer

import neurox_lite
from neurox_lite.cli.main import app

COMMANDS = """# Commands

Every command, with its options and their defaults, as `neurox-lite COMMAND --help` shows them. What
all have in common (exit codes, `--json`, `--overwrite`) is in
the [guide](../guide.md#what-all-commands-share).
"""
API = """# Python

What most users need is in `neurox_lite` itself; the rest is in groups, as `nx.ranking.probeless`.
These are all public names; what else modules have may change without notice.

| | |
|---|---|
{rows}

```{{toctree}}
:hidden:

{pages}
```
"""


def command_page() -> tuple[Path, str]:
    """Name and text of the page of commands."""
    parts = [COMMANDS]
    for name in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        block = f""".. container:: command

   .. typer:: neurox_lite.cli.main:app:{name}
      :prog: neurox-lite {name}
      :width: 104
      :preferred: text
      :markup-mode: rich
"""
        parts.append(f"## {name}\n\n```{{eval-rst}}\n{block}```\n")
    return Path("reference/commands.md"), "\n".join(parts)


def api_pages() -> Iterator[tuple[Path, str]]:
    """Name and text of a page for each group of public names, and of that which lists them."""
    groups = [name for name in neurox_lite.__all__ if is_module(getattr(neurox_lite, name))]
    modules = ["neurox_lite", *(f"neurox_lite.{name}" for name in groups)]
    rows = "\n".join(f"| [{short(name)}]({name}.md) | {_summary(name)} |" for name in modules)
    yield Path("reference/api/index.md"), API.format(rows=rows, pages="\n".join(modules))
    for name in modules:
        yield Path(f"reference/api/{name}.md"), module_page(import_module(name))


def short(name: str) -> str:
    """What a group is called where the package is ``nx``."""
    return "nx" + name.removeprefix("neurox_lite")


def _summary(name: str) -> str:
    """The first line of a group's docstring."""
    return (inspect.getdoc(import_module(name)) or "").partition("\n")[0]


def module_page(module: ModuleType) -> str:
    """All public names of a module, functions and types by name."""
    name = module.__name__
    public = {key: getattr(module, key) for key in module.__all__}
    first, _, rest = (inspect.getdoc(module) or "").partition("\n")
    parts = [f"# {short(name)}\n\n{first}\n\n{rest.strip()}\n"]
    for key, value in public.items():
        if is_module(value):
            continue
        if name != "neurox_lite" and getattr(neurox_lite, key, None) is value:
            parts.append(f"## {key}\n\nThe same as [nx.{key}](neurox_lite.md#{key.lower()}).\n")
        else:
            parts.append(f"## {key}\n\n```{{eval-rst}}\n{directive(name, key, value)}```\n")
    return "\n".join(parts)


def directive(module: str, key: str, value: Any) -> str:
    """What makes Sphinx show the signature and the docstring of a public name."""
    name = f"{module}.{key}"
    if module == "neurox_lite":  # loads its names when they are used, which autoapi cannot see
        name = f"{value.__module__}.{key}"
    if inspect.isclass(value):
        return f".. autoapiclass:: {name}\n   :members:\n"
    kind = "function" if inspect.isfunction(value) else "data"
    return f".. autoapi{kind}:: {name}\n"


def is_module(value: object) -> bool:
    """Whether a public name is a group of names."""
    return isinstance(value, ModuleType)
