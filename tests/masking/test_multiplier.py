"""The multiplier ends at its constraint, whatever lambda that takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neurox_lite.masking.multiplier import Multiplier, at_least, at_most


def follow(multiplier: Multiplier, needed: float, n_steps: int = 300) -> np.ndarray:
    """Effects of a search that follows lambda by and by, with noise as of a batch.

    In the long run it is ``log(lambda / needed)``, between -5 and 5.
    """
    rng = np.random.default_rng(0)
    effect, found = -4.0, []
    for step in range(n_steps):
        factor = multiplier.step(effect + rng.normal(0, 0.5), step / n_steps)
        effect += 0.1 * (np.clip(math.log(factor / needed), -5, 5) - effect)
        found.append(effect)
    return np.array(found)


@pytest.mark.parametrize("needed", [1e-2, 1.0, 30.0, 1e3])
def test_it_ends_at_the_constraint(needed: float) -> None:
    """The closed form: the effect is alpha where lambda is ``needed exp(alpha)``."""
    multiplier = Multiplier(at_least(2.0, scale=6.0))
    effects = follow(multiplier, needed)
    assert effects[-50:].mean() == pytest.approx(2.0, abs=0.15)
    assert np.abs(effects[-50:] - 2).max() < 0.6
    assert multiplier.value.item() == pytest.approx(needed * math.exp(2), rel=0.3)


def test_it_grows_while_the_constraint_is_violated() -> None:
    multiplier = Multiplier(at_least(2.0, scale=4.0))
    first = multiplier.step(-2.0)
    assert multiplier.step(-2.0) > first > 1
    raised = multiplier.value.clone()
    met = [multiplier.step(5.0) for _ in range(400)]
    assert met[5] < raised < met[0]  # as soon as the average is above, by its damping
    assert met[-1] < 1e-2


def test_no_effect_is_too_far_off() -> None:
    multiplier = Multiplier(at_least(2.0, scale=4.0), rate=0.1, damping=1.0)
    most = math.exp(0.1 + 1.0)
    assert multiplier.step(-1e9).item() == pytest.approx(most)
    for _ in range(1000):
        assert multiplier.step(-1e9) < float("inf")


def test_gaps_count_more_towards_the_end() -> None:
    """Twice as much with half of the steps left, five times at most."""
    gap = at_least(1.0, scale=10.0)
    at = [math.log(Multiplier(gap, rate=0, damping=1.0).step(0.0, p)) for p in (0, 0.5, 1)]
    assert at == pytest.approx([0.1, 0.2, 0.5])


def test_a_divergence_ends_at_what_is_allowed() -> None:
    """The closed form: it is epsilon where lambda is ``needed / epsilon``."""
    multiplier = Multiplier(at_most(0.1), value=100.0, most=200.0)
    divergence = 5.0
    for _ in range(300):
        factor = multiplier.step(divergence).item()
        divergence *= (0.3 / factor / divergence) ** 0.1
    assert divergence == pytest.approx(0.1, rel=0.02)
    assert multiplier.value.item() == pytest.approx(3.0, rel=0.02)


def test_each_of_several_has_its_own() -> None:
    """And none is beyond the bound, whatever is measured."""
    together = Multiplier(at_most(0.1), most=200.0)
    alone = [Multiplier(at_most(0.1), most=200.0) for _ in range(3)]
    for measured in ([0.1, 0.0, 50.0], [0.2, 0.05, 50.0], [0.01, 0.0, 50.0]):
        each = [one.step(value).item() for one, value in zip(alone, measured, strict=True)]
        assert together.step(torch.tensor(measured)).tolist() == pytest.approx(each, rel=1e-6)
    assert each[1] < each[0] < each[2] <= 200.0


def test_it_falls_as_slowly_as_is_asked() -> None:
    """In both of its parts; up it goes as ever."""
    options = {"rate": 0.1, "damping": 2.0}
    for fall in (1.0, 0.3):
        multiplier = Multiplier(at_most(1.0), fall=fall, **options)
        assert multiplier.step(1e-9).item() == pytest.approx(math.exp(-2.1 * fall))
    assert Multiplier(at_most(1.0), fall=0.3, **options).step(1e9).item() == pytest.approx(
        math.exp(2.1)
    )
