"""neurox-lite mask: the fewest neurons that decide between the words of minimal pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.claims import claim_folder
from neurox_lite.cli.output import (
    EXIT_INCONCLUSIVE,
    Debug,
    Json,
    Layers,
    Seed,
    TableFormat,
    layers_of,
    quiet_transformers,
    show,
)
from neurox_lite.cli.pairs import (
    Condition,
    LanguageModel,
    Pairs,
    Positions,
    Site,
    SkipBadPairs,
    Template,
    chosen_pairs,
    other_pairs,
    position,
    read_all_pairs,
)
from neurox_lite.output_formats import TABLE_FORMATS, check_formats

if TYPE_CHECKING:
    from neurox_lite.interventions.side_effects import SideEffects


def command(
    context: typer.Context,
    model: LanguageModel,
    pairs: Pairs,
    out: Annotated[
        str, typer.Option("--out", help="Folder for the mask, its ranking and what it does.")
    ],
    condition: Condition = None,
    template: Template = None,
    site: Site = None,
    layers: Layers = None,
    positions: Positions = "all",
    objective: Annotated[
        str, typer.Option("--objective", help="flip (replace few) or sufficiency (keep few).")
    ] = "flip",
    alpha: Annotated[
        float | None,
        typer.Option(
            "--alpha",
            help="Mean effect to reach, in nats; by default half as sure of the wrong word as the "
            "model is of the right one, of sufficiency a KL divergence of 0.1 (-0.1).",
        ),
    ] = None,
    bounds_from: Annotated[
        bool,
        typer.Option(
            "--bounds-from-data", help="Replacements stay in the range seen on all pairs given."
        ),
    ] = False,
    include_incorrect: Annotated[
        bool, typer.Option("--include-incorrect", help="Use pairs that the model gets wrong, too.")
    ] = False,
    held_out: Annotated[
        float, typer.Option("--held-out", help="Share of the pairs to score the mask on.")
    ] = 0.25,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps of a search; 300 by default.")
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Searches, from --seed on; the best is kept.")
    ] = 1,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="How neurons are found: differentiable-mask, reinforce, or by the shortest top of "
            "integrated-gradients, activation-difference, single-replacement, random or a ranking "
            "from 'rank' (a file) that reaches the effect.",
        ),
    ] = "differentiable-mask",
    target_pairs: Annotated[
        str | None,
        typer.Option(
            "--target",
            help="The condition to turn to, as plural: of integrated gradients and differences.",
        ),
    ] = None,
    path: Annotated[
        bool,
        typer.Option(
            "--path",
            help="Rank neurons by how early they enter as more effect is asked for, which takes "
            "600 steps more; else by the mask found.",
        ),
    ] = False,
    text: Annotated[
        str | None,
        typer.Option("--text", help="A sentence per line: side effects on unrelated text, too."),
    ] = None,
    skip_bad_lines: SkipBadPairs = False,
    table_format: TableFormat = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the mask.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Find the smallest set of neurons whose replacement turns what a model predicts.

    Give pairs that are to be turned the same way, as --condition singular. Exits with 3 when no set
    reaches the effect (infeasible), the search had not settled, or the intact model is right on the
    pairs no more often than chance (beside those of the files that turn the other way).

    Side effects are measured where these pairs make no choice, on all other pairs of the files and
    on --text, beside random neurons; side_effects.json has them in full.

    Example: neurox-lite mask --model lstm-0 --pairs pairs.tsv --condition singular --out mask
    """
    from neurox_lite.cli.mask_method import SEARCHES, chosen_method
    from neurox_lite.corpora.minimal_pairs import by_condition
    from neurox_lite.corpora.text_files import read_lines
    from neurox_lite.errors import InputError
    from neurox_lite.figures import save_result
    from neurox_lite.interventions.metrics import perplexity
    from neurox_lite.interventions.pair_inputs import usable
    from neurox_lite.interventions.side_effects import side_effects
    from neurox_lite.masking.fitting import N_STEPS
    from neurox_lite.masking.neuron_mask import PairOptions, fit_neuron_mask, rank_by_neuron_mask
    from neurox_lite.masking.seed_spread import NAMES, SeedSpread
    from neurox_lite.models.loading import load_model
    from neurox_lite.outputs import atomic_write_folder
    from neurox_lite.results.tables import write_table

    check_formats("png", table_format)
    claim_folder(context, out, NAMES, overwrite, model, pairs, text, method)
    quiet_transformers()
    every = read_all_pairs(pairs, skip_bad_lines)
    chosen = chosen_pairs(every, condition, template)
    others = None if target_pairs is None else chosen_pairs(every, target_pairs, template)
    if path and method != "differentiable-mask":
        raise InputError("--path is of --method differentiable-mask; leave one of them out")
    if steps is not None and method not in SEARCHES:
        raise InputError(f"--steps is of --method {' and '.join(SEARCHES)}; leave one of them out")
    texts = None if text is None else read_lines(text)
    loaded = load_model(model, head="language")
    if texts is not None:
        perplexity(loaded, texts)  # refuses texts now, not after the search
    place = position(positions)
    options: PairOptions = {
        "site": site,
        "layers": layers_of(layers),
        "positions": place,
        "objective": objective,
        "bounds_from": usable(loaded, every) if bounds_from else None,
        "include_incorrect": include_incorrect,
        "others": every,
    }
    fits = [
        fit_neuron_mask(
            loaded,
            chosen,
            **options,
            alpha=alpha,
            method=chosen_method(method, loaded, others, options, number),
            held_out=held_out,
            n_steps=N_STEPS if steps is None else steps,
            seed=number,
        )
        for number in range(seed, seed + seeds)
    ]
    spread = SeedSpread(tuple(fits))
    ranking = rank_by_neuron_mask(loaded, chosen, **options, seed=seed) if path else None
    found = side_effects(
        loaded,
        spread.best.mask,
        pairs=chosen,
        positions=place,
        texts=texts,
        tasks=by_condition(other_pairs(loaded, every, chosen, place)),
        seed=seed,
    )
    with atomic_write_folder(out, NAMES) as new:
        spread.save(new)
        if ranking is not None:
            ranking.save(new / "ranking.json")
        save_result(found, new / "side_effects.json", table_format=table_format)
        if table_format is not None:
            write_table(new / f"mask{TABLE_FORMATS[table_format]}", spread.best.mask.table())
    show({"mask": out, **spread.summary(), **_shown(found)}, as_json)
    if not spread.best.holds:
        raise typer.Exit(EXIT_INCONCLUSIVE)


def _shown(found: SideEffects) -> dict[str, Any]:
    """What there is room for: no accuracies, and of other tasks those that change at all."""
    return {
        name: {data: value for data, value in row.items() if value}
        if name.startswith("choices changed")
        else row
        for name, row in found.summary().items()
        if not name.startswith("accuracy")
    }
