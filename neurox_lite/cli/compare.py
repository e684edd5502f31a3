"""neurox-lite compare: how far do rankings, or masks, of the same neurons agree?"""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.claims import claim_folder
from neurox_lite.cli.output import (
    Debug,
    FigureFormat,
    Json,
    TableFormat,
    reject_options,
    show,
)
from neurox_lite.output_formats import check_formats


def command(
    context: typer.Context,
    rankings: Annotated[
        list[str],
        typer.Argument(
            metavar="RANKING|MASK...",
            help="Two or more rankings from 'rank', or two or more folders from 'mask'.",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out", help="Folder for agreement.json and agreement.png, of masks overlaps.json."
        ),
    ],
    k: Annotated[
        int | None, typer.Option("-k", help="Size of the top; a tenth of the neurons if not given.")
    ] = None,
    figure_format: FigureFormat = "png",
    table_format: TableFormat = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the agreement.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare rankings or masks.

    Of rankings: the top k they share, Kendall's tau and rank-biased overlap. Of masks: the neurons
    that both of two replace and that one does, beside chance.

    Example: neurox-lite compare ranking.json random.json --out comparison

    Example: neurox-lite compare mask other-mask --out overlap
    """
    import logging

    from neurox_lite.cli.compare_masks import compare_masks, is_mask
    from neurox_lite.cli.rankings import labels_of, load_rankings
    from neurox_lite.errors import InputError
    from neurox_lite.figures import save_result, title_of
    from neurox_lite.outputs import atomic_write_folder, result_names
    from neurox_lite.ranking import agreement

    check_formats(figure_format, table_format)
    masks = [path for path in rankings if is_mask(path)]
    if len(rankings) < 2:
        what = "mask" if masks else "ranking"
        raise InputError(f"{rankings[0]}: only one {what}; give two or more to compare")
    if masks:
        others = [path for path in rankings if path not in masks]
        if others:
            raise InputError(f"{others[0]}: no folder of a mask, as {masks[0]} is; give masks only")
        if k is not None:
            raise InputError("masks are compared whole; run without -k")
        reject_options(context, ("figure_format",), "a comparison of masks, which has no figure,")
        claim_folder(context, out, result_names("overlaps"), overwrite)
        show(compare_masks(masks, out, table_format), as_json)
        return
    names = result_names("agreement")
    claim_folder(context, out, names, overwrite, rankings)
    loaded = load_rankings(rankings)
    if k is None:
        k = max(1, loaded[0].space.n_neurons // 10)
    found = agreement(loaded, k)
    labels = labels_of(loaded)
    with atomic_write_folder(out, names) as new:
        save_result(
            found,
            new / "agreement.json",
            figure_format=figure_format,
            table_format=table_format,
            title=title_of(labels.get("tag"), loaded[0].space.model, labels.get("corpus", ())),
        )
    rows = {
        f"overlap of {name}": {
            other: share for other, share in zip(found.methods, row, strict=True) if other != name
        }
        for name, row in zip(found.methods, found.overlap, strict=True)
    }
    logging.getLogger(__name__).info(
        "by chance: of independent rankings; rankings of the same labels agree more, even where "
        "labels are noise (nx.ranking.permuted_overlap shuffles them)"
    )
    show(
        {
            "agreement": out,
            "neurons": found.n_neurons,
            "k": k,
            "overlap by chance": found.expected_overlap,
            **rows,
        },
        as_json,
    )
