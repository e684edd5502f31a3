"""Mutual information leaves the process as it is."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from neurox_lite.ranking import mutual_information


@pytest.mark.heavy
def test_filters_of_warnings_stay():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 150)), rng.integers(3, size=200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        for _ in range(5):
            mutual_information(X, y)
        assert list(warnings.filters) == before
