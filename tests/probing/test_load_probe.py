"""A probe comes back as what it was saved as."""

import json

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.probing.loading import load_probe
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression

X = np.random.default_rng(0).normal(size=(50, 4)).astype("f4")


@pytest.mark.parametrize("kind", [ElasticNetProbe, ElasticNetRegression])
def test_the_kind_is_told_from_the_file(kind, tmp_path):
    fitted = kind(1e-2).fit(X, (X[:, 0] > 0).astype(int).astype(str))
    fitted.save(tmp_path)
    loaded = load_probe(tmp_path)
    assert type(loaded) is kind
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))


@pytest.mark.parametrize("content", [{"kind": "neuron ranking"}, [1]])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "probe.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="does not hold a probe; fit one with 'probe'"):
        load_probe(tmp_path)
