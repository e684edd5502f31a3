"""The activations of some neighbouring sentences: what one shard of a store holds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from neurox_lite.errors import UnfinishedError
from neurox_lite.extraction.batching import batches
from neurox_lite.extraction.forward import run_batch
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.extraction.plan import ModelInput, Plan
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.sites import Sites

logger = logging.getLogger(__name__)


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
    on_halving : function of int, optional
        Called with the new ``batch_tokens``.
    """

    loaded: LoadedModel
    sites: Sites
    layers: list[int]
    plan: Plan
    options: ExtractOptions
    batch_tokens: int
    on_halving: Callable[[int], None] = lambda batch_tokens: None

    @property
    def aggregation(self) -> str:
        pooled = {"mean": "average", "cls": "first", "last": "last"}
        pooling = self.options.pooling
        return pooled[pooling] if pooling else self.options.aggregation

    def run(self, sentences: range) -> tuple[dict[int, np.ndarray], list[int]]:
        """Activations of neighbouring sentences.

        Memory: ``4 * n_rows * n_neurons`` bytes, and one batch.

        Returns
        -------
        activations : dict
            Layer -> (n_rows, width) float32 array, in corpus order.
        missing : list of int
            Rows without an activation; they hold NaN.

        Raises
        ------
        UnfinishedError
            When a single sentence does not fit into memory.
        """
        offsets = self.plan.corpus.sentence_offsets
        first, last = int(offsets[sentences.start]), int(offsets[sentences.stop])
        activations = {
            layer: np.full((last - first, self.sites.widths[layer]), np.nan, np.float32)
            for layer in self.layers
        }
        inputs = self.plan.inputs(sentences)
        missing = np.ones(last - first, dtype=bool)
        waiting = inputs
        while waiting:
            waiting = self._run_until_out_of_memory(waiting, activations, missing, first)
        return activations, np.flatnonzero(missing).tolist()

    def _run_until_out_of_memory(
        self,
        inputs: list[ModelInput],
        activations: dict[int, np.ndarray],
        missing: np.ndarray,
        first: int,
    ) -> list[ModelInput]:
        """Run batches in order of length; give back what is left when one does not fit."""
        done: set[int] = set()
        for batch in batches([len(item) for item in inputs], self.batch_tokens):
            chosen = [inputs[i] for i in batch]
            rows = np.concatenate([item.rows for item in chosen]) - first

            def receive(layer: int, vectors: torch.Tensor, rows: np.ndarray = rows) -> None:
                activations[layer][rows] = vectors.float().cpu().numpy()

            try:
                run_batch(self.loaded, self.sites, self.layers, chosen, self.aggregation, receive)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            else:
                missing[rows] = False
                done.update(batch)
                continue
            # Outside of the except clause, whose traceback keeps the batch's tensors alive.
            self._halve(chosen)
            return [item for i, item in enumerate(inputs) if i not in done]
        return []

    def _halve(self, batch: list[ModelInput]) -> None:
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
        logger.info("out of memory: going on with %d subwords per batch", self.batch_tokens)
        self.on_halving(self.batch_tokens)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of a device or of the machine."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        "DefaultCPUAllocator" in str(error)
    )
