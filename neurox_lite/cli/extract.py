"""neurox-lite extract: text in, a store of activations out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from neurox_lite.cli.claims import refuse_inputs
from neurox_lite.cli.corpus_options import (
    Columns,
    Comment,
    LabelColumn,
    SkipBadLines,
    Text,
    TextColumn,
    reading,
    skipped_lines,
)
from neurox_lite.cli.extraction import (
    Aggregation,
    AllowMissing,
    BatchTokens,
    ComputeDtype,
    Device,
    Dtype,
    Embeddings,
    ExtractLayers,
    Modules,
    Pooling,
    RandomWeights,
    Side,
    Site,
    SpecialTokens,
    Stride,
    Window,
    extract_options,
)
from neurox_lite.cli.output import (
    NOT_COUNTED,
    Corpus,
    Debug,
    Format,
    Json,
    Labels,
    by_split,
    quiet_transformers,
    show,
)


def command(
    context: typer.Context,
    model: Annotated[str, typer.Option("--model", help="Model folder, or name on the hub.")],
    corpus: Corpus,
    out: Annotated[
        str, typer.Option("--out", help="The store: one file as bert.h5, or a folder as bert.")
    ],
    labels: Labels = None,
    format: Format = None,
    columns: Columns = None,
    comment: Comment = None,
    text: Text = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    skip_bad_lines: SkipBadLines = False,
    site: Site = "hidden_states",
    layers: ExtractLayers = None,
    embeddings: Embeddings = True,
    aggregation: Aggregation = "last",
    pooling: Pooling = None,
    special_tokens: SpecialTokens = False,
    side: Side = "encoder",
    source: Annotated[
        str | None,
        typer.Option(
            "--source", help="What the encoder reads with --side decoder: a sentence per line."
        ),
    ] = None,
    modules: Modules = None,
    window: Window = None,
    stride: Stride = None,
    dtype: Dtype = "float32",
    compute_dtype: ComputeDtype = "float32",
    batch_tokens: BatchTokens = None,
    device: Device = None,
    random_weights: RandomWeights = None,
    allow_missing: AllowMissing = False,
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

    refuse_inputs(out, corpus, labels, model, source)
    if shard and (engine != "local" or dry_run):
        raise InputError("--shard goes neither with --engine ray nor with --dry-run")
    # Checked before a long corpus is read.
    options = vars(extract_options(context.params))
    quiet_transformers()
    read = read_files(
        by_split(corpus), labels=by_split(labels), words_only=True, **reading(context.params)
    )
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
            **_shared_words(store.metadata),
            **skipped_lines(read),
        },
        as_json,
    )


def _shared_words(metadata: Mapping[str, Any]) -> dict[str, int]:
    """Of text as it was written: how many words share a subword with another."""
    if "n_shared_words" not in metadata:
        return {}
    return {"words that share a subword": metadata["n_shared_words"]}


def _share(text: str) -> tuple[int, int]:
    from neurox_lite.errors import InputError

    number, _, n_shares = text.partition("/")
    if not (number.isdigit() and n_shares.isdigit()):
        raise InputError(f"--shard {text}: give the share and their number, as 1/4")
    return int(number), int(n_shares)
