"""What a mask does to the examples of each template."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TemplateEffect:
    """What a mask does to the training examples of one template and condition.

    Attributes
    ----------
    name : str
        Template and condition, such as ``nounpp singular_plural``.
    n_examples : int
    effect : float
        Their mean effect.
    success : float
        The share of them that succeeds.
    holds : bool
        Whether they reach what all examples together were to reach.
    """

    name: str
    n_examples: int
    effect: float
    success: float
    holds: bool

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.n_examples} examples, effect {self.effect:.3g}, "
            f"success {100 * self.success:.0f} %)"
        )

    def summary(self) -> dict[str, Any]:
        """Its fields, JSON-ready."""
        return asdict(self)


def by_template(
    templates: np.ndarray,
    effects: np.ndarray,
    successes: np.ndarray,
    alpha: float,
    success: float | None,
) -> tuple[TemplateEffect, ...]:
    """Effects by template, in the order of their names; none when no example has a template.

    Templates, effects and successes are (n_examples,) arrays; what was to be reached is a mean
    effect ``alpha`` or a share ``success``.
    """
    found = []
    for name in np.unique(templates[templates != ""]).tolist():
        chosen = templates == name
        effect, share = float(effects[chosen].mean()), float(successes[chosen].mean())
        holds = effect >= alpha if success is None else share >= success
        found.append(TemplateEffect(name, int(chosen.sum()), effect, share, holds))
    return tuple(found)
