"""Several batches at once on a CPU, each on a core and a copy of the model of its own.

Cores that share one batch wait for one another at the end of every operation.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import torch

from neurox_lite.models.loading import LoadedModel

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 16
"""Batches at once: more would wait for the Python interpreter, and each takes memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_at_once(device: torch.device) -> int:
    """How many batches should run at the same time."""
    return min(torch.get_num_threads(), MAX_AT_ONCE) if device.type == "cpu" else 1


def replicas(loaded: LoadedModel) -> list[LoadedModel]:
    """The model, and on a CPU copies of it that share its weights, for the other cores.

    A copy has hooks and a state of its own, so that forward passes do not meet. A model that
    cannot be copied stays alone.
    """
    n_copies = n_at_once(loaded.model.device) - 1
    weights = {id(t): t for t in (*loaded.model.parameters(), *loaded.model.buffers())}
    try:
        copies = [copy.deepcopy(loaded.model, dict(weights)) for _ in range(n_copies)]
    except (RuntimeError, TypeError) as error:
        logger.info("%s: one batch at a time, as copying fails: %s", loaded.name, error)
        copies = []
    return [loaded, *(replace(loaded, model=model) for model in copies)]


@contextmanager
def mapping(
    n_calls: int,
) -> Iterator[Callable[[Callable[[Item], Result], Iterable[Item]], Iterator[Result]]]:
    """A ``map`` that makes several calls at once and shares the cores out among them."""
    if n_calls == 1:
        yield map
        return
    n_threads = torch.get_num_threads()
    per_call = max(1, n_threads // n_calls)
    try:
        with ThreadPoolExecutor(n_calls, "batch", torch.set_num_threads, (per_call,)) as pool:
            yield pool.map
    finally:
        # MKL has one number for all threads, which those of the pool have set.
        torch.set_num_threads(n_threads)
