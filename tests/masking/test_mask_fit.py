"""A saved fit: files by earlier versions."""

import json
from dataclasses import replace

import pytest

from neurox_lite.masking.mask_fit import MaskFit
from tests.results.every_result import fit, ranking


@pytest.mark.parametrize("order", [None, ranking])
def test_a_fit_by_an_earlier_version_is_read(tmp_path, order):
    """It called the top of a ranking its head, and said nothing of an interval, range or task."""
    saved = replace(fit, order=order)
    saved.save(tmp_path / "fit")
    path = tmp_path / "fit" / "fit.json"
    data = json.loads(path.read_text())
    del data["checksum"]
    data["is head of ranking.json"] = data.pop("is top of ranking.json")
    for name in ("held_out_low", "held_out_high", "out_of_range"):
        del data["numbers"][name]
    path.write_text(json.dumps(data))
    found = MaskFit.load(tmp_path / "fit")
    assert found.summary() == saved.summary()
    assert (found.order is None) == (order is None)
    assert not found.out_of_range and found.task is None
