"""neurox-lite correlate: order neurons by what other models have of them."""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.choices import unknown_choice
from neurox_lite.cli.claims import claim_file, claim_folder
from neurox_lite.cli.output import (
    Debug,
    FigureFormat,
    Json,
    Layers,
    TableFormat,
    layers_of,
    reject_options,
    show,
)
from neurox_lite.output_formats import check_formats

METHODS = ("max-corr", "min-corr", "lin-reg", "svcca")


def command(
    context: typer.Context,
    store: Annotated[
        list[str],
        typer.Option("--store", help="Activations, from 'extract'; first those to rank."),
    ],
    method: Annotated[str, typer.Option("--method", help="max-corr, min-corr, lin-reg or svcca.")],
    out: Annotated[str, typer.Option("--out", help="The ranking to write, .json or .csv.")],
    layers: Layers = None,
    similarity: Annotated[
        str | None,
        typer.Option(
            "--similarity",
            metavar="DIR",
            help="Also compare the layers of the first store with those of each other, by CKA.",
        ),
    ] = None,
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Rank the neurons of the first store by their correlation with other models.

    The stores are of the same words; their models and tokenizers may differ.

    Example: neurox-lite correlate --store a.h5 --store b.h5 --method max-corr --out ranking.json
    """
    from contextlib import ExitStack

    from neurox_lite import ranking as rankers
    from neurox_lite.activations.align_stores import align_stores
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.correlation.similarity import layer_similarity
    from neurox_lite.errors import InputError
    from neurox_lite.figures import save_result, title_of
    from neurox_lite.outputs import atomic_write_folder, result_names
    from neurox_lite.results.ranking_files import check_name

    check_formats(figure_format, table_format)
    if similarity is None:
        reject_options(context, ("figure_format", "table_format"), "a run without --similarity")
    if method not in METHODS:
        raise unknown_choice("method", method, METHODS)
    if len(store) < 2:
        raise InputError("one store only; give --store again for every other model")
    check_name(out)
    claim_file(context, out, overwrite, store)
    # The stores are counted from 1, in the order of the command line.
    stems = [f"cka-1-{i}" for i in range(2, len(store) + 1)] if similarity else []
    if similarity:
        claim_folder(context, similarity, result_names(*stems), overwrite, store)
    with ExitStack() as stack:
        opened = [stack.enter_context(ActivationStore(path)) for path in store]
        X, *others = align_stores(opened, layers_of(layers))
        rank = getattr(rankers, method.replace("-", "_"))
        ranking = rank(X, others)
        compared = [layer_similarity(X, other) for other in others[: len(stems)]]
    if similarity:
        with atomic_write_folder(similarity, result_names(*stems)) as new:
            for stem, other, layer_by_layer in zip(stems, store[1:], compared, strict=True):
                save_result(
                    layer_by_layer,
                    new / f"{stem}.json",
                    figure_format=figure_format,
                    table_format=table_format,
                    title=title_of(files=[store[0], other]),
                )
    ranking.save(out)
    result = {
        "ranking": out,
        "method": method,
        "words": len(X),
        "neurons": ranking.space.n_neurons,
        "top": [str(neuron) for neuron in ranking.top(min(10, ranking.space.n_neurons))],
    }
    if ranking.unscored:
        result["constant"] = [str(neuron) for neuron in ranking.unscored]
    show(result if similarity is None else {**result, "similarity": similarity}, as_json)
