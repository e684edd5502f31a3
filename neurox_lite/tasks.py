"""Independent calls, made in threads of this process or as tasks of a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler
from pickle import PicklingError
from queue import SimpleQueue
from typing import Any, TypeVar

import torch

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.threads import thread_map
from neurox_lite.version import __version__

ENGINES = ("local", "ray")

ATTEMPTS = 3
"""How often a task is tried whose worker dies."""

ADDRESS_SECONDS = 10
"""How long a cluster may take to answer."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Run = Callable[[Callable[[Item], Result], Iterable[Item]], Iterator[Result]]


def check_engine(engine: str) -> str:
    """The engine; raises InputError unless there is such an engine, and it is installed."""
    if engine not in ENGINES:
        raise unknown_choice("engine", engine, ENGINES)
    if engine == "ray":
        import_ray()
    return engine


@contextmanager
def task_map(engine: str, n_calls: int = 1) -> Iterator[Run]:
    """A ``map`` of independent calls; its results come in the order of the items.

    - local: ``n_calls`` at once in this process, which share its cores.
    - ray: every call is a task on a Ray cluster, of one core and, where the cluster has any, one
      GPU. Results do not depend on the number of workers. The function, with all it holds, is put
      into the cluster's memory once: one copy on each machine, whose arrays its workers read where
      they are, while each copies the tensors; a store goes as its path, and each worker opens it.
      What a task raises is raised here, and what it logs or warns of, too.

    Parameters
    ----------
    engine : {"local", "ray"}
    n_calls : int

    Raises
    ------
    InputError
        When there is no such engine, Ray is not installed, or as the function.
    UnfinishedError
        When the workers of one task die again and again.
    """
    check_engine(engine)
    if engine == "local":
        with thread_map(n_calls) as run:
            yield run
    else:
        with connected(engine):
            yield _map_on_ray


@contextmanager
def connected(engine: str) -> Iterator[None]:
    """With the engine "ray", stay connected to a cluster over several maps.

    It is the cluster that the process is connected to, or that ``RAY_ADDRESS`` names; otherwise one
    is started on this machine.
    """
    check_engine(engine)
    ray = import_ray() if engine == "ray" else None
    if ray is None or ray.is_initialized():
        yield
        return
    _check_address()
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except ConnectionError as error:  # something else answers there
        raise _no_cluster(error) from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_address() -> None:
    """Raise InputError where nothing answers at ``RAY_ADDRESS``; Ray would try for minutes."""
    address = os.environ.get("RAY_ADDRESS", "")
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():  # as "auto" and "local"
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ADDRESS_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(error) from None


def _no_cluster(error: Exception) -> InputError:
    reason = " ".join(str(error).split())
    address = os.environ.get("RAY_ADDRESS") or "not set"
    return InputError(
        f"RAY_ADDRESS is {address}, where no Ray cluster answers ({reason}); start it, or unset "
        "RAY_ADDRESS for one on this machine"
    )


def import_ray() -> Any:
    """The package, or InputError that says how to install it."""
    # Ray reports its use over the network unless told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise InputError(
            "the engine 'ray' needs Ray; install it with: pip install 'neurox-lite[ray]'"
        ) from None
    return ray


def _map_on_ray(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    ray = import_ray()
    try:
        shared = ray.put(function)
    except (TypeError, AttributeError, PicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"the engine 'ray' cannot send the function to other processes ({reason}); use the "
            "engine 'local'"
        ) from None
    n_gpus = 1 if ray.cluster_resources().get("GPU") else 0
    call = ray.remote(_call).options(num_cpus=1, num_gpus=n_gpus, max_retries=ATTEMPTS - 1)
    level = logging.getLogger("neurox_lite").getEffectiveLevel()
    waiting = deque(call.remote(__version__, level, shared, item) for item in items)
    try:
        while waiting:
            result, raised, warned, logged = _wait_for(ray, waiting[0])
            waiting.popleft()
            for record in logged:
                logging.getLogger(record.name).handle(record)
            for warning in warned:
                warnings.warn(warning, stacklevel=2)
            if raised is not None:
                raise raised
            yield result
    finally:
        if ray.is_initialized():  # else this would start a cluster
            for task in waiting:
                ray.cancel(task)


def _call(
    version: str, level: int, function: Callable[[Item], Result], item: Item
) -> tuple[Any, ...]:
    """What a task gives: its result or what it raised, its warnings, and what it logged.

    An error is given, not raised: Ray prints those of tasks that are not waited for any more.
    """
    torch.set_num_threads(1)
    logged: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler, logger = QueueHandler(logged), logging.getLogger("neurox_lite")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    result = error = None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if version != __version__:
                raise InputError(
                    f"a worker has neurox-lite {__version__}, this process {version}; install the "
                    "same on all machines"
                )
            result = function(item)
    except Exception as raised:
        raised.add_note("".join(traceback.format_exception(raised)))
        error = raised
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    records = [logged.get() for _ in range(logged.qsize())]
    return result, error, [warning.message for warning in caught], records


def _wait_for(ray: Any, task: Any) -> Any:
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        reason = " ".join(str(error).split())
        raise UnfinishedError(
            f"{ATTEMPTS} workers died over one task ({reason}); if their memory was short, give "
            "the cluster fewer cores"
        ) from None
