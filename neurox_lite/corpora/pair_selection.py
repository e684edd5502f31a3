"""Which of many minimal pairs: those of a condition and of some templates."""

from __future__ import annotations

from collections.abc import Sequence

from neurox_lite.choices import did_you_mean, listed
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError


def select_pairs(
    pairs: Sequence[MinimalPair],
    condition: str | None = None,
    templates: Sequence[str] | None = None,
) -> list[MinimalPair]:
    """The pairs whose condition begins so and whose template is one of these.

    ``"singular"`` is also that of ``singular_plural``; None is any. Raises InputError when there
    are none.
    """
    chosen = [
        pair
        for pair in pairs
        if (condition is None or pair.condition.startswith(condition))
        and (templates is None or pair.template in templates)
    ]
    if not chosen:
        conditions = sorted({pair.condition for pair in pairs})
        names = sorted({pair.template for pair in pairs})
        hints = {"" if condition is None else did_you_mean(condition, conditions)}
        hints |= {did_you_mean(name, names) for name in templates or () if name not in names}
        raise InputError(
            f"no pairs of that kind; the conditions are {listed(conditions)}, the templates "
            f"{listed(names)}{''.join(sorted(hints))}"
        )
    return chosen
