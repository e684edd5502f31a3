"""What is read out of the exemplars of all neurons.

`neurox_lite.descriptions.all_exemplars`
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurox_lite import InputError, TaggedCorpus
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.exemplars import exemplars

SENTENCES = [["a", f"w{number}"] for number in range(120)]
X = np.stack([np.arange(240.0), np.zeros(240)], axis=1)


@pytest.fixture(scope="module")
def found():
    return exemplars(X, TaggedCorpus(SENTENCES))


def test_one_neuron_is_asked_for(found):
    assert found.of("0:0").highest.examples[0].words == ("a", "w119")
    with pytest.raises(InputError, match="2 neurons; give one"):
        found.of(["0:0", "0:1"])


def test_a_row_per_neuron(found):
    header, rising, dead = found.table()
    first = dict(zip(header, rising, strict=True))
    assert first["highest activation"] == 239 and first["highest sentence"] == "a w119"
    assert first["lowest activation"] == 0 and first["lowest words"] == "a"
    assert dead[:2] == ["0:1", "dead"] and not any(dead[3:])


def test_files_without_activations_of_other_words_are_read(tmp_path, found):
    names = ("levels", "quantile_levels", "medians", "scales")
    before = {name: array for name, array in found.arrays.items() if name not in names}
    replace(found, arrays=before).save(tmp_path)
    (first, *_) = Exemplars.load(tmp_path).of("0:0").highest.examples
    assert first == replace(found.of("0:0").highest.examples[0], activations=())
