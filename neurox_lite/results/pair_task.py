"""Whether a model can do at all what minimal pairs ask of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

NEAR_CHANCE = 2 / 3
"""Share of right pairs at which half of them are right by luck: what a model knows, k, and half of
the rest are right, and ``(1 - k) / 2 = k`` at ``k = 1/3``."""


@dataclass(frozen=True)
class PairTask:
    """How often the intact model finds the right word more probable, beside chance.

    A model that always prefers the same word of two is right on all pairs that turn one way. Where
    there are pairs of the same two words that turn the other way, as many of each are compared, so
    that such a model is right on half of them.

    Attributes
    ----------
    n_right, n_pairs : int
        Of the pairs that are compared.
    both_ways : bool
        Whether as many of them turn one way as the other.
    n_groups : int
        Units of the interval: pairs of the same two words are right or wrong together, and counted
        together when there are five such groups; else each pair is one.
    low, high : float
        95 % interval of the share of right pairs.
    log_odds : float
        Mean of ``log p(right) - log p(wrong)`` in nats.
    above_noise : bool
        Whether the 95 % interval of that mean is above 0.
    """

    n_right: int
    n_pairs: int
    both_ways: bool
    n_groups: int
    low: float
    high: float
    log_odds: float
    above_noise: bool

    @property
    def share(self) -> float:
        """Of the pairs that are right."""
        return self.n_right / self.n_pairs

    @property
    def holds(self) -> bool:
        """Whether the model does the task: surely more often right than by chance, and not near it.

        Near chance, up to two thirds, half of the right pairs or more are right by luck.
        """
        return self.low > 0.5 and self.share > NEAR_CHANCE and self.above_noise

    def __str__(self) -> str:
        ways = "as many each way" if self.both_ways else "all one way"
        return (
            f"right on {self.n_right} of {self.n_pairs} pairs, {ways} "
            f"({100 * self.share:.0f} %, 95 % interval {100 * self.low:.0f} % to "
            f"{100 * self.high:.0f} %)"
        )

    def summary(self) -> dict[str, Any]:
        """Its fields, JSON-ready."""
        return {**asdict(self), "holds": self.holds}

    @classmethod
    def from_summary(cls, fields: dict[str, Any]) -> PairTask:
        """From what :meth:`summary` gave."""
        return cls(**{name: value for name, value in fields.items() if name != "holds"})
