"""Values of options, read from their text."""

import pytest

from neurox_lite.cli.parsing import layers_of
from neurox_lite.errors import InputError


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        (None, None),
        ("all", None),
        ("3", [3]),
        ("-1", [-1]),
        ("0,4,-1", [0, 4, -1]),
        (" 0, 4", [0, 4]),
        ("0-3", [0, 1, 2, 3]),
        ("5,0-1,-2", [5, 0, 1, -2]),
        ("2-2", [2]),
    ],
)
def test_layers(text, layers):
    assert layers_of(text) == layers


@pytest.mark.parametrize("text", ["", "a", "1.5", "1:3", "0,,1", "0--1", "0-", "3-1", "none"])
def test_what_are_no_layers(text):
    with pytest.raises(InputError, match=r"--layers .*give"):
        layers_of(text)
