"""Run a model over a corpus and keep one activation vector per word and layer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import DTYPES, open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.aggregation import AGGREGATIONS, aggregate
from neurox_lite.extraction.alignment import AlignedSentence, align, without_space_marks
from neurox_lite.extraction.batching import batches, windows
from neurox_lite.extraction.forward import check_padding, run_batch
from neurox_lite.files import refuse_existing
from neurox_lite.models.loading import LoadedModel, load_model

logger = logging.getLogger(__name__)

WINDOW_BYTES = 128 << 20
"""Activations held in memory between running a sentence and writing it, in bytes."""


@dataclass(frozen=True)
class _Plan:
    """The corpus as the model sees it, and which of its words have no activation."""

    sentences: list[AlignedSentence]
    n_truncated: int
    n_dropped: int


def extract(
    model: str | Path | LoadedModel,
    corpus: TaggedCorpus,
    out: str | Path,
    *,
    layers: Sequence[int] | None = None,
    aggregation: str = "last",
    dtype: str = "float32",
    batch_tokens: int = 4096,
    device: str | None = None,
    allow_missing: bool = False,
    overwrite: bool = False,
) -> ActivationStore:
    """Extract the hidden states of every word of a corpus into an HDF5 store.

    Peak memory is the model, one batch, and 128 MB of activations, whatever the corpus.

    Parameters
    ----------
    model : str, path or LoadedModel
        A model folder, a name on the hub, or an already loaded model.
    corpus : TaggedCorpus
    out : path
        The store; it appears only when it is complete.
    layers : sequence of int, optional
        Layers to keep; 0 is the embedding output, negative numbers count from the end. All by
        default.
    aggregation : {"last", "first", "average"}
        How the subwords of a word become one vector.
    dtype : {"float32", "float16", "bfloat16"}
        What is stored; the model computes in float32.
    batch_tokens : int
        Subwords per batch, padding included.
    device : str, optional
        CUDA when there is one by default.
    allow_missing : bool
        Store NaN for words that have no activation because the tokenizer drops them or the model
        takes no sentence that long; count them in the store. By default that is an error.
    overwrite : bool
        Replace an existing store.

    Returns
    -------
    ActivationStore
        Open for reading; one row per word of the corpus.

    Raises
    ------
    InputError
        When ``out`` exists, the model or a layer does not, words cannot be aligned or have no
        activation, or an activation is NaN or does not fit the dtype.
    """
    refuse_existing(out, overwrite)
    if aggregation not in AGGREGATIONS:
        raise InputError(f"unknown aggregation '{aggregation}'; use {', '.join(AGGREGATIONS)}")
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype '{dtype}'; use {', '.join(DTYPES)}")
    if batch_tokens < 1:
        raise InputError(f"batch_tokens is {batch_tokens}; give at least 1")
    loaded = model if isinstance(model, LoadedModel) else load_model(str(model), device=device)
    _check_evaluation_mode(loaded)
    chosen = _resolve_layers(layers, loaded)
    plan = _align_corpus(loaded, corpus, allow_missing)
    check_padding(loaded, [s.input_ids for s in plan.sentences if any(s.subwords)], batch_tokens)

    metadata = {
        "model": loaded.name,
        "revision": loaded.revision,
        "tokenizer": loaded.tokenizer.name_or_path,
        "site": "hidden_states",
        "aggregation": aggregation,
    }
    counts = {"n_truncated_words": plan.n_truncated, "n_dropped_words": plan.n_dropped}
    with (
        open_writer(out, corpus, dtype=dtype, metadata=metadata, overwrite=overwrite) as writer,
        tqdm(total=corpus.n_tokens, unit="word", desc="extract", disable=None, delay=2) as progress,
    ):
        n_words = [len(words) for words in corpus.sentences]
        bytes_per_word = 4 * sum(loaded.layer_widths[layer] for layer in chosen)
        for window in windows(n_words, max(1, WINDOW_BYTES // bytes_per_word)):
            sentences = [plan.sentences[i] for i in window]
            states, missing = _run_window(loaded, sentences, chosen, aggregation, batch_tokens)
            writer.append(states, missing)
            progress.update(sum(n_words[i] for i in window))
        writer.finish(counts)
    return ActivationStore(out)


def _check_evaluation_mode(loaded: LoadedModel) -> None:
    if any(module.training for module in loaded.model.modules()):
        raise InputError(
            f"{loaded.name}: is in training mode, whose dropout changes activations; call "
            "model.eval() first"
        )


def _resolve_layers(layers: Sequence[int] | None, loaded: LoadedModel) -> list[int]:
    n_layers = loaded.n_layers
    if layers is None:
        return list(range(n_layers))
    if not layers:
        raise InputError(f"{loaded.name}: no layers chosen; give at least one")
    for layer in layers:
        if not -n_layers <= layer < n_layers:
            raise InputError(
                f"{loaded.name}: no layer {layer}; it has layers 0 to {n_layers - 1} "
                "(0 is the embedding output)"
            )
    return sorted({layer % n_layers for layer in layers})


def _align_corpus(loaded: LoadedModel, corpus: TaggedCorpus, allow_missing: bool) -> _Plan:
    """Tokenise and align every sentence before the model runs, so that bad input costs nothing."""
    sentences, truncated, dropped = [], [], []
    limit = loaded.max_tokens
    n_embeddings = getattr(loaded.model.get_input_embeddings(), "num_embeddings", None)
    progress = tqdm(corpus.sentences, unit="sentence", desc="align", disable=None, delay=2)
    for number, words in enumerate(progress, start=1):
        where = f"{corpus.source}: sentence {number}"
        text = corpus.text(number - 1)
        encoding = loaded.tokenizer(
            text, return_offsets_mapping=True, truncation=False, padding=False, verbose=False
        )
        ids = encoding["input_ids"]
        if n_embeddings and max(ids, default=0) >= n_embeddings:
            raise InputError(
                f"{where}: the tokenizer gives subword {max(ids)}, but the model has embeddings "
                f"for 0 to {n_embeddings - 1}; give the model its own tokenizer"
            )
        subwords = loaded.tokenizer.convert_ids_to_tokens(ids)
        offsets = without_space_marks(text, subwords, encoding["offset_mapping"])
        aligned = align(words, ids, offsets, where)
        dropped += [(number, w) for w, s in zip(words, aligned.subwords, strict=True) if not s]
        cut = _truncate(aligned, limit)
        if cut is not aligned:
            lost = sum(map(bool, aligned.subwords)) - sum(map(bool, cut.subwords))
            truncated.append((number, len(aligned.input_ids), lost))
        sentences.append(cut)
    if truncated:
        number, length, _ = truncated[0]
        lost = sum(t[2] for t in truncated)
        _missing(
            f"{corpus.source}: {len(truncated)} sentences are longer than the {limit} "
            f"subwords the model takes (the first is sentence {number} with {length}), which "
            f"leaves {lost} words without activations",
            allow_missing,
        )
    if dropped:
        number, word = dropped[0]
        _missing(
            f"{corpus.source}: the tokenizer drops {len(dropped)} words (the first is "
            f"{word!r} in sentence {number}), which have no activations",
            allow_missing,
        )
    return _Plan(sentences, sum(t[2] for t in truncated), len(dropped))


def _missing(message: str, allow_missing: bool) -> None:
    if not allow_missing:
        raise InputError(
            f"{message}; shorten or fix them, or leave these words out with allow_missing=True "
            "(--allow-missing)"
        )
    logger.warning("%s; they are stored as NaN and left out by later stages", message)


def _truncate(sentence: AlignedSentence, limit: int | None) -> AlignedSentence:
    """Cut a sentence to the model's limit, keeping the special tokens at its end.

    A word that loses any subword loses all of them: half a word is not its activation.
    """
    if limit is None or len(sentence.input_ids) <= limit:
        return sentence
    last = max((word[-1] for word in sentence.subwords if word), default=len(sentence.input_ids))
    closing = sentence.input_ids[last + 1 :]
    keep = limit - len(closing)
    subwords = tuple(word if word and word[-1] < keep else () for word in sentence.subwords)
    return AlignedSentence(sentence.input_ids[:keep] + closing, subwords)


def _run_window(
    loaded: LoadedModel,
    sentences: list[AlignedSentence],
    layers: list[int],
    aggregation: str,
    batch_tokens: int,
) -> tuple[dict[int, np.ndarray], list[int]]:
    """Activations of neighbouring sentences, in order: layer -> (n_words, width), missing rows."""
    offsets = np.concatenate(([0], np.cumsum([len(s.subwords) for s in sentences])))
    states = {
        layer: np.full((offsets[-1], loaded.layer_widths[layer]), np.nan, np.float32)
        for layer in layers
    }
    runnable = [i for i, sentence in enumerate(sentences) if any(sentence.subwords)]
    for positions in batches([len(sentences[i].input_ids) for i in runnable], batch_tokens):
        batch = [runnable[position] for position in positions]
        hidden = run_batch(loaded, [sentences[i].input_ids for i in batch])
        subwords = [word for i in batch for word in sentences[i].subwords]
        row_of_word = [p for p, i in enumerate(batch) for _ in sentences[i].subwords]
        rows = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in batch])
        present = np.array([bool(word) for word in subwords])
        for layer in layers:
            vectors = aggregate(hidden[layer], row_of_word, subwords, aggregation)
            states[layer][rows[present]] = vectors.float().cpu().numpy()
    missing = [
        int(offsets[i]) + word
        for i, sentence in enumerate(sentences)
        for word, subwords_of_word in enumerate(sentence.subwords)
        if not subwords_of_word
    ]
    return states, missing
