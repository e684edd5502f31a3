"""neurox-lite doctor: does neurox_lite work here, and if not, what is to be done?"""

from __future__ import annotations

from dataclasses import dataclass

import typer

from neurox_lite.cli.options import Debug, Json
from neurox_lite.cli.output import EXIT_INCONCLUSIVE, quiet_transformers, show
from neurox_lite.escaping import terminal


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Look at the installation and the machine, and try a model, a store and a probe in small.

    Nothing is sent anywhere. What is printed names no user and no folder: paste it into an issue.

    Example: neurox-lite doctor
    """

    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.diagnosis.diagnose import diagnose

        quiet_transformers()
        found = diagnose()
        problems = list(found.problems)
        count = problems if self.as_json else len(problems) or "none"
        show({**found.facts, "problems": count}, self.as_json)
        if not self.as_json:
            for problem in problems:
                typer.echo(terminal(problem))
        if problems:
            raise typer.Exit(EXIT_INCONCLUSIVE)
