"""Several calls at once, the cores shared out among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def thread_map(
    n_calls: int,
) -> Iterator[Callable[[Callable[[Item], Result], Iterable[Item]], Iterator[Result]]]:
    """A ``map`` that makes several calls at once and shares the cores out among them."""
    if n_calls == 1:
        yield map
        return
    n_threads = torch.get_num_threads()
    per_call = max(1, n_threads // n_calls)
    try:
        with ThreadPoolExecutor(n_calls, "neurox_lite", torch.set_num_threads, (per_call,)) as pool:
            try:
                yield pool.map
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        # The number that threads start with is one for the process; those of the pool have set it.
        torch.set_num_threads(n_threads)
