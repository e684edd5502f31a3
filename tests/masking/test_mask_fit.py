"""A saved fit: files by earlier versions."""

import json
from dataclasses import replace

import pytest

from neurox_lite.masking.mask_fit import LATER, MaskFit
from tests.results.every_result import fit, ranking


@pytest.mark.parametrize("order", [None, ranking])
def test_a_fit_by_an_earlier_version_is_read(tmp_path, order):
    """It called the top of a ranking its head, and had no intervals, range, task or templates."""
    saved = replace(fit, order=order)
    saved.save(tmp_path / "fit")
    path = tmp_path / "fit" / "fit.json"
    data = json.loads(path.read_text())
    del data["checksum"]
    data["is head of ranking.json"] = data.pop("is top of ranking.json")
    for name in ("out_of_range", *LATER):
        del data["numbers"][name]
    del data["templates"]
    path.write_text(json.dumps(data))
    found = MaskFit.load(tmp_path / "fit")
    assert found.summary() == saved.summary()
    assert (found.order is None) == (order is None)
    assert not found.out_of_range and found.task is None
