"""Attribution by the name of a method, or by a function of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from inspect import signature
from typing import Any

import numpy as np

from neurox_lite.arguments import expect_function, shown
from neurox_lite.attribution.collecting import check_explained
from neurox_lite.attribution.uniform import uniform
from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions

OwnMethod = Callable[..., Sequence[Any] | TokenAttributions]


def attribute_by(
    method: str | OwnMethod, explained: ExplainedTexts, **options: Any
) -> TokenAttributions:
    """Attributions by the name of a method, or by a function.

    Parameters
    ----------
    method : str or function
        A key of ``ATTRIBUTION_METHODS``, or as for :func:`from_function`.
    explained : ExplainedTexts
    **options
        Of the method's function.

    Raises
    ------
    InputError
        When there is no such method, it has no such option, or as its function.
    """
    if not isinstance(method, str):
        return from_function(explained, method, **options)
    if method not in ATTRIBUTION_METHODS:
        raise unknown_choice("method", method, ATTRIBUTION_METHODS, "or a function")
    row = ATTRIBUTION_METHODS[method]
    function = getattr(import_module(f"neurox_lite.{row.module}"), row.function)
    try:
        signature(function).bind(explained, **options)
    except TypeError as error:
        raise InputError(f"'{method}': {error}; give options that it takes") from None
    found: TokenAttributions = function(explained, **options)
    return found


def from_function(
    explained: ExplainedTexts, function: OwnMethod, **options: Any
) -> TokenAttributions:
    """Attributions by a function of the user's own; they are called by its name.

    Parameters
    ----------
    explained : ExplainedTexts
    function : function of (explained, **options)
        Gives an array of each text, (n_tokens,), special tokens included.
    **options
        Of the function.

    Raises
    ------
    InputError
        When it does not give one finite number for each token.
    """
    check_explained(explained)
    expect_function(function, "method", "the name of a method, or a function of ExplainedTexts")
    name = getattr(function, "__name__", type(function).__name__)
    found = function(explained, **options)
    if isinstance(found, TokenAttributions):
        if found.tokens != explained.inputs.tokens:
            raise InputError(f"'{name}' gives attributions of other texts; let it use those given")
        return found
    if isinstance(found, str) or not isinstance(found, Sequence | np.ndarray):
        raise InputError(f"'{name}' gives {shown(found)}; let it give a list of arrays")
    values = []
    for number, of_text in enumerate(found):
        try:
            values.append(np.asarray(of_text, dtype=np.float64))
        except (TypeError, ValueError):
            raise InputError(
                f"'{name}' gives {shown(of_text)} for text {number + 1}; let it give an array"
            ) from None
    return replace(uniform(explained), method=name, values=tuple(values), parameters=options)
