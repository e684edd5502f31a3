"""Whether neurox_lite works here, and what to do where it does not."""

from __future__ import annotations

import os
import platform
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from neurox_lite.diagnosis import machine, packages
from neurox_lite.diagnosis.trials import TRIALS
from neurox_lite.progress import tqdm
from neurox_lite.version import __version__


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found; nothing in it names the user, the machine or a folder.

    Parameters
    ----------
    facts : dict
        Versions, extras, device, memory, room on disk and what was tried, by what they are about.
    problems : tuple of str
        What is wrong, each with what to do; empty when nothing is.
    """

    facts: dict[str, Any]
    problems: tuple[str, ...]

    def __repr__(self) -> str:
        lines = [f"{name}: {value}" for name, value in self.facts.items()]
        return "\n".join([*lines, *(self.problems or ["no problems"])])


def diagnose() -> Diagnosis:
    """Look at the installation and the machine, and try the smallest of what the package does.

    A forward pass of the embedded model into a store, which is read again; a probe; a figure.
    Nothing is sent anywhere, and nothing is left on the disk.

    Returns
    -------
    Diagnosis
    """
    problems: list[str] = []
    facts: dict[str, Any] = {
        "neurox_lite": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    looks: dict[str, Callable[[list[str]], Any]] = {
        "packages": _packages,
        "extras": _extras,
        "files": _files,
        "device": lambda _: machine.device(),
        "memory": _memory,
        "disk": _disk,
        "hub": _hub,
        **{name: partial(_try, try_it) for name, try_it in TRIALS.items()},
    }
    for name, look in tqdm(looks.items(), desc="doctor", leave=False, disable=None):
        try:
            facts[name] = look(problems)
        except Exception as error:  # whatever it is, it is what the user wants to know
            facts[name] = "fails"
            problems.append(
                f"{name}: {_said(error)}; install neurox-lite in a new environment, and report it "
                "if that does not help"
            )
    return Diagnosis(facts, tuple(problems))


def _packages(problems: list[str]) -> dict[str, str]:
    required = packages.requirements()[""]
    problems += filter(None, map(packages.unfit, required))
    return {each.name: packages.installed(each.name) or "not installed" for each in required}


def _extras(problems: list[str]) -> dict[str, str]:
    found = {}
    for extra, required in packages.requirements().items():
        if not extra:
            continue
        present = [each for each in required if packages.installed(each.name)]
        problems += filter(None, map(packages.unfit, present))
        purpose = packages.PURPOSES[extra]
        if len(present) == len(required):
            versions = " ".join(packages.installed(each.name) or "" for each in required[:1])
            found[extra] = f"{versions} ({purpose})"
        else:
            found[extra] = f"not installed ({purpose}: pip install 'neurox-lite[{extra}]')"
    return found


def _files(problems: list[str]) -> str:
    n_files, damaged = packages.damaged_files()
    if damaged:
        problems.append(
            f"{len(damaged)} of {n_files} files of the package are missing or changed, such as "
            f"{damaged[0]}; pip install --force-reinstall --no-deps neurox-lite"
        )
    return f"{n_files} compared" if n_files else "not compared (no installed wheel)"


def _memory(problems: list[str]) -> dict[str, str]:
    found = machine.memory()
    if found and found["available"] < machine.LITTLE_MEMORY:
        problems.append(
            f"{_gb(found['available'])} of memory are available; close other programs before a "
            "large model is loaded"
        )
    return {name: _gb(size) for name, size in found.items()}


def _disk(problems: list[str]) -> dict[str, str]:
    advice = {
        "cache of models": "set HF_HOME to a folder you may write to that has room",
        "temporary files": "set TMPDIR to a folder you may write to that has room",
        "this folder": "write results to a folder you may write to that has room",
    }
    found = {}
    for name, folder in machine.folders().items():
        try:
            free = machine.room(folder)
        except OSError as error:
            found[name] = "cannot be written"
            problems.append(f"{name}: cannot be written ({error.strerror}); {advice[name]}")
            continue
        found[name] = f"{_gb(free)} free"
        if free < machine.LITTLE_ROOM:
            problems.append(f"{name}: {_gb(free)} are free; {advice[name]}")
    return found


def _hub(problems: list[str]) -> str:
    if machine.is_offline():
        return "offline (HF_HUB_OFFLINE): models from folders and the cache only"
    return "models may be fetched (HF_HUB_OFFLINE=1 forbids it)"


def _try(try_it: Callable[[Path], str], problems: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return try_it(Path(folder))


def _said(error: Exception) -> str:
    """An error in one line, without the folders that are in it."""
    line = " ".join(f"{type(error).__name__}: {error}".replace("\\n", " ").split())
    for folder in (Path.home(), Path.cwd(), Path(tempfile.gettempdir())):
        line = line.replace(f"{folder}{os.sep}", os.sep)  # they may have spaces in their names
    separator = re.escape(os.sep)
    return re.sub(rf"(?<!\w){separator}[^\s'\":;,]*{separator}", "", line)[:300]


def _gb(size: float) -> str:
    return f"{size / machine.GB:.1f} GB"
