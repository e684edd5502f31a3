"""One step of a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from neurox_lite.report.job_files import JOB_FILES

Work = TypeVar("Work")
"""What a stage is given: of a job of one tag and one model its Workspace."""


@dataclass(frozen=True)
class Stage(Generic[Work]):
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
    always : tuple of str
        What it always writes, beside the files that :data:`JOB_FILES` has for it.
    """

    name: str
    after: tuple[str, ...]
    inputs: Callable[[Work], Any]
    run: Callable[[Work], None]
    sometimes: tuple[str, ...] = ()
    is_wanted: Callable[[Work], bool] = lambda work: True
    always: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """What it always writes into the folder of results."""
        own = [file for file in JOB_FILES if file.stage == self.name]
        return (*self.always, *(name for file in own for name in (file.name, *file.others)))
