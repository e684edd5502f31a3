"""The HTML report as one file: what is shown, its style and its script; nothing is fetched.

Data stand in the page as JSON, and the script in ``templates`` draws them, as text and SVG. What
there is of single neurons is deflated, and read when one is opened. A policy in the page forbids
whatever does not stand in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

SCRIPTS = (
    *("elements", "numbers", "charts", "sentence", "packed", "files"),
    *("links", "neuron_table", "neuron_page", "views"),
)
"""Parts of the script, in the order in which they need each other."""

DRAWN = ("lines", "bars", "heat", "texts")
"""Blocks that the script draws; the others are HTML at once."""


def page(
    data: dict[str, Any],
    *,
    details: Sequence[Sequence[Sequence[dict[str, Any]]]] = (),
    sentences: Sequence[Sequence[str]] = (),
) -> str:
    """The whole page.

    Parameters
    ----------
    data : dict
        ``title``, ``answer``, ``provenance``, ``warnings``, ``notes``, ``sections`` and
        ``neurons``, a table of neurons for each model, whose names differ.
    details : sequence of sequences of sequences of dict
        Of each table what the page of every neuron shows, in chunks of equal size, in its order.
    sentences : sequence of sequences of str
        Words of the sentences that these name by number.
    """
    charts: list[dict[str, Any]] = []
    sections = [_with_numbers(section, charts) for section in data["sections"]]
    tables = data["neurons"]
    packed = {}
    for table, chunks in enumerate(details):
        per_chunk = len(chunks[0]) if chunks else 1
        packed[f"neurons-{table}"] = _packed({**tables[table], "per_chunk": per_chunk})
        for number, chunk in enumerate(chunks):
            packed[f"details-{table}-{number}"] = _packed(chunk)
    if tables:
        packed["sentences"] = _packed(sentences)
    style, script = _style(), _script()
    return _template().render(
        title=data["title"],
        answer=data["answer"],
        warnings=data["warnings"],
        notes=data.get("notes", ()),
        provenance=data["provenance"],
        overview=[each for each in sections if each["group"] == "overview"],
        compared=[each for each in sections if each["group"] == "compare"],
        models=[each["model"] for each in tables],
        unit_name=tables[0]["unit_name"] if tables else "",
        charts=_inside_script(charts),
        names=_inside_script([each["model"] for each in tables]),
        packed=list(packed.items()),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
    )


def _with_numbers(section: dict[str, Any], charts: list[dict[str, Any]]) -> dict[str, Any]:
    """The section with a number for each of its charts, which are put with the others."""
    blocks = []
    for block in section["blocks"]:
        if block["kind"] in DRAWN:
            blocks.append({**block, "number": len(charts)})
            charts.append(block)
        else:
            blocks.append(block)
    return {**section, "blocks": blocks}


def _packed(content: Any) -> str:
    """JSON, deflated and base64-coded."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _inside_script(content: Any) -> Any:
    """JSON that cannot end the element it stands in."""
    from markupsafe import Markup

    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _hash(text: str) -> str:
    """By which the policy of the page knows its style and its script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _style() -> Any:
    return _markup(_read("report.css"))


@cache
def _script() -> Any:
    parts = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    return _markup(f'"use strict";\n(() => {{\n{parts}}})();\n')


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def _read(name: str) -> str:
    return (files("neurox_lite.report") / "templates" / name).read_text("utf-8")


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("neurox_lite.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("report.html.j2")


def _unbroken(text: str) -> str:
    """A number and its sign of percent on one line."""
    return text.replace(" %", "\u00a0%")
