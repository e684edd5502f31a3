"""neurox-lite inspect: what does a store hold?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.options import Debug, Json
from neurox_lite.cli.output import EXIT_INCONCLUSIVE, NOT_COUNTED, show
from neurox_lite.errors import InputError
from neurox_lite.escaping import terminal

if TYPE_CHECKING:
    from neurox_lite.activations.store import ActivationStore


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Show what an activation store holds and how it was made.

    Example: neurox-lite inspect bert.h5 --verify
    """

    store: Annotated[str, typer.Argument(help="An activation store (HDF5).")]
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read the whole store and compare it with its checksums."),
    ] = False
    as_json: Json = False
    debug: Debug = False

    def execute(self) -> None:
        from neurox_lite.activations.checks import verify_file
        from neurox_lite.activations.store import ActivationStore
        from neurox_lite.models.vocabulary import check_split

        problems = verify_file(self.store) if self.verify else []
        try:
            with ActivationStore(self.store) as opened:
                found = _summary(opened)
        except InputError:
            if not problems:
                raise
            found = {"store": self.store}
        if self.verify:
            found["problems"] = problems if self.as_json else len(problems) or "none"
        show(found, self.as_json)
        if isinstance(n_split := found.get("n_split_words"), int):
            check_split(n_split, found.get("n_words", 0), self.store, found["model"])
        if not self.as_json:
            for problem in problems:
                typer.echo(terminal(problem))
        if problems:
            raise typer.Exit(EXIT_INCONCLUSIVE)


def _summary(store: ActivationStore) -> dict[str, Any]:
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
