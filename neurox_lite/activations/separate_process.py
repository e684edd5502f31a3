"""Looking at a file in a process of its own: on a damaged one, HDF5 itself can hang or crash."""

from __future__ import annotations

import importlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from neurox_lite.activations.checksums import DamagedError
from neurox_lite.errors import InputError

SILENT_SECONDS = 30.0
"""How long the other process may say nothing."""

MAIN = "from neurox_lite.activations.separate_process import main; main()"


def in_separate_process(
    look: Callable[[str], Iterator[dict[str, Any]]], path: Path
) -> Iterator[dict[str, Any]]:
    """What ``look(path)`` yields, from another process.

    Parameters
    ----------
    look : function
        Of a module of this package; yields what JSON can say, often.
    path : path

    Raises
    ------
    InputError
        Those that ``look`` raises.
    DamagedError
        Also when the process crashes or is silent for too long.
    """
    command = [sys.executable, "-c", MAIN, look.__module__, look.__qualname__, str(path)]
    known = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": known},
    )
    assert process.stdout is not None
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    at = "its beginning"
    try:
        while line := lines.get(timeout=SILENT_SECONDS):
            event = json.loads(line)
            if "done" in event:
                return
            if "raised" in event:
                kind = DamagedError if event["raised"] == DamagedError.__name__ else InputError
                raise kind(event["message"])
            at = event.get("at", at)
            yield event
        problem = "crashes"
    except queue.Empty:
        problem = "gives no answer"
    finally:
        process.kill()
        process.wait()
    raise DamagedError(
        f"{path}: damaged: HDF5 {problem} when it reads {at}; put back a copy or make it again"
    )


def _pass_on(pipe: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(b"")


def main() -> None:
    """The other process."""
    module, name, path = sys.argv[1:]
    look = getattr(importlib.import_module(module), name)
    try:
        for event in look(path):
            _say(event)
        _say({"done": True})
    except InputError as error:
        _say({"raised": type(error).__name__, "message": str(error)})


def _say(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)
