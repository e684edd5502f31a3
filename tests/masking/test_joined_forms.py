"""What the benchmark of number agreement measures: divergences with some words counted as one."""

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.interventions.metrics import evaluate, kl_from_intact
from neurox_lite.models.location import Location
from tests.benchmarks.joined_forms import joined_kl, pronouns, token_of, verb_forms
from tests.benchmarks.mask_table import embedded_texts

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize(("model", "site"), [("lstm-0", "lstm_cell"), ("gpt2", "mlp")])
def test_divergence_of_joined_words(model, site):
    loaded = nx.load_model(nx.embedded_path(f"models/{model}"), head="language")
    plain = kl_from_intact(loaded, embedded_texts(), Location(site))
    n = plain.runner.space.n_neurons
    gates, values = np.zeros((1, n)), np.zeros(n)
    gates[0, :40] = 1

    def found(sets):
        return float(evaluate(joined_kl(loaded, sets, site), gates, values)[0])

    nothing_joined = found([])
    assert nothing_joined == pytest.approx(float(evaluate(plain, gates, values)[0]), rel=1e-3)
    # Joining loses information, never adds any, until all words are one.
    verbs, both = found(verb_forms()), found([*verb_forms(), pronouns()])
    assert nothing_joined > verbs > both > 0
    every = [f"{word}" for words in [*verb_forms(), pronouns()] for word in words]
    assert found([every]) < both
    assert len({token_of(loaded, word) for word in every}) == len(set(every))
