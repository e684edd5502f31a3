"""What the shell offers as values of options, where these are known without a heavy import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from inspect import Parameter, signature
from typing import Annotated, Any, get_args

from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.ranking_methods import CROSS_MODEL_METHODS, METHODS

DTYPES = ("float32", "float16", "bfloat16")

CHOICES: dict[str, Sequence[str]] = {
    "--aggregation": ("last", "first", "average"),
    "--compute-dtype": DTYPES,
    "--device": ("cpu", "cuda", "mps"),
    "--dtype": DTYPES,
    "--engine": ("local", "ray"),
    "--format": ("conllu", "columns", "parallel", "sentences", "text", "csv", "tsv"),
    "--mode": ("set", "add"),
    "--objective": ("flip", "sufficiency"),
    "--pooling": ("mean", "cls", "last"),
    "--replacement": ("zero", "mean", "resampled"),
    "--side": ("encoder", "decoder"),
    "--site": ("hidden_states", "mlp", "attention_heads", "lstm_cell"),
    "--to": ("store", "neurox"),
    "attribute all": ("all",),
    "attribute --method": tuple(ATTRIBUTION_METHODS),
    "correlate --method": CROSS_MODEL_METHODS,
    "mask --method": (
        "differentiable-mask",
        "reinforce",
        "integrated-gradients",
        "activation-difference",
        "single-replacement",
        "random",
    ),
    "rank method": (*METHODS, "all"),
    "rank --aggregation": ("variance", "mass"),
}
"""By option, or by command and option or argument; beside those whose metavar lists them."""

LISTED = re.compile(r"[a-z]+(\|[a-z]+)+")


def with_choices(command: str, function: Callable[..., None]) -> Callable[..., None]:
    """The function of a command, whose options and arguments know what they can be."""
    given = signature(function)
    parameters = [_with_choices(command, parameter) for parameter in given.parameters.values()]
    function.__signature__ = given.replace(parameters=parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {each.name: each.annotation for each in parameters}
    return function


def _with_choices(command: str, parameter: Parameter) -> Parameter:
    kind, *metadata = get_args(parameter.annotation) or (parameter.annotation,)
    if not metadata or not hasattr(metadata[0], "autocompletion"):  # the context
        return parameter
    info = copy(metadata[0])
    listed = LISTED.fullmatch(info.metavar or "")
    choices: Sequence[str] | None = listed[0].split("|") if listed else None
    for name in _names(parameter.name, info):
        choices = CHOICES.get(f"{command} {name}", CHOICES.get(name, choices))
    if choices:
        info.autocompletion = _offer(choices)
    return parameter.replace(annotation=Annotated[kind, info])


def _names(name: str, info: Any) -> Iterator[str]:
    """The flags of an option, and the name of an argument as it is shown or called."""
    # In an annotation, typer takes the first flag for a default until it reads the signature.
    flags = (info.default, *(info.param_decls or ()))
    yield from (flag for flag in (*flags, info.metavar, name) if isinstance(flag, str))


def _offer(choices: Sequence[str]) -> Callable[[str], list[str]]:
    def offer(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return offer
