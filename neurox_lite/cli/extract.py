"""neurox-lite extract: text in, a store of activations out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.corpus_options import ReadingOptions
from neurox_lite.cli.extraction_options import ExtractionOptions
from neurox_lite.cli.options import Corpus, Debug, Engine, Json, Model
from neurox_lite.cli.output import (
    NOT_COUNTED,
    duration,
    quiet_transformers,
    show,
    size,
    skipped_lines,
)
from neurox_lite.cli.output_claims import refuse_inputs
from neurox_lite.cli.parsing import by_split, share_of
from neurox_lite.errors import InputError

if TYPE_CHECKING:
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.extraction.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Extract:
    """Run a model over a corpus and store one activation vector per word and layer.

    To continue after an interruption, run the same command again.

    Example: neurox-lite extract --model bert-base-cased --corpus my.conllu --out bert.h5
    """

    model: Model
    corpus: Corpus
    out: Annotated[
        str,
        typer.Option("--out", help="The store: a file such as bert.h5, or a folder such as bert."),
    ]
    reading: ReadingOptions
    extraction: ExtractionOptions
    source: Annotated[
        str | None,
        typer.Option(
            "--source", help="What the encoder reads with --side decoder, one sentence per line."
        ),
    ] = None
    engine: Engine = "local"
    workers: Annotated[int | None, typer.Option("--workers", help="With --engine ray.")] = None
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard", metavar="I/N", help="Do one of N shares, for example in a Slurm array."
        ),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Predict disk, memory and time from a few batches."),
    ] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.corpora.annotation import read_text
        from neurox_lite.corpora.reading import read_files
        from neurox_lite.extraction.estimate import estimate
        from neurox_lite.extraction.extract import extract, extract_share

        refuse_inputs(self.out, self.corpus, self.reading.labels, self.model, self.source)
        if self.shard and (self.engine != "local" or self.dry_run):
            raise InputError("--shard goes neither with --engine ray nor with --dry-run")
        # Checked before a long corpus is read.
        options: dict[str, Any] = vars(self.extraction.options())
        quiet_transformers()
        files, labels = by_split(self.corpus), by_split(self.reading.labels)
        read = read_files(files, labels=labels, words_only=True, **self.reading.of_corpus())
        options["source"] = read_text(self.source) if self.source else None
        if self.dry_run:
            found = estimate(self.model, read, self.out, **options)
            show(vars(found) if self.as_json else _costs(found), self.as_json)
            return
        options["overwrite"] = self.overwrite
        if self.shard:
            store = extract_share(self.model, read, self.out, share_of(self.shard), **options)
        else:
            options |= {"engine": self.engine, "workers": self.workers}
            store = extract(self.model, read, self.out, **options)
        if store is None:
            waiting = {"store": f"{self.out}: waits for the other shares", "shard": self.shard}
            show(waiting, self.as_json)
        else:
            show({"store": self.out, **_summary(store), **skipped_lines(read)}, self.as_json)


def _costs(found: Estimate) -> dict[str, Any]:
    return {
        "time": duration(found.seconds),
        "disk": size(found.disk_bytes),
        "peak memory": size(found.peak_memory_bytes),
        **({"on the GPU": size(found.device_memory_bytes)} if found.device_memory_bytes else {}),
        "estimated from": f"{found.n_sampled_words:,} of {found.n_words:,} words",
        "neurons": f"{found.n_neurons} in {found.n_layers} layers",
        "unknown words": found.n_unknown_words,
        "split words": found.n_split_words,
    }


def _summary(store: ActivationStore) -> dict[str, Any]:
    metadata = store.metadata
    shown = {
        "words": len(store.word_rows),
        "layers": list(store.space.layers),
        "neurons": store.space.n_neurons,
        "truncated words": metadata["n_truncated_words"],
        "dropped words": metadata["n_dropped_words"],
        "unknown words": metadata.get("n_unknown_words", NOT_COUNTED),
        "split words": metadata.get("n_split_words", NOT_COUNTED),
    }
    if "n_shared_words" in metadata:  # of text as it was written
        shown["words that share a subword"] = metadata["n_shared_words"]
    return shown
