"""What a bake-off found: the rankings of all methods, and how they compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.output_formats import check_formats
from neurox_lite.outputs import replacing_in, results_named
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.agreement import AgreementMatrix
from neurox_lite.results.method_table import MethodTable
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    import pandas

NAMES = (
    *results_named("methods", "agreement", "ablation"),
    "rankings/[0-9][0-9]-*.json",
)


@dataclass(frozen=True)
class BakeOff:
    """Rankings of the same neurons by many methods, compared.

    Attributes
    ----------
    rankings : tuple of NeuronRanking
    table : MethodTable
        Keep-top and remove-top areas, stability and seconds of every method.
    agreement : AgreementMatrix
    curves : AblationCurves
        The curves behind the areas.
    converged : bool
        False when a probe behind any of it did not converge.
    """

    rankings: tuple[NeuronRanking, ...]
    table: MethodTable
    agreement: AgreementMatrix
    curves: AblationCurves
    converged: bool

    __repr__ = short_repr

    def __str__(self) -> str:
        facts = {"rankings": len(self.rankings), "converged": self.converged}
        return summary("BakeOff", facts, str(self.table).splitlines()[1:])

    def to_pandas(self) -> pandas.DataFrame:
        """One row per method: the table of methods."""
        return self.table.to_pandas()

    def save(
        self,
        folder: str | Path,
        *,
        figure_format: str = "png",
        table_format: str | None = None,
        title: str | None = None,
    ) -> None:
        """Write rankings, table, agreement and curves as JSON, and their figures.

        Rankings have numbers in front of their names and replace all that are there.

        Parameters
        ----------
        folder : path
        figure_format : {"png", "pdf", "svg"}
        table_format : {"csv", "latex"}, optional
            To write the others than rankings as tables, too.
        title : str, optional
            Of the figures.
        """
        from neurox_lite.plotting.saving import save_result

        check_formats(figure_format, table_format)
        parts = {"methods": self.table, "agreement": self.agreement, "ablation": self.curves}

        with replacing_in(folder, NAMES) as new:
            for number, ranking in enumerate(self.rankings, start=1):
                ranking.save(new / ranking_name(number, ranking))
            for name, part in parts.items():
                save_result(
                    part,
                    new / f"{name}.json",
                    figure_format=figure_format,
                    table_format=table_format,
                    title=title,
                )


def ranking_name(number: int, ranking: NeuronRanking) -> str:
    """Where in its folder a bake-off keeps a ranking, the first of which is number 1."""
    name = re.sub(r"[^\w-]+", "-", ranking.method)
    return f"rankings/{number:02d}-{name}.json"
