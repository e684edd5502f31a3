"""Options of the commands that extract activations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.output import layers_of

if TYPE_CHECKING:
    from neurox_lite.extraction.options import ExtractOptions

Site = Annotated[
    str, typer.Option("--site", help="hidden_states, mlp, attention_heads or lstm_cell.")
]
ExtractLayers = Annotated[
    str | None,
    typer.Option("--layers", help="As 0,4, 0-3, -1; 0 is the embedding output. All by default."),
]
Embeddings = Annotated[
    bool,
    typer.Option("--embeddings/--no-embeddings", help="The embedding output, layer 0."),
]
Aggregation = Annotated[
    str, typer.Option("--aggregation", help="Subwords to word: last, first or average.")
]
Pooling = Annotated[
    str | None,
    typer.Option("--pooling", help="One row per sentence: mean, cls or last."),
]
SpecialTokens = Annotated[
    bool, typer.Option("--special-tokens", help="Rows for [CLS], <s> and the like, too.")
]
Side = Annotated[str, typer.Option("--side", help="Of an encoder-decoder: encoder or decoder.")]
Modules = Annotated[
    str | None,
    typer.Option("--modules", help="Names of the modules to read, as 'h.{}.mlp.c_proj'."),
]
Window = Annotated[
    int | None,
    typer.Option("--window", help="Read longer sentences in windows of so many subwords."),
]
Stride = Annotated[
    int | None, typer.Option("--stride", help="Subwords from one window to the next.")
]
Dtype = Annotated[str, typer.Option("--dtype", help="Stored as float32, float16 or bfloat16.")]
ComputeDtype = Annotated[
    str, typer.Option("--compute-dtype", help="Computed in float32, float16 or bfloat16.")
]
BatchTokens = Annotated[
    int | None,
    typer.Option(
        "--batch-tokens",
        help="Subwords per batch, padding included; 512 on a CPU, else 4096, by default.",
    ),
]
Device = Annotated[str | None, typer.Option("--device", help="As cpu or cuda.")]
RandomWeights = Annotated[
    int | None,
    typer.Option(
        "--random-weights",
        metavar="SEED",
        min=0,
        help="The model without its training, weights drawn anew, as a baseline.",
    ),
]
AllowMissing = Annotated[
    bool,
    typer.Option(
        "--allow-missing",
        help="Store NaN for words beyond the model's limit or dropped by its tokenizer.",
    ),
]


def extract_options(params: Mapping[str, Any]) -> ExtractOptions:
    """The options of extraction among the parameters of a command.

    Raises
    ------
    InputError
        When an option has no such value or two do not go together.
    """
    from dataclasses import fields

    from neurox_lite.extraction.options import ExtractOptions

    names = [field.name for field in fields(ExtractOptions) if field.name in params]
    return ExtractOptions(
        **{**{name: params[name] for name in names}, "layers": layers_of(params["layers"])}
    )
