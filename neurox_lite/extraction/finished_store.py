"""One file of the shards of an extraction; those that were damaged are made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neurox_lite.activations.checksums import DamagedError
from neurox_lite.activations.merge_shards import join
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import StoreHeader
from neurox_lite.errors import UnfinishedError


def join_into_file(
    shards: Sequence[Path], head: StoreHeader, out: Path, *, overwrite: bool
) -> None:
    """Join shards into the store ``out``.

    A shard that was damaged since it was written is removed, and raises UnfinishedError.
    """
    try:
        join(shards, head, out, overwrite=overwrite)
    except DamagedError as error:
        removed = _remove_damaged(shards)
        if not removed:
            raise
        raise UnfinishedError(
            f"{out}: the shards {', '.join(removed)} were damaged after they were "
            "written, and are removed; check the disk and run the same command again, "
            "which makes them again"
        ) from error


def _remove_damaged(shards: Sequence[Path]) -> list[str]:
    """Remove the shards that are not what was written, so that the next run makes them again."""
    damaged = []
    for shard in shards:
        try:
            with ActivationStore(shard) as store:
                for _ in store.matrix().blocks():
                    pass
        except DamagedError:
            damaged.append(shard.name)
            shard.unlink(missing_ok=True)
    return damaged
