"""One extraction from start to end: prepare, run shards, finish; every step can be repeated.

One class, and long: a step needs what those before it made, each made when it is first needed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.activations.merge_shards import join_virtually
from neurox_lite.activations.store import IN_FOLDER, ActivationStore
from neurox_lite.activations.writer import StoreHeader, check_words, open_writer
from neurox_lite.arguments import as_path, expect
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.batching import split_into_shards
from neurox_lite.extraction.finished_store import join_into_file
from neurox_lite.extraction.folder_files import refuse_other_than_store, remove_leftovers_of
from neurox_lite.extraction.forward import check_padding
from neurox_lite.extraction.job_folder import JobFolder
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.extraction.plan import Plan
from neurox_lite.extraction.planning import plan_corpus
from neurox_lite.extraction.shards import Extractor
from neurox_lite.extraction.store_header import check_known_words, store_header
from neurox_lite.files import refuse_file, refuse_folder, refuse_foreign_link, require_absent
from neurox_lite.json_files import hash_json
from neurox_lite.measure import release_memory
from neurox_lite.models.loading import (
    LoadedModel,
    Model,
    as_loaded,
    load_model,
    weights_hash,
)
from neurox_lite.models.model_files import model_name, model_revision
from neurox_lite.models.sites import Sites, find_sites
from neurox_lite.models.vocabulary import tokenizer_hash
from neurox_lite.neurons import IN_MEMORY, resolve_layers
from neurox_lite.outputs import refuse_input
from neurox_lite.public_names import public_sources
from neurox_lite.version import __version__

logger = logging.getLogger(__name__)

SHARD_BYTES = 64 << 20
"""Float32 activations of a shard, in bytes, which are held in memory until they are written."""

BATCH_TOKENS_ON_CPU, BATCH_TOKENS = 512, 4096
"""Subwords per batch."""

MIN_SHARD_WORDS = 1024
"""Words of a shard where there are so many neurons that fewer would fill it."""


class ExtractionJob:
    """What is extracted, from what, into what.

    Attributes
    ----------
    out : Path
    options : ExtractOptions
    words : TaggedCorpus
        The corpus as it was given.
    corpus, source : TaggedCorpus
        What is read; with pooling, every sentence is one word.
    """

    def __init__(
        self,
        model: Model,
        corpus: TaggedCorpus,
        out: str | Path,
        options: ExtractOptions,
        source: TaggedCorpus | None = None,
        overwrite: bool = False,
        prepared: tuple[Plan, list[range]] | None = None,
        tokenizer: Any = None,
    ):
        wanted = "a TaggedCorpus, such as nx.read_corpus(path)"
        expect(corpus, TaggedCorpus, "corpus", wanted)
        if source is not None:
            expect(source, TaggedCorpus, "source", wanted)
        out = as_path(out, "out")
        if source is not None and len(source) != len(corpus):
            raise InputError(
                f"{source.source}: {len(source)} sentences, but {corpus.source} has {len(corpus)}; "
                "give one source sentence for each"
            )
        if source is not None and options.side != "decoder":
            raise InputError(f"{source.source}: a source goes with side='decoder' (--side decoder)")
        self.model: LoadedModel | str | Path
        # What a revision says nothing about.
        self._unhashed: list[str] = []
        if tokenizer is None and isinstance(model, str | Path):
            self.model = model
        else:
            if options.random_weights is not None:
                raise InputError(
                    "random weights need a model that is loaded by name; give that name, or "
                    "what load_model(..., random_weights=) returns without this option"
                )
            self.model = self._in_memory(model, tokenizer)
        self.words = corpus
        self.corpus = corpus.by_sentence() if options.pooling else corpus
        self.source = source
        self.out = _place(out)
        self.options = options
        self.overwrite = overwrite
        self._prepared = prepared
        check_words(self.corpus)
        if isinstance(model, str | Path):
            refuse_input(self.out, model)
        if self._is_file:
            refuse_folder(self.out)
        else:
            refuse_file(self.out)

    def _in_memory(self, model: Model, tokenizer: Any) -> LoadedModel:
        loaded = as_loaded(model, tokenizer)
        if not loaded.revision:
            loaded = replace(loaded, revision=weights_hash(loaded.model))
        if tokenizer is not None or loaded.revision.startswith(IN_MEMORY):
            self._unhashed = [
                tokenizer_hash(loaded.tokenizer),
                loaded.model.config.to_json_string(),
            ]
        return loaded

    @cached_property
    def folder(self) -> JobFolder:
        return JobFolder(self.out, self.key)

    @cached_property
    def key(self) -> str:
        """Hash of everything that decides what the store will hold."""
        if isinstance(self.model, LoadedModel):
            revision, name = self.model.revision, self.model.name
        else:
            revision = model_revision(str(self.model), self.options.random_weights)
            name = model_name(str(self.model), self.options.random_weights)
        source = self.source.words_hash if self.source else ""
        content = [__version__, name, revision, self.corpus.words_hash, source]
        content += [self.corpus.text_hash] if self.corpus.texts else []
        content += self._unhashed
        return hash_json([*content, self.options.content()])

    def finished(self) -> ActivationStore | None:
        """The store, if this job was finished before.

        Raises InputError when there is something else that may not be overwritten.
        """
        self.folder.refuse_foreign()
        if self.overwrite and self.out.is_dir() and not self._is_empty_folder():
            refuse_other_than_store(self.out)
        if self.overwrite and not self.folder.folder.exists():
            return None
        if self.out.exists() and not self._is_empty_folder():
            try:
                store = ActivationStore(self.out)
            except InputError:
                pass
            else:
                if store.metadata.get("job_key") == self.key:
                    if self.folder.manifest().get("key", self.key) == self.key:
                        self.folder.remove()
                    remove_leftovers_of(self.out)
                    return store
                store.close()
            require_absent(self.out, self.overwrite)
        return None

    @property
    def _is_file(self) -> bool:
        """Whether the store is to be one file."""
        return self.out.suffix in (".h5", ".hdf5")

    def _is_empty_folder(self) -> bool:
        return self.out.is_dir() and not any(self.out.iterdir())

    @cached_property
    def loaded(self) -> LoadedModel:
        options = self.options
        loaded = self.model
        if not isinstance(loaded, LoadedModel):
            loaded = load_model(
                str(loaded),
                device=options.device,
                dtype=options.compute_dtype,
                side=options.side,
                random_weights=options.random_weights,
            )
        if any(module.training for module in loaded.model.modules()):
            raise InputError(
                f"{loaded.name}: is in training mode, whose dropout changes activations; call "
                "model.eval() first"
            )
        if options.side == "decoder" and not loaded.is_encoder_decoder:
            raise InputError(
                f"{loaded.name}: is not an encoder-decoder, so it has no decoder side; leave out "
                "side"
            )
        return loaded

    @cached_property
    def sites(self) -> Sites:
        options = self.options
        return find_sites(
            self.loaded.model, options.site, side=options.side, modules=options.modules
        )

    @cached_property
    def layers(self) -> list[int]:
        """Layers to keep, ascending."""
        known, chosen = list(self.sites.widths), self.options.layers
        is_skipped = self.options.site == "hidden_states" and not self.options.embeddings
        if chosen is None:
            return known[1:] if is_skipped else known
        try:
            found = sorted(set(resolve_layers(chosen, known, self.options.site)))
        except InputError as error:
            raise InputError(f"{self.loaded.name}: {error}") from None
        if is_skipped and known[0] in found:
            raise InputError(
                "layers names layer 0, the embedding output, which embeddings=False "
                "(--no-embeddings) leaves out; leave one of them out"
            )
        return found

    @cached_property
    def plan(self) -> Plan:
        """The corpus as the model reads it; aligned here, unless another process did."""
        if self._prepared:
            return self._prepared[0]
        return plan_corpus(self.loaded, self.corpus, self.options, self.source, self.words)

    def check(self) -> None:
        """Load the model, and refuse what it has not or does not know."""
        _ = self.layers
        self.check_plan()

    def check_plan(self) -> None:
        """Refuse a split of words that the tokenizer does not know; say what else is unusual."""
        for warning in self.plan.warnings:
            logger.warning("%s", warning)
        check_known_words(self.plan, self.words, self.source, self.loaded.name)

    @property
    def batch_tokens(self) -> int:
        """Subwords per batch, as long as they fit into memory."""
        on_cpu = self.loaded.model.device.type == "cpu"
        return self.options.batch_tokens or (BATCH_TOKENS_ON_CPU if on_cpu else BATCH_TOKENS)

    @cached_property
    def extractor(self) -> Extractor:
        batch_tokens = self.folder.batch_tokens(self.batch_tokens)
        remember = self.folder.remember_batch_tokens
        return Extractor(
            self.loaded,
            self.sites,
            self.layers,
            self.plan,
            self.options,
            batch_tokens,
            max(self.n_rows),
            remember,
        )

    @cached_property
    def shards(self) -> list[range]:
        """The sentences of each shard; they depend on nothing but the words and the neurons."""
        if self._prepared:
            return self._prepared[1]
        n_neurons = sum(self.sites.widths[layer] for layer in self.layers)
        max_words = max(MIN_SHARD_WORDS, SHARD_BYTES // (4 * n_neurons))
        lengths = np.diff(self.plan.corpus.sentence_offsets)
        return list(split_into_shards(lengths.tolist(), max_words))

    @cached_property
    def n_rows(self) -> list[int]:
        """Rows of each shard."""
        offsets = self.plan.corpus.sentence_offsets
        return [int(offsets[s.stop] - offsets[s.start]) for s in self.shards]

    def prepare(self) -> None:
        """Load, align and check everything before the first shard runs."""
        release_memory()  # what reading the corpus took
        self.check_plan()
        extractor = self.extractor
        first = self.plan.inputs(self.shards[0])
        check_padding(self.loaded, self.sites, self.layers, first, extractor.batch_tokens)

    def begin(self) -> None:
        """Take up the folder; raises InputError when it holds another job."""
        description = {
            "model": self.loaded.name,
            "revision": self.loaded.revision,
            "corpus": public_sources(self.corpus.source),
            "options": self.options.content(),
            "n_rows": self.n_rows,
        }
        with self.folder.write_errors():
            self.folder.begin(description, self.shards, self.overwrite)

    def waiting(self) -> list[int]:
        """Numbers of the shards that are not done."""
        done = set(self.folder.done(len(self.shards)))
        return [number for number in range(len(self.shards)) if number not in done]

    def run(self, shards: Sequence[int]) -> Iterator[int]:
        """Extract shards; one is flushed to the disk while the next is computed.

        Yields the number of each shard once its file is there, whole. Raises InputError when an
        activation is NaN or infinite, or overflows the dtype, and UnfinishedError when the disk or
        the memory is full.
        """
        with ThreadPoolExecutor(max_workers=1) as thread:
            flushed: list[tuple[int, Future[None]]] = []
            for shard in shards:
                activations, missing = self.extractor.run(self.shards[shard])
                yield from _wait(flushed)
                written = self._write(shard, activations, missing)
                flushed = [(shard, thread.submit(written.close))]
            yield from _wait(flushed)

    def _write(
        self, shard: int, activations: dict[int, np.ndarray], missing: list[int]
    ) -> ExitStack:
        """Write a shard; closing what is given back flushes its file and gives it its name."""
        head = self._head(self.shards[shard])
        with ExitStack() as stack:
            stack.enter_context(self.folder.write_errors())
            writer = stack.enter_context(
                open_writer(
                    self.folder.shard(shard),
                    head.corpus,
                    dtype=self.options.dtype,
                    metadata={**head.metadata, "shard": shard},
                    special=head.special,
                    first_sentence=self.shards[shard].start,
                    overwrite=True,
                )
            )
            writer.append(activations, missing)
            writer.finish({})
            return stack.pop_all()

    def _head(self, sentences: range) -> StoreHeader:
        text_hash = self.corpus.text_hash
        known = self.sites.n_heads
        n_heads = [known[layer] for layer in self.layers] if set(self.layers) <= set(known) else []
        return store_header(
            self.loaded, self.plan, self.options, sentences, self.key, text_hash, n_heads
        )

    def finish(self) -> ActivationStore:
        """Join the shards, when all are done, under the store's name.

        Raises UnfinishedError when the disk is full, or a shard was damaged since it was written.
        """
        release_memory()
        folder = self.folder
        parts = [folder.shard(number) for number in range(len(self.shards))]
        head = self._head(range(len(self.corpus)))
        with folder.write_errors():
            if self._is_file:
                join_into_file(parts, head, self.out, overwrite=self.overwrite)
                folder.remove()
            else:
                join_virtually(parts, head, folder.folder / IN_FOLDER)
                folder.become_the_store(self.overwrite)
        return ActivationStore(self.out)


def _wait(flushed: list[tuple[int, Future[None]]]) -> Iterator[int]:
    for shard, done in flushed:
        done.result()
        yield shard


def _place(out: str | Path) -> Path:
    """Where the store will be; of a symbolic link where it points to, as the link stays.

    Raises InputError when it is a folder without a name of its own.
    """
    path = Path(out)
    if path.name in ("", ".."):
        raise InputError(f"{out}: give a name for the store, as {path / 'bert.h5'}")
    if path.is_file():
        refuse_foreign_link(path)
    return path.resolve() if path.is_symlink() else path
