"""Processes that tests kill, limit or let compete, forked from one that has imported the package.

A new interpreter takes seconds to import torch; a process forked from the server takes none, and it
is as much a process of its own, without threads or open files of the tests.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
PRELOADED = ["neurox_lite.cli.main", "neurox_lite.pipeline.run", "neurox_lite.probing.solver"]


def server() -> ForkServerContext:
    """Make processes of this; it starts with the first of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with contextlib.chdir(ROOT):  # where it finds them, whatever the folder of the test is
        forkserver.ensure_running()
    return context


def start_command(
    arguments: Sequence[str],
    *,
    file_limit: int = resource.RLIM_INFINITY,
    settings: Mapping[str, object] | None = None,
) -> tuple[ForkServerProcess, IO[str]]:
    """Start the command ``neurox-lite``; its exit code is that of the process.

    Parameters
    ----------
    arguments : sequence of str
    file_limit : int
        Bytes that no file may exceed, as on a full disk.
    settings : mapping, optional
        Values for names in modules, as ``{"neurox_lite.extraction.job.SHARD_BYTES": 960}``.

    Returns
    -------
    process, stderr
        The latter to read from, while the process runs and after.
    """
    context = server()
    reading, writing = context.Pipe(duplex=False)
    given = (list(map(str, arguments)), writing, file_limit, settings or {})
    process = context.Process(target=_command, args=given)
    process.start()
    writing.close()
    stderr = os.fdopen(os.dup(reading.fileno()))
    reading.close()
    return process, stderr


def run_command(arguments: Sequence[str], **options) -> tuple[int, str]:
    """Exit code and what is on stderr; options of :func:`start_command`."""
    process, stderr = start_command(arguments, **options)
    with stderr:
        said = stderr.read()
    process.join()
    return process.exitcode, said


def _command(
    arguments: list[str], stderr: Connection, file_limit: int, settings: Mapping[str, object]
) -> None:
    from neurox_lite.cli.main import run

    for name, value in settings.items():
        module, _, constant = name.rpartition(".")
        setattr(sys.modules[module], constant, value)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    stderr.close()
    sys.argv[1:] = arguments
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
    run()
