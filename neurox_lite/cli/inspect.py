"""neurox-lite inspect: what does a store hold?"""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.output import EXIT_DOES_NOT_HOLD, NOT_COUNTED, Debug, Json, show


def command(
    store: Annotated[str, typer.Argument(help="An activation store (HDF5).")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Read it whole and compare it with its checksums.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what an activation store holds and how it was made.

    Example: neurox-lite inspect bert.h5 --verify
    """
    from neurox_lite.activations.checks import verify as find_problems
    from neurox_lite.activations.store import ActivationStore

    with ActivationStore(store) as opened:
        metadata = dict(opened.metadata)
        metadata.pop("checksums")
        checked = {"problems": find_problems(opened)} if verify else {}
        show(
            {
                "words": opened.n_tokens,
                "sentences": len(opened.sentence_offsets) - 1,
                "layers": list(opened.space.layers),
                "widths": list(opened.space.widths),
                **dict.fromkeys(("n_unknown_words", "n_split_words"), NOT_COUNTED),
                **metadata,
                **checked,
            },
            as_json,
        )
    if checked.get("problems"):
        raise typer.Exit(EXIT_DOES_NOT_HOLD)
