"""neurox-lite mask: the fewest neurons that decide between the words of minimal pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.choices import did_you_mean
from neurox_lite.cli.options import Debug, Json, Layers, Seed, TableFormat
from neurox_lite.cli.output import EXIT_INCONCLUSIVE, quiet_transformers, show, skipped_lines
from neurox_lite.cli.output_claims import claim_folder
from neurox_lite.cli.pair_options import Condition, PairOptions, chosen_pairs
from neurox_lite.cli.parsing import layers_of, position
from neurox_lite.cli.unit_options import Units, asks_for_heads
from neurox_lite.errors import InputError
from neurox_lite.output_formats import TABLE_FORMATS, check_formats
from neurox_lite.outputs import atomic_write_folder

if TYPE_CHECKING:
    from neurox_lite.corpora.minimal_pairs import MinimalPair
    from neurox_lite.interventions.side_effects import SideEffects
    from neurox_lite.masking.seed_spread import SeedSpread
    from neurox_lite.models.loading import LoadedModel
    from neurox_lite.results.ranking import NeuronRanking


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Find the smallest set of neurons whose replacement turns what a model predicts.

    Give pairs that are to be turned the same way, such as --condition singular. Exits with 3 when
    no set reaches the effect on all training pairs or the one found surely does not on those held
    out (infeasible), the search had not settled, or the intact model is right on the pairs no more
    often than chance (compared with those of the files that turn the other way).

    Side effects are measured where these pairs make no choice, on all other pairs of the files and
    on --text, and compared with random neurons; side_effects.json has them in full.

    Example: neurox-lite mask --model lstm-0 --pairs pairs.tsv --condition singular --out mask
    """

    context: typer.Context
    pairs: PairOptions
    out: Annotated[
        str, typer.Option("--out", help="Folder for the mask, its ranking and its effects.")
    ]
    condition: Condition = None
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            help="By default that of a ranking or of --units heads, otherwise lstm_cell for LSTMs "
            "and hidden_states for others.",
        ),
    ] = None
    layers: Layers = None
    units: Units = "neurons"
    objective: Annotated[
        str, typer.Option("--objective", help="flip (replace few) or sufficiency (keep few).")
    ] = "flip"
    alpha: Annotated[
        float | None,
        typer.Option(
            "--alpha",
            help="Mean effect to reach, in nats; by default half as sure of the wrong word as "
            "the model is of the right one, for sufficiency a KL divergence of 0.1 (-0.1).",
        ),
    ] = None
    success: Annotated[
        float | None,
        typer.Option(
            "--success",
            help="Share of the pairs that are to turn, such as 0.95, in place of a mean effect; "
            "for sufficiency the share that is to reach --alpha.",
        ),
    ] = None
    bounds_from: Annotated[
        bool,
        typer.Option(
            "--bounds-from-data", help="Keep replacements in the range seen on all pairs given."
        ),
    ] = False
    held_out: Annotated[
        float, typer.Option("--held-out", help="Share of the pairs held out to score the mask on.")
    ] = 0.25
    n_steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps of a search; by default 300.")
    ] = None
    n_seeds: Annotated[
        int,
        typer.Option(
            "--seeds", min=1, help="Number of searches, from --seed on; the best is kept."
        ),
    ] = 1
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="How neurons are found: differentiable-mask, reinforce, or by the shortest top of "
            "integrated-gradients, activation-difference, single-replacement, random or a ranking "
            "from 'rank' (a file) that reaches the effect.",
        ),
    ] = "differentiable-mask"
    target_pairs: Annotated[
        str | None,
        typer.Option(
            "--target",
            help="The condition to turn to, such as plural; for integrated-gradients and "
            "activation-difference.",
        ),
    ] = None
    path: Annotated[
        bool,
        typer.Option(
            "--path",
            help="Rank neurons by how early they enter as more effect is asked for, which takes "
            "600 more steps; otherwise by the mask found.",
        ),
    ] = False
    text: Annotated[
        str | None,
        typer.Option(
            "--text", help="Also measure side effects on unrelated text, one sentence per line."
        ),
    ] = None
    table_format: TableFormat = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the mask.")] = False
    seed: Seed = 0
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.corpora.text_files import read_lines
        from neurox_lite.interventions.metrics import perplexity
        from neurox_lite.masking.neuron_mask import rank_by_neuron_mask
        from neurox_lite.masking.seed_spread import NAMES
        from neurox_lite.models.loading import load_model

        check_formats("png", self.table_format)
        inputs = (self.pairs.model, self.pairs.pairs, self.text, self.method)
        claim_folder(self.context, self.out, NAMES, self.overwrite, *inputs)
        quiet_transformers()
        every = self.pairs.read()
        chosen = chosen_pairs(every, self.condition, self.pairs.template)
        self._check()
        texts = None if self.text is None else read_lines(self.text)
        loaded = load_model(self.pairs.model, head="language")
        if texts is not None:
            perplexity(loaded, texts)  # refuses texts now, not after the search
        options = self._options(loaded, every)
        spread = self._fit(loaded, every, chosen, options)
        ranking = None
        if self.path:
            ranking = rank_by_neuron_mask(loaded, chosen, **options, seed=self.seed)
        found = self._side_effects(loaded, every, chosen, spread, texts)
        self._save(spread, ranking, found)
        show(
            {"mask": self.out, **spread.summary(), **_shown(found), **skipped_lines(every)},
            self.as_json,
        )
        if not spread.best.holds:
            raise typer.Exit(EXIT_INCONCLUSIVE)

    def _check(self) -> None:
        """Refuse a method that is unknown, and options that do not go with it."""
        from neurox_lite.masking.mask_methods import METHODS, SEARCHES, TO_TARGET

        asks_for_heads(self.units)
        method = self.method
        if self.path and method != "differentiable-mask":
            raise InputError("--path is of --method differentiable-mask; leave one of them out")
        if self.n_steps is not None and method not in SEARCHES:
            searches = " and ".join(SEARCHES)
            raise InputError(f"--steps is of --method {searches}; leave one of them out")
        if method not in METHODS and not self._is_ranking:
            raise InputError(
                f"--method {method}: use {', '.join(METHODS)}, or a ranking from 'rank' (.json)"
                f"{did_you_mean(method, METHODS)}"
            )
        if self.target_pairs is None and method in TO_TARGET:
            raise InputError(
                f"--method {method} needs --target, the condition that the pairs are to be turned "
                "to"
            )
        if self.target_pairs is not None and method not in TO_TARGET:
            raise InputError(f"--target is of --method {' and '.join(TO_TARGET)}; leave it out")

    @property
    def _is_ranking(self) -> bool:
        return self.method.endswith((".json", ".csv"))

    def _options(self, loaded: LoadedModel, every: list[MinimalPair]) -> Any:
        """Which neurons may be replaced, and what is asked of pairs."""
        from neurox_lite.interventions.pair_inputs import usable

        return {
            "site": self.site,
            "layers": layers_of(self.layers),
            "positions": position(self.pairs.positions),
            "objective": self.objective,
            "bounds_from": usable(loaded, every) if self.bounds_from else None,
            "include_incorrect": self.pairs.include_incorrect,
            "others": every,
            "units": self.units,
        }

    def _fit(
        self, loaded: LoadedModel, every: list[MinimalPair], chosen: list[MinimalPair], options: Any
    ) -> SeedSpread:
        from neurox_lite.masking.fitting import N_STEPS
        from neurox_lite.masking.mask_methods import fit_neuron_masks
        from neurox_lite.results.ranking import NeuronRanking

        target = None
        if self.target_pairs is not None:
            target = chosen_pairs(every, self.target_pairs, self.pairs.template)
        return fit_neuron_masks(
            loaded,
            chosen,
            method=NeuronRanking.load(self.method) if self._is_ranking else self.method,
            target_pairs=target,
            alpha=self.alpha,
            success=self.success,
            held_out=self.held_out,
            n_steps=N_STEPS if self.n_steps is None else self.n_steps,
            n_seeds=self.n_seeds,
            seed=self.seed,
            **options,
        )

    def _side_effects(
        self,
        loaded: LoadedModel,
        every: list[MinimalPair],
        chosen: list[MinimalPair],
        spread: SeedSpread,
        texts: list[str] | None,
    ) -> SideEffects:
        from neurox_lite.corpora.minimal_pairs import by_condition
        from neurox_lite.interventions.pair_inputs import other_pairs
        from neurox_lite.interventions.side_effects import side_effects

        place = position(self.pairs.positions)
        return side_effects(
            loaded,
            spread.best.mask,
            pairs=chosen,
            positions=place,
            texts=texts,
            tasks=by_condition(other_pairs(loaded, every, chosen, place)),
            seed=self.seed,
        )

    def _save(self, spread: SeedSpread, ranking: NeuronRanking | None, found: SideEffects) -> None:
        from neurox_lite.figures import save_result, title_of
        from neurox_lite.masking.seed_spread import NAMES
        from neurox_lite.results.tables import write_table

        title = title_of(self.condition, self.pairs.model, self.pairs.pairs)
        with atomic_write_folder(self.out, NAMES) as new:
            spread.save(new)
            if ranking is not None:
                ranking.save(new / "ranking.json")
            path = new / "side_effects.json"
            save_result(found, path, table_format=self.table_format, title=title)
            if self.table_format is not None:
                suffix = TABLE_FORMATS[self.table_format]
                write_table(new / f"mask{suffix}", spread.best.mask.table())


def _shown(found: SideEffects) -> dict[str, Any]:
    """What there is room for: no accuracies, and of other tasks those that change at all."""
    return {
        name: {data: value for data, value in row.items() if value}
        if name.startswith("choices changed")
        else row
        for name, row in found.summary().items()
        if not name.startswith("accuracy")
    }
