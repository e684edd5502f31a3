"""Whether a model can do what minimal pairs ask, or is lucky or prefers one word."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from neurox_lite.choices import listed
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError
from neurox_lite.intervals import accuracy_interval, mean_interval
from neurox_lite.interventions.pair_inputs import encode_pairs, usable
from neurox_lite.interventions.pair_scores import intact_log_odds
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.loading import LoadedModel
from neurox_lite.results.pair_task import PairTask

logger = logging.getLogger(__name__)

LEAST_GROUPS = 5
"""So few groups, all right, are surely more than half right: 0.05^(1/5) > 1/2."""


def pair_task(
    loaded: LoadedModel,
    pairs: Sequence[MinimalPair],
    log_odds: np.ndarray,
    others: Sequence[MinimalPair] = (),
) -> PairTask:
    """Compare how often the intact model is right with chance, and log a warning if it is not.

    Of ``others``, those of the same two words that turn the other way are compared, too, as far as
    the model knows their words.
    """
    asked = {(pair.right, pair.wrong) for pair in pairs}
    taken = set(pairs)
    others = [pair for pair in others if (pair.wrong, pair.right) in asked and pair not in taken]
    others = list(dict.fromkeys(usable(loaded, others))) if others else []
    odds = np.asarray(log_odds, dtype=np.float64)
    if others:
        inputs = encode_pairs(loaded, others)
        runner = InterventionRunner.of_pairs(loaded, inputs)
        odds = np.concatenate([odds, intact_log_odds(runner, inputs)])
    task = compare_with_chance([*pairs, *others], odds)
    if not task.holds:
        logger.warning(
            "%s: %s; near chance, what is found for these pairs is not about what they ask",
            loaded.name,
            task,
        )
    return task


def compare_with_chance(pairs: Sequence[MinimalPair], log_odds: np.ndarray) -> PairTask:
    """As many pairs of each two words that turn one way as the other; all if none turn back."""
    rows = _both_ways(pairs)
    both_ways = len(rows) > 0
    rows = rows or list(range(len(pairs)))
    odds = log_odds[rows]
    groups = groups_of([pairs[row] for row in rows])
    share = accuracy_interval(odds > 0, groups)
    return PairTask(
        n_right=int((odds > 0).sum()),
        n_pairs=len(rows),
        both_ways=both_ways,
        n_groups=len(np.unique(groups)),
        low=share.low,
        high=share.high,
        log_odds=float(odds.mean()),
        above_noise=bool(mean_interval(odds, groups).low > 0),
    )


def groups_of(pairs: Sequence[MinimalPair]) -> np.ndarray:
    """Number of what each pair is counted with: those of the same two words, if there are enough.

    (n_pairs,); where there are fewer than five such groups each pair is one.
    """
    choices = ["\t".join(sorted((pair.right, pair.wrong))) for pair in pairs]
    numbers = np.unique(choices, return_inverse=True)[1]
    return numbers if len(set(choices)) >= LEAST_GROUPS else np.arange(len(pairs))


def check_one_way(pairs: Sequence[MinimalPair]) -> None:
    """Raise InputError when pairs of the same two words turn opposite ways.

    What is done to neurons is the same for all of them: what turns the one keeps the other.
    """
    ways: dict[tuple[str, str], list[MinimalPair]] = {}
    for pair in pairs:
        ways.setdefault((pair.right, pair.wrong), []).append(pair)
    both = [(there, ways[way[::-1]]) for way, there in ways.items() if way[::-1] in ways]
    if not both:
        return
    there, back = max(both, key=lambda ways: len(ways[0]) + len(ways[1]))
    right, wrong = there[0].right, there[0].wrong
    kinds = _kinds(there, back)
    raise InputError(
        f"pairs turn opposite ways: in {len(there)}{kinds[0]} '{right}' is right and '{wrong}' "
        f"wrong, in {len(back)}{kinds[1]} the reverse, and one mask cannot turn both; give those "
        "of one way at a time, by --condition and --template"
    )


def _kinds(there: Sequence[MinimalPair], back: Sequence[MinimalPair]) -> tuple[str, str]:
    """Templates, or else conditions, that distinguish pairs of one way from those of the other."""
    for name in ("template", "condition"):
        ways = [sorted({getattr(pair, name) for pair in way}) for way in (there, back)]
        if not set(ways[0]) & set(ways[1]):
            first, second = (f" ({name} {listed(names)})" for names in ways)
            return first, second
    return "", ""


def _both_ways(pairs: Sequence[MinimalPair]) -> list[int]:
    """Rows of pairs, of each two words as many that turn one way as the other, evenly spread."""
    ways: dict[tuple[str, str], list[int]] = {}
    for row, pair in enumerate(pairs):
        ways.setdefault((pair.right, pair.wrong), []).append(row)
    chosen = []
    for (right, wrong), rows in ways.items():
        n = min(len(rows), len(ways.get((wrong, right), ())))
        chosen += [rows[i * len(rows) // n] for i in range(n)]
    return sorted(chosen)
