"""neurox-lite extract: text in, a store of activations out."""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.output import (
    Corpus,
    Debug,
    Format,
    Json,
    Labels,
    by_split,
    integers,
    quiet_transformers,
    show,
)


def command(
    model: Annotated[str, typer.Option("--model", help="Model folder, or name on the hub.")],
    corpus: Corpus,
    out: Annotated[str, typer.Option("--out", help="The store to write, as bert.h5.")],
    labels: Labels = None,
    format: Format = None,
    layers: Annotated[
        str | None,
        typer.Option("--layers", help="As 0,4,-1; 0 is the embedding output. All by default."),
    ] = None,
    aggregation: Annotated[
        str, typer.Option("--aggregation", help="Subwords to word: last, first or average.")
    ] = "last",
    dtype: Annotated[
        str, typer.Option("--dtype", help="Stored as float32, float16 or bfloat16.")
    ] = "float32",
    batch_tokens: Annotated[
        int, typer.Option("--batch-tokens", help="Subwords per batch, padding included.")
    ] = 4096,
    device: Annotated[str | None, typer.Option("--device", help="As cpu or cuda.")] = None,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Store NaN for words beyond the model's limit or dropped by its tokenizer.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a model over a corpus and store one activation vector per word and layer.

    Example: neurox-lite extract --model bert-base-cased --corpus my.conllu --out bert.h5
    """
    from neurox_lite.corpora.reading import read_files
    from neurox_lite.extraction.extract import extract

    quiet_transformers()
    read = read_files(by_split(corpus), format=format, labels=by_split(labels))
    store = extract(
        model,
        read,
        out,
        layers=integers(layers),
        aggregation=aggregation,
        dtype=dtype,
        batch_tokens=batch_tokens,
        device=device,
        allow_missing=allow_missing,
        overwrite=overwrite,
    )
    show(
        {
            "store": out,
            "words": store.n_tokens,
            "layers": list(store.space.layers),
            "neurons": store.space.n_neurons,
            "truncated words": store.metadata["n_truncated_words"],
            "dropped words": store.metadata["n_dropped_words"],
        },
        as_json,
    )
