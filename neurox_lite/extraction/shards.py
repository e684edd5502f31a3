"""The activations of some neighbouring sentences: what one shard of a store holds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np
import torch

from neurox_lite.errors import UnfinishedError
from neurox_lite.extraction.batching import batches
from neurox_lite.extraction.concurrency import replicas
from neurox_lite.extraction.forward import run_batch
from neurox_lite.extraction.model_input import ModelInput
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.extraction.plan import Plan
from neurox_lite.measure import release_memory, resident_memory
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.sites import Sites
from neurox_lite.threads import thread_map

logger = logging.getLogger(__name__)

MEMORY_SLACK = 64 << 20
"""Bytes above those in use after the first batch at which freed memory is returned."""


@dataclass
class Extractor:
    """Everything that runs a model over sections of a corpus.

    Attributes
    ----------
    loaded : LoadedModel
    sites : Sites
    layers : list of int
        Ascending.
    plan : Plan
    options : ExtractOptions
    batch_tokens : int
        Subwords per batch; halved whenever memory runs out.
    max_rows : int
        Rows of the largest shard.
    on_halving : function of int, optional
        Called with the new ``batch_tokens``.
    """

    loaded: LoadedModel
    sites: Sites
    layers: list[int]
    plan: Plan
    options: ExtractOptions
    batch_tokens: int
    max_rows: int
    on_halving: Callable[[int], None] = lambda batch_tokens: None
    _replicas: list[LoadedModel] = field(init=False)
    _buffers: dict[int, np.ndarray] = field(default_factory=dict)
    _usual_memory: int | None = None

    def __post_init__(self) -> None:
        self._replicas = replicas(self.loaded)

    @property
    def aggregation(self) -> str:
        pooled = {"mean": "average", "cls": "first", "last": "last"}
        pooling = self.options.pooling
        return pooled[pooling] if pooling else self.options.aggregation

    def run(self, sentences: range) -> tuple[dict[int, np.ndarray], list[int]]:
        """Activations of neighbouring sentences.

        Memory: ``4 * max_rows * n_neurons`` bytes, and one batch.

        Returns
        -------
        activations : dict
            Layer -> (n_rows, width) float32 array, in corpus order; valid until the next call,
            which uses the same memory.
        missing : list of int
            Rows without an activation; they hold NaN.

        Raises
        ------
        UnfinishedError
            When a single sentence does not fit into memory.
        """
        offsets = self.plan.corpus.sentence_offsets
        first, last = int(offsets[sentences.start]), int(offsets[sentences.stop])
        activations = {layer: self._buffer(layer)[: last - first] for layer in self.layers}
        inputs = self.plan.inputs(sentences)
        missing = np.ones(last - first, dtype=bool)
        waiting = inputs
        while waiting:
            waiting = self._run_until_out_of_memory(waiting, activations, missing, first)
        for array in activations.values():
            array[missing] = np.nan
        return activations, np.flatnonzero(missing).tolist()

    def _buffer(self, layer: int) -> np.ndarray:
        """Memory for the rows of one layer; getting new memory for every shard takes time."""
        if layer not in self._buffers:
            shape = (self.max_rows, self.sites.widths[layer])
            # Touched now: not to be taken for memory that batches leave behind.
            self._buffers[layer] = np.full(shape, np.nan, np.float32)
        return self._buffers[layer]

    def _run_until_out_of_memory(
        self,
        inputs: list[ModelInput],
        activations: dict[int, np.ndarray],
        missing: np.ndarray,
        first: int,
    ) -> list[ModelInput]:
        """Run batches in order of length; give back what is left when one does not fit."""
        idle = list(self._replicas)
        too_large: list[list[ModelInput]] = []

        def run(batch: list[int]) -> list[ModelInput]:
            """Run a batch unless memory ran out before; gives what has not run."""
            chosen = [inputs[i] for i in batch]
            if too_large:
                return chosen
            rows = np.concatenate([item.rows for item in chosen]) - first
            receive = partial(_copy_rows, activations, torch.from_numpy(rows))
            loaded = idle.pop()
            try:
                run_batch(loaded, self.sites, self.layers, chosen, self.aggregation, receive)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                too_large.append(chosen)
                return chosen
            finally:
                idle.append(loaded)
            missing[rows] = False
            self._bound_memory()
            return []

        todo = batches([len(item) for item in inputs], self.batch_tokens)
        with thread_map(len(self._replicas)) as map_batches:
            left = list(chain.from_iterable(map_batches(run, todo)))
        if too_large:
            self._take_less(too_large[0])
        return left

    def _bound_memory(self) -> None:
        """Keep batches of ever other shapes from piling up freed memory."""
        if self._usual_memory is None:
            self._usual_memory = resident_memory() or 0
        elif (resident_memory() or 0) > self._usual_memory + MEMORY_SLACK:
            release_memory()

    def _take_less(self, batch: list[ModelInput]) -> None:
        """After a batch did not fit: one at a time from now on, or else halve them."""
        if len(self._replicas) > 1:
            del self._replicas[1:]
            logger.info("out of memory: continuing with one batch at a time")
            return
        longest = max(map(len, batch))
        if len(batch) == 1:
            raise UnfinishedError(
                f"out of memory: a sentence of {longest} subwords does not fit by itself (row "
                f"{batch[0].rows[0]}); what is done is kept: shorten it, use --window, extract "
                "fewer layers, or use a larger device"
            )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.batch_tokens = max(1, longest * len(batch) // 2)
        logger.info("out of memory: continuing with %d subwords per batch", self.batch_tokens)
        self.on_halving(self.batch_tokens)


def _copy_rows(
    activations: dict[int, np.ndarray], rows: torch.Tensor, layer: int, vectors: torch.Tensor
) -> None:
    torch.from_numpy(activations[layer]).index_copy_(0, rows, vectors.float().cpu())


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of a device or of the machine."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        "DefaultCPUAllocator" in str(error)
    )
