"""Which options a ranking method takes, by its row, and the help that shows these only."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, make_dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from neurox_lite.cli.commands import option_names
from neurox_lite.cli.labelled_options import LabelledOptions
from neurox_lite.cli.options import FigureOptions
from neurox_lite.ranking_methods import METHODS


def options_of(methods: Mapping[str, Any]) -> Any:
    """A group of the options of all methods, by the name of the parameter; rows as in `METHODS`.

    A seed is not one of them: it is the command's.
    """
    takers: dict[str, dict[str, Any]] = {}
    for method in methods.values():
        for option in method.options:
            if option.name == "seed":
                continue
            takers.setdefault(option.name, {})[method.name] = option
    options = []
    for name, by_method in takers.items():
        first = next(iter(by_method.values()))
        help, default = f"{', '.join(by_method)}: {first.help}.", first.default
        if any(option.default != first.default for option in by_method.values()):
            defaults = (f"{option.default} for {method}" for method, option in by_method.items())
            help, default = _sentence(f"{first.help}, by default {', '.join(defaults)}"), None
        kind = type(first.default) if default is not None else type(first.default) | None
        options.append((name, Annotated[kind, typer.Option(first.flag, help=help)], default))
    fields = [(name, kind, field(default=default)) for name, kind, default in options]
    return make_dataclass("MethodOptions", fields, frozen=True, kw_only=True)


def _sentence(help: str) -> str:
    return f"{help[0].upper()}{help[1:]}."


MethodOptions: Any = options_of(METHODS)


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """Options of `rank all`."""

    methods: Annotated[
        str | None, typer.Option("--methods", help="all: compare only these, such as iou,gaussian.")
    ] = None
    n_resamples: Annotated[
        int,
        typer.Option(
            "--resamples", min=0, help="all: number of resamples of the sentences, for stability."
        ),
    ] = 5
    engine: Annotated[
        str, typer.Option("--engine", help="all: local, or ray for the workers of a Ray cluster.")
    ] = "local"
    figures: FigureOptions


LABELS = ["corpus", "tag", *option_names(LabelledOptions)]


def needs_labels(method: str) -> bool:
    """Whether a method, or `all`, reads labels or a probe."""
    return method == "all" or METHODS[method].needs_labels


def not_for(method: str) -> list[str]:
    """Options that are not for this method."""
    if method == "all":
        return ["probe", *option_names(MethodOptions)]
    row = METHODS[method]
    own = {option.name for option in row.options}
    refused = [] if row.needs_probe else ["probe", "l1", "l2"]
    refused += [name for name in option_names(MethodOptions) if name not in own]
    refused += option_names(ComparisonOptions)
    return refused if row.needs_labels else [*refused, *LABELS]


class MethodHelp(TyperCommand):
    """`rank METHOD --help` shows the options that the method takes, and its own defaults."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["method"] = next((word for word in args if word in (*METHODS, "all")), None)
        return super().parse_args(ctx, args)

    def get_help(self, ctx: Any) -> str:
        method = ctx.meta.get("method")  # none in the reference of all options
        if method is None:
            return super().get_help(ctx)
        own = {option.name: option for option in METHODS[method].options} if method != "all" else {}
        refused = not_for(method)
        shown = copy(self)
        shown.params = [copy(param) for param in self.params if param.name not in refused]
        for param in shown.params:
            if param.name in own:
                option = own[param.name]
                param.help, param.default = _sentence(option.help), option.default  # type: ignore[attr-defined]
        return TyperCommand.get_help(shown, ctx)
