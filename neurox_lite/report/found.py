"""Every result in a folder and the folders in it, whatever wrote them there."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path
from neurox_lite.errors import InputError
from neurox_lite.input_files import read_yaml
from neurox_lite.neurons import NeuronSpace
from neurox_lite.own_files import EMPTY, is_ours
from neurox_lite.probing.loading import INDEX, PROBE, load_probe
from neurox_lite.report.evaluations import evaluation, of_labels, require_numbers
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
from neurox_lite.report.result_files import result_files
from neurox_lite.saved_results import CLASS_OF, IN_FOLDERS, load_result, named
from neurox_lite.showing import short_repr

logger = logging.getLogger(__name__)

EVALUATION, CONTROL_TASK = "evaluation", "control task"
MINIMAL, SETS = "minimal set", "minimal sets"
OF_LABELS = "probes of labels"

OF_JOB_FILE: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "tag": str,
    "corpus": (str, dict),
    "probe": dict,
    "label_map": list,
    "words": dict,
    "models": list,
    "tags": list,
}
"""What the report reads of ``job.yaml``, as its types have to be."""


def _selectivity(path: Path) -> Any:
    numbers = ("task_accuracy", "control_accuracy")
    return require_numbers(CONTROL.load(path), *numbers)


def _minimal(path: Path) -> Any:
    return require_numbers(MINIMAL_SET.load(path), "delta", "full_accuracy")


def _minimal_sets(path: Path) -> Any:
    return [require_numbers(one, "delta", "full_accuracy") for one in REDUNDANCY.load(path)]


BY_NAME: dict[str, tuple[str, Callable[[Path], Any]]] = {
    Path(EVALUATION_FILE.name).name: (EVALUATION, evaluation),
    CONTROL.name: (CONTROL_TASK, _selectivity),
    MINIMAL_SET.name: (MINIMAL, _minimal),
    REDUNDANCY.name: (SETS, _minimal_sets),
    INDEX: (OF_LABELS, of_labels),
}
"""Files that do not say their kind, or whose numbers are checked: what it is, how they are read."""

ELSEWHERE = {"seed spread", "seeds.json"}
"""Kinds whose facts another file has, too."""

OF_COMPARISONS = {
    *("shared neurons", "layer profiles", "localisation", "localisations", "layer similarity"),
    "neuron twins",
}
"""Kinds that a job of several tags or models writes beside its jobs."""

OF_JOBS = {Path(each.name).name for each in JOB_FILES if each.name.endswith(".json")}
"""Files that are not empty, unless something went wrong."""

ARRAYS = ".safetensors"
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
        By path; of a job of several tags or models in the order in which it names these.
    jobs : dict of str to dict
        What ``job.yaml`` says, by the folder that it is in ("." for this one).
    damaged : tuple of str
        Files that are left out because they cannot be read, and why.
    """

    folder: Path
    results: tuple[Found, ...]
    jobs: dict[str, dict[str, Any]]
    damaged: tuple[str, ...] = ()

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
        """By the folder of a job: what its store says of itself, where it is there and whole."""
        return {h: said for h, said in self._stores.items() if isinstance(said, dict)}

    def label_of_store(self, label: str) -> str:
        """What tells a store from the others: nothing where all jobs have the same."""
        stores = list(self.stores.values())
        is_one = all(said == stores[0] for said in stores)
        return "" if is_one or not label else f"{label}: "

    @cached_property
    def no_stores(self) -> tuple[str, ...]:
        """Stores that are damaged, and how: all else can be told without them."""
        return tuple(dict.fromkeys(said for said in self._stores.values() if isinstance(said, str)))

    @cached_property
    def _stores(self) -> dict[str, dict[str, Any] | str]:
        found: dict[str, dict[str, Any] | str] = {}
        for home in self.homes:
            # A job of several has it once for its properties, in a folder above them.
            above = [up for up in (Path(home), *Path(home).parents) if up.as_posix() in self.jobs]
            paths = (self.folder / up / STORE.name for up in above)
            path = next((path for path in paths if path.is_file()), None)
            if path is None:
                if home not in self.jobs and (said := self._store_beside(home)):
                    found[home] = said
                continue
            try:
                with STORE.load(path) as store:
                    found[home] = {**store.metadata, "n_rows": store.n_rows}
            except InputError as error:
                logger.warning("%s", error)
                found[home] = _without(self.folder, error)
        return found

    def _store_beside(self, home: str) -> dict[str, Any] | None:
        """Of results of single commands: the only store beside them, if it is of their model."""
        spaces = (getattr(each.result, "space", None) for each in self.results if each.home == home)
        models = {space.model for space in spaces if isinstance(space, NeuronSpace)}
        paths = list((self.folder / home).glob("*.h5"))
        if len(paths) == 1:
            with suppress(InputError), STORE.load(paths[0]) as store:  # unless it is of others
                if models == {store.space.model}:
                    return {**store.metadata, "n_rows": store.n_rows}
        return None


def find_results(folder: str | Path, *, or_without: bool = False) -> FoundResults:
    """Read every result in a folder, at any depth.

    Links to folders are not followed, hidden folders are left out, and so are files that
    neurox_lite did not write.

    Parameters
    ----------
    folder : path
    or_without : bool
        Leave out what is damaged, with a warning, instead of raising.

    Raises
    ------
    InputError
        When there is no such folder, it has no result, or a result is damaged, which is named.
    """
    folder = as_path(folder, "folder")
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: cannot be read ({what}); give a folder of results")
    files = sorted(result_files(folder))
    damaged: list[str] = []

    def attempt(read: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return read(*arguments)
        except InputError as error:
            if not or_without:
                raise
            logger.warning("%s; the report is written without it", error)
            damaged.append(_without(folder, error))
            return None

    jobs = {
        path.parent.as_posix(): job
        for path in files
        if path.name == JOB and (job := attempt(_job, folder / path)) is not None
    }
    results = [found for path in files if (found := attempt(_read, folder, path, jobs)) is not None]
    if not results:
        raise InputError(
            f"{folder}: holds no results; give the folder of a job, or one with rankings, masks, "
            "ablations, attributions or descriptions (.json) that neurox_lite wrote"
        )
    places = _places(jobs)
    results.sort(key=lambda each: _in_order(each.path, places))
    return FoundResults(folder, tuple(results), jobs, tuple(damaged))


def _places(jobs: dict[str, dict[str, Any]]) -> dict[Path, str]:
    """Of the folders of models and tags the places of these in their job, as text."""
    places = {}
    for home, own in jobs.items():
        for above in Path(home).parents:
            job = jobs.get(above.as_posix(), {})
            keys = ("model", "tag") if job.get("models") else ("tag",)
            parts = Path(home).relative_to(above).parts
            if len(parts) != len(keys):
                continue
            folder = above
            for key, part in zip(keys, parts, strict=True):
                folder, named = folder / part, job.get(f"{key}s") or []
                if own.get(key) in named:
                    places[folder] = f"{named.index(own[key]):04}"
    return places


def _in_order(path: Path, places: dict[Path, str]) -> list[str]:
    """The parts of a path; those of models and tags as their places."""
    return [places.get(up, up.name) for up in reversed([path, *path.parents][:-1])]


def _without(folder: Path, error: InputError) -> str:
    """An error without the place of the folder, which is no concern of whoever reads a report."""
    return str(error).replace(f"{folder}/", "")


def _job(path: Path) -> dict[str, Any] | None:
    """A job, if it is one and has been run."""
    if not (path.parent / RECORD).is_file():
        return None
    job = read_yaml(path)
    if not (isinstance(job, dict) and {"corpus", "out"} <= set(job)):
        return None
    for name, kind in OF_JOB_FILE.items():
        value = job.get(name)
        if value is not None and not isinstance(value, kind):
            raise InputError(f"{path}: '{name}' cannot be {value!r}; take the file of the run")
    return job


def _read(folder: Path, path: Path, jobs: dict[str, Any]) -> Found | None:
    """The result that a file is, or is part of; None of all others."""
    file = folder / path
    kind, load = _known(file)
    if load is None:
        return None
    place = path.parent if kind in _OF_FOLDERS or path.name == PROBE else path
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
    with file.open("rb") as opened:
        head = opened.read(4096)
    if file.name == PROBE:
        is_empty = head.strip() in EMPTY  # a file of another, unless arrays stand beside it
        is_own = is_ours(file) and not (is_empty and not file.with_suffix(ARRAYS).is_file())
        return "probe", load_probe if is_own else None
    if not head and file.name in OF_JOBS:
        raise InputError(f"{file}: is empty; make it again")
    said = KIND.match(head)
    if said is None:
        kind, load = BY_NAME.get(file.name, ("", None))
        return kind, load if load and is_ours(file) else None
    kind = said[1].decode("utf-8", "replace")
    if kind == BY_NAME.get(file.name, ("",))[0]:
        return BY_NAME[file.name]
    if file.name in IN_FOLDERS and kind in _OF_FOLDERS:
        if file.name == "mask.json" and (file.parent / "fit.json").is_file():
            return kind, None
        return kind, named(IN_FOLDERS[file.name]).load
    if kind in CLASS_OF:
        return kind, load_result
    if kind not in ELSEWHERE and is_ours(file):
        logger.warning("%s: a result of an unknown kind ('%s') is left out", file, kind)
    return kind, None
