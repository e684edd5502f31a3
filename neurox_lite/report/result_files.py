"""Which files of a folder may be results, and which of them its own job did not write."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.json_files import read_json
from neurox_lite.probing.loading import INDEX
from neurox_lite.report.job_files import JOB, RECORD


def result_files(folder: Path) -> Iterator[Path]:
    """Paths of what may be results, relative to the folder; see :func:`find_results`."""
    for place, folders, names in os.walk(folder):
        # Probes of a label each: what they are like is in one file above them.
        of_labels = re.compile(r"\d{3}" if INDEX in names else "$")
        folders[:] = [f for f in folders if not (f.startswith(".") or of_labels.fullmatch(f))]
        for name in names:
            path = Path(place, name)
            if (path.suffix == ".json" or name == JOB) and path.is_file():
                yield path.relative_to(folder)


def other_files(folder: Path, jobs: tuple[str, ...] = ()) -> list[list[Any]]:
    """Name, size and time of what was put into a folder of results beside what its runs wrote.

    Parameters
    ----------
    folder : Path
    jobs : tuple of str
        Folders in it of jobs that are part of its own.
    """
    own = set()
    for job in (".", *jobs):
        own |= {Path(job, name) for name in (RECORD, JOB, *_recorded(folder / job))}
    found = []
    for path in sorted(set(result_files(folder)) - own):
        state = (folder / path).stat()
        found.append([path.as_posix(), state.st_size, state.st_mtime_ns])
    return found


def _recorded(folder: Path) -> Iterator[str]:
    try:
        record = read_json(folder / RECORD)
    except InputError:  # a damaged one is as good as none
        return
    for entry in record.values() if isinstance(record, dict) else ():
        files = entry.get("files") if isinstance(entry, dict) else None
        yield from files if isinstance(files, dict) else ()
