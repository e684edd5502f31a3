"""What a plan says about the words of a store: what its header holds, and unknown words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurox_lite.activations.writer import StoreHeader
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.extraction.plan import Plan
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.vocabulary import check_split, check_unknown
from neurox_lite.public_names import public_name


def store_header(
    loaded: LoadedModel,
    plan: Plan,
    options: ExtractOptions,
    sentences: range,
    job_key: str,
    text_hash: str,
    n_heads: Sequence[int],
) -> StoreHeader:
    """The words of some neighbouring sentences, and what a store says about them.

    ``job_key`` is the hash of everything that decides what the store will hold, ``text_hash`` that
    of sentences as they were written; "" where words are joined. ``n_heads`` are the heads of each
    layer, at the site of that name, if the model tells them of all.
    """
    offsets = plan.corpus.sentence_offsets
    first, last = offsets[sentences.start], offsets[sentences.stop]
    special = plan.special[(plan.special >= first) & (plan.special < last)] - first
    metadata: dict[str, Any] = {
        "model": loaded.name,
        "revision": loaded.revision,
        "tokenizer": public_name(loaded.tokenizer.name_or_path),
        "site": options.site,
        "side": options.side,
        "aggregation": options.aggregation,
        "pooling": options.pooling or "",
        "window": options.window or 0,
        "dtype": options.dtype,
        "compute_dtype": str(loaded.model.dtype).removeprefix("torch."),
        "n_truncated_words": sum(plan.n_truncated[sentences.start : sentences.stop]),
        "n_dropped_words": sum(plan.n_dropped[sentences.start : sentences.stop]),
        "n_unknown_words": sum(plan.n_unknown[sentences.start : sentences.stop]),
        "n_split_words": sum(plan.n_split[sentences.start : sentences.stop]),
        "n_words": sum(plan.n_words[sentences.start : sentences.stop]),
        "job_key": job_key,
    }
    if n_heads:
        metadata["n_heads"] = ",".join(map(str, n_heads))
    if text_hash:
        metadata |= {
            "text": "raw",
            "text_hash": text_hash,
            "n_shared_words": sum(plan.n_shared[sentences.start : sentences.stop]),
        }
    return StoreHeader(plan.corpus.section(sentences), metadata, special)


def check_known_words(
    plan: Plan, words: TaggedCorpus, source: TaggedCorpus | None, model: str
) -> None:
    """Refuse a split, or sources, of words nearly all unknown; say how many are, or are split."""
    splits = np.asarray(words.splits or [""] * len(words))
    for split in dict.fromkeys(splits.tolist()):
        text = f"{words.source}: {split}" if split else words.source
        chosen = splits == split
        n_unknown, n_words = (np.asarray(n)[chosen].sum() for n in (plan.n_unknown, plan.n_words))
        check_unknown(int(n_unknown), int(n_words), text, model)
    check_split(sum(plan.n_split), sum(plan.n_words), words.source, model)
    if plan.n_unknown_source:
        read = source or words
        n_unknown = sum(plan.n_unknown_source)
        check_unknown(n_unknown, read.n_words, f"{read.source}, as sources", model)
