"""neurox-lite extract: text in, a store of activations out."""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.claims import refuse_inputs
from neurox_lite.cli.output import (
    NOT_COUNTED,
    Corpus,
    Debug,
    Format,
    Json,
    Labels,
    by_split,
    layers_of,
    quiet_transformers,
    show,
)


def command(
    model: Annotated[str, typer.Option("--model", help="Model folder, or name on the hub.")],
    corpus: Corpus,
    out: Annotated[
        str, typer.Option("--out", help="The store: one file as bert.h5, or a folder as bert.")
    ],
    labels: Labels = None,
    format: Format = None,
    site: Annotated[
        str,
        typer.Option("--site", help="hidden_states, mlp, attention_heads or lstm_cell."),
    ] = "hidden_states",
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers", help="As 0,4, 0-3, -1; 0 is the embedding output. All by default."
        ),
    ] = None,
    embeddings: Annotated[
        bool,
        typer.Option("--embeddings/--no-embeddings", help="The embedding output, layer 0."),
    ] = True,
    aggregation: Annotated[
        str, typer.Option("--aggregation", help="Subwords to word: last, first or average.")
    ] = "last",
    pooling: Annotated[
        str | None,
        typer.Option("--pooling", help="One row per sentence: mean, cls or last."),
    ] = None,
    special_tokens: Annotated[
        bool, typer.Option("--special-tokens", help="Rows for [CLS], <s> and the like, too.")
    ] = False,
    side: Annotated[
        str, typer.Option("--side", help="Of an encoder-decoder: encoder or decoder.")
    ] = "encoder",
    source: Annotated[
        str | None,
        typer.Option(
            "--source", help="What the encoder reads with --side decoder: a sentence per line."
        ),
    ] = None,
    modules: Annotated[
        str | None,
        typer.Option("--modules", help="Names of the modules to read, as 'h.{}.mlp.c_proj'."),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option("--window", help="Read longer sentences in windows of so many subwords."),
    ] = None,
    stride: Annotated[
        int | None, typer.Option("--stride", help="Subwords from one window to the next.")
    ] = None,
    dtype: Annotated[
        str, typer.Option("--dtype", help="Stored as float32, float16 or bfloat16.")
    ] = "float32",
    compute_dtype: Annotated[
        str, typer.Option("--compute-dtype", help="Computed in float32, float16 or bfloat16.")
    ] = "float32",
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            help="Subwords per batch, padding included; 512 on a CPU, else 4096, by default.",
        ),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="As cpu or cuda.")] = None,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Store NaN for words beyond the model's limit or dropped by its tokenizer.",
        ),
    ] = False,
    engine: Annotated[
        str, typer.Option("--engine", help="local, or ray for the workers of a Ray cluster.")
    ] = "local",
    workers: Annotated[int | None, typer.Option("--workers", help="With --engine ray.")] = None,
    shard: Annotated[
        str | None,
        typer.Option("--shard", metavar="I/N", help="Do one of N shares, as in a Slurm array."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Predict disk, memory and time from a few batches."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a model over a corpus and store one activation vector per word and layer.

    Run the same command again to go on after an interruption.

    Example: neurox-lite extract --model bert-base-cased --corpus my.conllu --out bert.h5
    """
    from neurox_lite.corpora.annotation import read_text
    from neurox_lite.corpora.reading import read_files
    from neurox_lite.errors import InputError
    from neurox_lite.extraction.extract import extract, extract_share
    from neurox_lite.extraction.options import ExtractOptions

    refuse_inputs(out, corpus, labels, model, source)
    if shard and (engine != "local" or dry_run):
        raise InputError("--shard goes neither with --engine ray nor with --dry-run")
    # Checked before a long corpus is read.
    options = vars(
        ExtractOptions(
            site=site,
            layers=layers_of(layers),
            embeddings=embeddings,
            aggregation=aggregation,
            pooling=pooling,
            special_tokens=special_tokens,
            side=side,
            modules=modules,
            window=window,
            stride=stride,
            dtype=dtype,
            compute_dtype=compute_dtype,
            allow_missing=allow_missing,
            batch_tokens=batch_tokens,
            device=device,
        )
    )
    quiet_transformers()
    read = read_files(by_split(corpus), format=format, labels=by_split(labels), words_only=True)
    read_source = read_text(source) if source else None
    if dry_run:
        from neurox_lite.extraction.estimate import estimate

        prediction = estimate(model, read, out, source=read_source, **options)
        show(prediction.to_dict(), as_json)
        return
    if shard:
        store = extract_share(
            model, read, out, _share(shard), source=read_source, overwrite=overwrite, **options
        )
    else:
        store = extract(
            model,
            read,
            out,
            source=read_source,
            engine=engine,
            workers=workers,
            overwrite=overwrite,
            **options,
        )
    if store is None:
        show({"store": f"{out}: waits for the other shares", "shard": shard}, as_json)
        return
    show(
        {
            "store": out,
            "words": len(store.word_rows),
            "layers": list(store.space.layers),
            "neurons": store.space.n_neurons,
            "truncated words": store.metadata["n_truncated_words"],
            "dropped words": store.metadata["n_dropped_words"],
            "unknown words": store.metadata.get("n_unknown_words", NOT_COUNTED),
            "split words": store.metadata.get("n_split_words", NOT_COUNTED),
        },
        as_json,
    )


def _share(text: str) -> tuple[int, int]:
    from neurox_lite.errors import InputError

    number, _, n_shares = text.partition("/")
    if not (number.isdigit() and n_shares.isdigit()):
        raise InputError(f"--shard {text}: give the share and their number, as 1/4")
    return int(number), int(n_shares)
