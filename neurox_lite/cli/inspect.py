"""neurox-lite inspect: what does a store hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.output import EXIT_INCONCLUSIVE, NOT_COUNTED, Debug, Json, show
from neurox_lite.errors import InputError
from neurox_lite.escaping import terminal

if TYPE_CHECKING:
    from neurox_lite.activations.store import ActivationStore


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
    from neurox_lite.activations.checks import verify_file
    from neurox_lite.activations.store import ActivationStore

    problems = verify_file(store) if verify else []
    try:
        with ActivationStore(store) as opened:
            found = summary(opened)
    except InputError:
        if not problems:
            raise
        found = {"store": store}
    if as_json:
        show({**found, **({"problems": problems} if verify else {})}, as_json)
    else:
        show({**found, **({"problems": len(problems) or "none"} if verify else {})}, as_json)
        for problem in problems:
            typer.echo(terminal(problem))
    if problems:
        raise typer.Exit(EXIT_INCONCLUSIVE)


def summary(store: ActivationStore) -> dict[str, Any]:
    """What a store holds and how it was made."""
    metadata = dict(store.metadata)
    metadata.pop("checksums")
    return {
        "words": store.n_rows,
        "sentences": len(store.sentence_offsets) - 1,
        "layers": list(store.space.layers),
        "widths": list(store.space.widths),
        **dict.fromkeys(("n_unknown_words", "n_split_words"), NOT_COUNTED),
        **metadata,
    }
