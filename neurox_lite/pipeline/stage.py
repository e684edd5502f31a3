"""One step of a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neurox_lite.pipeline.workspace import Workspace
from neurox_lite.report.job_files import JOB_FILES


@dataclass(frozen=True)
class Stage:
    """One step.

    Attributes
    ----------
    name : str
    after : tuple of str
        Stages whose results it uses.
    sometimes : tuple of str
        What it writes into the folder of results for some jobs only, such as figures of a format.
    inputs : function
        JSON-ready content it depends on beside the stages before it.
    run : function
    is_wanted : function
        Whether the job has this stage.
    """

    name: str
    after: tuple[str, ...]
    inputs: Callable[[Workspace], Any]
    run: Callable[[Workspace], None]
    sometimes: tuple[str, ...] = ()
    is_wanted: Callable[[Workspace], bool] = lambda work: True

    @property
    def files(self) -> tuple[str, ...]:
        """What it always writes into the folder of results."""
        own = [file for file in JOB_FILES if file.stage == self.name]
        return tuple(name for file in own for name in (file.name, *file.others))
