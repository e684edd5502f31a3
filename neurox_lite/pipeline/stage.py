"""One step of a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.workspace import Workspace


@dataclass(frozen=True)
class Stage:
    """One step.

    Attributes
    ----------
    name : str
    after : tuple of str
        Stages whose results it uses.
    files : tuple of str
        What it writes into the folder of results.
    sometimes : tuple of str
        What it writes there for some jobs only, such as figures of a format.
    inputs : function
        JSON-ready content it depends on beside the stages before it.
    run : function
    is_wanted : function of a Job
        Whether the job has this stage.
    """

    name: str
    after: tuple[str, ...]
    files: tuple[str, ...]
    inputs: Callable[[Workspace], Any]
    run: Callable[[Workspace], None]
    sometimes: tuple[str, ...] = ()
    is_wanted: Callable[[Job], bool] = lambda job: True
