"""neurox-lite correlate: order neurons by what other models have of them."""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.output import Debug, Json, Layers, layers_of, show

METHODS = ("max-corr", "min-corr", "lin-reg", "svcca")


def command(
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Rank the neurons of the first store by their correlation with other models.

    The stores are of the same words; their models and tokenizers may differ.

    Example: neurox-lite correlate --store a.h5 --store b.h5 --method max-corr --out ranking.json
    """
    from contextlib import ExitStack
    from pathlib import Path

    from neurox_lite import ranking as rankers
    from neurox_lite.activations.aligned import aligned
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.correlation.similarity import layer_similarity
    from neurox_lite.errors import InputError
    from neurox_lite.files import refuse_existing, refuse_file
    from neurox_lite.plotting.saving import save_figure
    from neurox_lite.results.ranking_files import check_name

    if method not in METHODS:
        raise InputError(f"unknown method '{method}'; use {', '.join(METHODS)}")
    if len(store) < 2:
        raise InputError("one store only; give --store again for every other model")
    check_name(out)
    refuse_existing(out, overwrite)
    files: list[Path] = []
    if similarity is not None:
        refuse_file(similarity)
        # The stores are counted from 1, in the order of the command line.
        files = [Path(similarity) / f"cka-1-{i}.json" for i in range(2, len(store) + 1)]
    for file in files:
        refuse_existing(file, overwrite)
    with ExitStack() as stack:
        opened = [stack.enter_context(ActivationStore(path)) for path in store]
        X, *others = aligned(opened, layers_of(layers))
        rank = getattr(rankers, method.replace("-", "_"))
        ranking = rank(X, others)
        ranking.save(out)
        compared = [layer_similarity(X, other) for other in others[: len(files)]]
    for file, layer_by_layer in zip(files, compared, strict=True):
        layer_by_layer.save(file)
        save_figure(layer_by_layer.plot(), file.with_suffix(".png"))
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
