"""neurox-lite steer: how many neurons turn what a model predicts, and what else that changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.options import Debug, FigureOptions, Json, Seed
from neurox_lite.cli.output import EXIT_INCONCLUSIVE, quiet_transformers, show, skipped_lines
from neurox_lite.cli.output_claims import claim_folder
from neurox_lite.cli.pair_options import PairOptions, chosen_pairs, shown_task
from neurox_lite.cli.parsing import integers, numbers, position
from neurox_lite.cli.unit_options import Units, asks_for_heads, in_units_of_model
from neurox_lite.outputs import atomic_write_folder, result_names

if TYPE_CHECKING:
    from neurox_lite.corpora.minimal_pairs import MinimalPairs
    from neurox_lite.interventions.steering_curves import SteeringCurves


@dataclass(frozen=True, kw_only=True)
class Steer:
    """Move the top neurons of a ranking to another class, and see whether the model follows.

    Exits with 3 when the intact model is right on the pairs no more often than chance.

    Example: neurox-lite steer --model lstm-0 --pairs pairs.tsv --ranking ranking.json --condition
    singular --target plural --out steering
    """

    context: typer.Context
    pairs: PairOptions
    ranking: Annotated[
        list[str],
        typer.Option("--ranking", help="A ranking of this model; give several to compare."),
    ]
    condition: Annotated[
        str,
        typer.Option(
            "--condition", help="Turn pairs whose condition starts with this, such as singular."
        ),
    ]
    target_pairs: Annotated[
        str,
        typer.Option("--target", help="To those whose condition starts with this, such as plural."),
    ]
    out: Annotated[str, typer.Option("--out", help="Folder for steering.json, .csv and .png.")]
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            help="set (to the mean of the target class) or add (the difference of means).",
        ),
    ] = "set"
    strength: Annotated[
        float | None,
        typer.Option(
            "--strength",
            help="For add: by how many differences the first neuron moves; by default 8, "
            "falling to 0.001 for the last.",
        ),
    ] = None
    shares: Annotated[
        str | None,
        typer.Option(
            "--shares",
            help="Shares of all neurons; by default 0.005,0.01,0.02,0.05,0.1,0.2,0.5,1.",
        ),
    ] = None
    counts: Annotated[
        str | None,
        typer.Option("--counts", help="Numbers of neurons, such as 1,2,5, instead of --shares."),
    ] = None
    text: Annotated[
        str | None,
        typer.Option(
            "--text", help="Other sentences, one per line, on which to measure side effects."
        ),
    ] = None
    units: Units = "neurons"
    n_random: Annotated[int, typer.Option("--n-random", help="Random sets per count.")] = 5
    figures: FigureOptions
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the curves.")] = False
    seed: Seed = 0
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.figures import title_of

        self.figures.check()
        names, given = result_names("steering"), self.pairs
        inputs = (given.model, given.pairs, self.ranking, self.text)
        claim_folder(self.context, self.out, names, self.overwrite, *inputs)
        quiet_transformers()
        every = given.read()
        curves = self._steer(every)
        title = title_of(f"{self.condition} to {self.target_pairs}", given.model, given.pairs)
        with atomic_write_folder(self.out, names) as new:
            curves.save(new / "steering.csv")
            self.figures.save(curves, new / "steering.json", title)
        show({"curves": self.out, **_summary(curves), **skipped_lines(every)}, self.as_json)
        task = curves.curves[0].task
        if task is not None and not task.holds:
            raise typer.Exit(EXIT_INCONCLUSIVE)

    def _steer(self, every: MinimalPairs) -> SteeringCurves:
        from neurox_lite.corpora.text_files import read_lines
        from neurox_lite.interventions.steering import steer
        from neurox_lite.models.loading import load_model
        from neurox_lite.results.rankings import load_rankings

        model: Any = self.pairs.model
        rankings = load_rankings(self.ranking)
        if asks_for_heads(self.units):
            model = load_model(model, head="language")
            rankings = in_units_of_model(rankings, model, self.units)
        return steer(
            rankings,
            model,
            chosen_pairs(every, self.condition, self.pairs.template),
            chosen_pairs(every, self.target_pairs, self.pairs.template),
            mode=self.mode,
            strength=self.strength,
            positions=position(self.pairs.positions),
            shares=None if self.shares is None else numbers(self.shares),
            counts=integers(self.counts),
            texts=None if self.text is None else read_lines(self.text),
            include_incorrect=self.pairs.include_incorrect,
            n_random=self.n_random,
            seed=self.seed,
        )


def _summary(curves: SteeringCurves) -> dict[str, Any]:
    first = curves.curves[0]
    shown: dict[str, Any] = {
        "pairs": first.n_pairs,
        "left out as wrong": first.n_left_out,
        **shown_task(first.task),
    }
    for curve in curves.curves:
        shown[f"turned by {curve.method}"] = _by_count(curve.counts, curve.success.top)
    shown["turned by random"] = _by_count(first.counts, first.success.random_mean)
    for curve in curves.curves:
        if curve.kl is not None:
            shown[f"KL of {curve.method}"] = _by_count(curve.counts, curve.kl.top)
    return shown


def _by_count(counts: tuple[int, ...], values: tuple[float, ...]) -> dict[str, float]:
    return {str(k): round(value, 6) for k, value in zip(counts, values, strict=True)}
