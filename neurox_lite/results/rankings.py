"""Several rankings from their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.public_names import public_names
from neurox_lite.results.ranking import NeuronRanking


def common_labels(rankings: Sequence[NeuronRanking]) -> dict[str, Any]:
    """Tag and corpus of those that know theirs, as `rank` notes them; nothing if they differ."""
    noted = (ranking.provenance.get("labels") for ranking in rankings)
    known = [labels for labels in noted if isinstance(labels, dict)]
    return known[0] if known and all(labels == known[0] for labels in known) else {}


def load_rankings(paths: Sequence[str]) -> list[NeuronRanking]:
    """Read rankings; where two are by one method, their files are part of their names."""
    if len(set(paths)) < len(paths):
        raise InputError(f"{' '.join(paths)}: a ranking is given twice; give each once")
    rankings = [NeuronRanking.load(path) for path in paths]
    methods = [ranking.method for ranking in rankings]
    names = public_names(paths)
    return [
        replace(ranking, method=f"{ranking.method} ({name})")
        if methods.count(ranking.method) > 1
        else ranking
        for name, ranking in zip(names, rankings, strict=True)
    ]
