"""Options of the commands that extract activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from neurox_lite.cli.parsing import layers_of

if TYPE_CHECKING:
    from neurox_lite.extraction.options import ExtractOptions


@dataclass(frozen=True, kw_only=True)
class ExtractionOptions:
    """Which activations are extracted, and how."""

    site: Annotated[
        str, typer.Option("--site", help="hidden_states, mlp, attention_heads or lstm_cell.")
    ] = "hidden_states"
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers", help="Such as 0,4, 0-3 or -1; 0 is the embedding output. All by default."
        ),
    ] = None
    embeddings: Annotated[
        bool,
        typer.Option(
            "--embeddings/--no-embeddings", help="Whether to keep the embedding output, layer 0."
        ),
    ] = True
    aggregation: Annotated[
        str, typer.Option("--aggregation", help="From subwords to a word: last, first or average.")
    ] = "last"
    pooling: Annotated[
        str | None,
        typer.Option("--pooling", help="One row per sentence: mean, cls or last."),
    ] = None
    special_tokens: Annotated[
        bool, typer.Option("--special-tokens", help="Also store rows for [CLS], <s> and the like.")
    ] = False
    side: Annotated[
        str, typer.Option("--side", help="For an encoder-decoder: encoder or decoder.")
    ] = "encoder"
    modules: Annotated[
        str | None,
        typer.Option("--modules", help="Names of the modules to read, such as 'h.{}.mlp.c_proj'."),
    ] = None
    window: Annotated[
        int | None,
        typer.Option("--window", help="Read longer sentences in windows of this many subwords."),
    ] = None
    stride: Annotated[
        int | None, typer.Option("--stride", help="Subwords from one window to the next.")
    ] = None
    dtype: Annotated[
        str, typer.Option("--dtype", help="What to store: float32, float16 or bfloat16.")
    ] = "float32"
    compute_dtype: Annotated[
        str,
        typer.Option("--compute-dtype", help="What to compute in: float32, float16 or bfloat16."),
    ] = "float32"
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            help="Subwords per batch, padding included; by default 512 on a CPU, otherwise 4096.",
        ),
    ] = None
    device: Annotated[str | None, typer.Option("--device", help="Such as cpu or cuda.")] = None
    random_weights: Annotated[
        int | None,
        typer.Option(
            "--random-weights",
            metavar="SEED",
            min=0,
            help="Use the untrained model, with newly drawn weights, as a baseline.",
        ),
    ] = None
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Store NaN for words beyond the model's limit or dropped by its tokenizer.",
        ),
    ] = False

    def options(self) -> ExtractOptions:
        """Checked; raises InputError when an option has no such value or two do not go together."""
        from neurox_lite.extraction.options import ExtractOptions

        return ExtractOptions(**{**vars(self), "layers": layers_of(self.layers)})
