"""What labels ask of a solver, and how its solutions become those of probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurox_lite.errors import InputError
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.objective import Problem
from neurox_lite.showing import short_repr

if TYPE_CHECKING:
    from neurox_lite.probing.linear import LinearProbe


@dataclass(frozen=True)
class FitTask:
    """Problems of one kind of labels, in units in which they are solved well.

    Attributes
    ----------
    problem : Problem
    unit, mean : float
        Outputs of a probe are ``mean + unit * outputs`` of the problem.
    learned : sequence of dict
        Attributes that the labels of each problem give its probe.
    """

    problem: Problem
    unit: float = 1.0
    mean: float = 0.0
    learned: tuple[Mapping[str, Any], ...] = field(default=({},))

    __repr__ = short_repr

    def start_at(self, probe: LinearProbe) -> tuple[torch.Tensor, torch.Tensor]:
        """The weights (n_neurons, 1, n_outputs) and intercept (1, n_outputs) of a fitted probe.

        Raises
        ------
        InputError
            When it has other neurons, or classes.
        """
        coef = getattr(probe, "coef_", None)
        if coef is None or coef.shape[1] != self.problem.X.n_neurons:
            raise InputError("the probe is not fitted, or was fitted on other neurons")
        classes = self.learned[0].get("classes_")
        if classes is not None and not np.array_equal(probe.classes_, classes):
            raise InputError("the probe was fitted on other classes than these labels have")
        like = self.problem.X.like
        return (
            torch.from_numpy(coef.T[:, None] / self.unit).to(like),
            torch.from_numpy((probe.intercept_[None] - self.mean) / self.unit).to(like),
        )

    def solution(
        self, W: torch.Tensor, b: torch.Tensor, certificate: Certificate
    ) -> tuple[torch.Tensor, torch.Tensor, Certificate]:
        """Of a problem, in the units of a probe."""
        if (self.unit, self.mean) == (1, 0):
            return W, b, certificate
        certificate = replace(certificate, objective=certificate.objective * self.unit**2)
        return W.double() * self.unit, b.double() * self.unit + self.mean, certificate
