"""Every result in a folder and the folders in it, whatever wrote them there."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path
from neurox_lite.errors import InputError
from neurox_lite.input_files import read_yaml
from neurox_lite.json_files import read_json
from neurox_lite.own_files import is_ours
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.loading import INDEX, PROBE, load_probe
from neurox_lite.report.job_files import (
    CONTROL,
    JOB,
    JOB_FILES,
    MINIMAL_SET,
    RECORD,
    REDUNDANCY,
    STORE,
)
from neurox_lite.report.job_files import EVALUATION as EVALUATION_FILE
from neurox_lite.saved_results import CLASS_OF, IN_FOLDERS, load_result
from neurox_lite.showing import short_repr

logger = logging.getLogger(__name__)

EVALUATION, CONTROL_TASK = "evaluation", "control task"
MINIMAL, SETS = "minimal set", "minimal sets"
OF_LABELS = "probes of labels"

OF_ANY = ("n_train", "n_dev", "n_test", "nonzero_weights", "certificate")
OF_NUMBERS = (*OF_ANY, "train_r2", "dev_r2", "test_r2")
OF_CLASSES = (
    *(*OF_ANY, "train_accuracy", "dev_accuracy", "test_accuracy", "test_accuracy_interval"),
    *("majority_accuracy", "per_class"),
)
OF_LABEL = ("test_accuracy", "majority_accuracy", "nonzero_weights", "converged")


def _evaluation(path: Path) -> dict[str, Any] | None:
    """How good a probe is; None of probes of a label each, of which another file says more."""
    found = read_json(path)
    if isinstance(found.get("test_accuracy"), dict):
        return None
    _require(found, OF_NUMBERS if "test_r2" in found else OF_CLASSES)
    Certificate(**found["certificate"])
    return dict(found)


def _of_labels(path: Path) -> dict[str, Any]:
    found = read_json(path)
    for one in found.values():
        _require(one, OF_LABEL)
    return dict(found)


def _require(found: dict[str, Any], names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"'{missing[0]}' is missing")


BY_NAME: dict[str, tuple[str, Callable[[Path], Any]]] = {
    Path(EVALUATION_FILE.name).name: (EVALUATION, _evaluation),
    CONTROL.name: (CONTROL_TASK, CONTROL.load),
    MINIMAL_SET.name: (MINIMAL, MINIMAL_SET.load),
    REDUNDANCY.name: (SETS, REDUNDANCY.load),
    INDEX: (OF_LABELS, _of_labels),
}
"""Files that do not say their kind: what it is, and how they are read."""

ELSEWHERE = {"seed spread", "seeds.json"}
"""Kinds whose facts another file has, too."""

OF_COMPARISONS = {
    *("shared neurons", "layer profiles", "localisation", "localisations", "layer similarity"),
}
"""Kinds that a job of several tags or models writes beside its jobs."""

OF_JOBS = {Path(each.name).name for each in JOB_FILES if each.name.endswith(".json")}
"""Files that are not empty, unless something went wrong."""

KIND = re.compile(rb'\{\s*"kind": "([^"\n]*)"')


@dataclass(frozen=True)
class Found:
    """One result.

    Attributes
    ----------
    path : Path
        Of its file, or of its folder if it has arrays; relative to the folder that was searched.
    kind : str
        As its file says it, or of files that do not one of :data:`BY_NAME`.
    result : Any
        As it was saved.
    home : str
        Folder of the job that it belongs to, relative to the folder that was searched.
    """

    path: Path
    kind: str
    result: Any
    home: str

    __repr__ = short_repr

    @property
    def place(self) -> str:
        """Where it is within the folder of its job: "" if it lies there itself."""
        inside = self.path.relative_to(self.home)
        folder = inside if not inside.suffix else inside.parent
        return "" if str(folder) == "." else folder.as_posix()


@dataclass(frozen=True)
class FoundResults:
    """All results of a folder.

    Attributes
    ----------
    folder : Path
    results : tuple of Found
        By path.
    jobs : dict of str to dict
        What ``job.yaml`` says, by the folder that it is in ("." for this one).
    """

    folder: Path
    results: tuple[Found, ...]
    jobs: dict[str, dict[str, Any]]

    __repr__ = short_repr

    def of(self, kind: str, home: str | None = None) -> list[Found]:
        """Those of a kind, of all jobs or of one."""
        return [
            each
            for each in self.results
            if each.kind == kind and (home is None or each.home == home)
        ]

    def one(self, kind: str, home: str) -> Any | None:
        """The result of a job that lies highest in its folder; None where there is none."""
        found = sorted(self.of(kind, home), key=lambda each: (len(each.path.parts), each.path))
        return found[0].result if found else None

    @cached_property
    def homes(self) -> tuple[str, ...]:
        """Folders of jobs that have results of their own, not of a comparison only."""
        with_results = dict.fromkeys(each.home for each in self.results)
        own = {each.home for each in self.results if each.kind not in OF_COMPARISONS}
        single = tuple(h for h in with_results if h in own or not self.is_several(h))
        return single or tuple(with_results)

    def is_several(self, home: str) -> bool:
        """Whether it is the folder of a job of several tags or models."""
        job = self.jobs.get(home, {})
        return bool(job.get("tags") or job.get("models"))

    @cached_property
    def stores(self) -> dict[str, Any]:
        """By the folder of a job: what its store says of itself, where it is there."""
        found = {}
        for home in self.homes:
            path = self.folder / home / STORE.name
            if home in self.jobs and path.is_file():
                with STORE.load(path) as store:
                    found[home] = {**store.metadata, "n_rows": store.n_rows}
        return found


def find_results(folder: str | Path) -> FoundResults:
    """Read every result in a folder, at any depth.

    Links to folders are not followed, hidden folders are left out, and so are files that
    neurox_lite did not write.

    Raises
    ------
    InputError
        When there is no such folder, it has no result, or a result is damaged, which is named.
    """
    folder = as_path(folder, "folder")
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: cannot be read ({what}); give a folder of results")
    files = sorted(_files(folder))
    jobs = {
        path.parent.as_posix(): job
        for path in files
        if path.name == JOB and (job := _job(folder / path)) is not None
    }
    results = [found for path in files if (found := _read(folder, path, jobs)) is not None]
    if not results:
        raise InputError(
            f"{folder}: holds no results; give the folder of a job, or one with rankings, masks, "
            "ablations, attributions or descriptions (.json) that neurox_lite wrote"
        )
    return FoundResults(folder, tuple(results), jobs)


def _files(folder: Path) -> Iterator[Path]:
    """Paths of what may be results, relative to the folder."""
    for place, folders, names in os.walk(folder):
        # Probes of a label each: what they are like is in one file above them.
        of_labels = re.compile(r"\d{3}" if INDEX in names else "$")
        folders[:] = [f for f in folders if not (f.startswith(".") or of_labels.fullmatch(f))]
        for name in names:
            path = Path(place, name)
            if (path.suffix == ".json" or name == JOB) and path.is_file():
                yield path.relative_to(folder)


def _job(path: Path) -> dict[str, Any] | None:
    """A job, if it is one and has been run."""
    if not (path.parent / RECORD).is_file():
        return None
    job = read_yaml(path)
    return job if isinstance(job, dict) and {"corpus", "out"} <= set(job) else None


def _read(folder: Path, path: Path, jobs: dict[str, Any]) -> Found | None:
    """The result that a file is, or is part of; None of all others."""
    file = folder / path
    kind, load = _known(file)
    if load is None:
        return None
    place = path.parent if kind in _OF_FOLDERS else path
    try:
        result = load(folder / place)
    except InputError as error:
        if str(folder) in str(error):
            raise
        raise InputError(f"{file}: {error}") from None
    except (OSError, ArithmeticError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{file}: cannot be read ({error}); make it again") from None
    if result is None:
        return None
    home = next((up.as_posix() for up in path.parents if up.as_posix() in jobs), ".")
    return Found(place, kind, result, home)


_OF_FOLDERS = {"exemplars", "mask fit", "neuron mask", "token mask", "probe"}


def _known(file: Path) -> tuple[str, Callable[[Path], Any] | None]:
    """The kind of a file, and what reads it; None of what is left alone."""
    if file.name == PROBE:
        return "probe", load_probe if is_ours(file) else None
    with file.open("rb") as opened:
        head = opened.read(4096)
    if not head and file.name in OF_JOBS:
        raise InputError(f"{file}: is empty; make it again")
    said = KIND.match(head)
    if said is None:
        kind, load = BY_NAME.get(file.name, ("", None))
        return kind, load if load and is_ours(file) else None
    kind = said[1].decode("utf-8", "replace")
    if file.name in IN_FOLDERS:
        if file.name == "mask.json" and (file.parent / "fit.json").is_file():
            return kind, None
        return kind, _class(IN_FOLDERS[file.name]).load
    if kind in CLASS_OF:
        return kind, load_result
    if kind not in ELSEWHERE and is_ours(file):
        logger.warning("%s: a result of an unknown kind ('%s') is left out", file, kind)
    return kind, None


def _class(name: str) -> Any:
    module, own = name.rsplit(".", 1)
    return getattr(import_module(f"neurox_lite.{module}"), own)
