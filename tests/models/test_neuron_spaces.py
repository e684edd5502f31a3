"""The neurons a model has."""

import pytest

import neurox_lite as nx


@pytest.mark.parametrize(
    ("name", "site", "n_neurons"),
    [("lstm-0", "lstm_cell", 2 * 128), ("gpt2", "hidden_states", None)],
)
def test_the_default_site_and_all_its_layers(name, site, n_neurons):
    loaded = nx.load_model(nx.embedded_path(f"models/{name}"), head="language")
    space = nx.neuron_space(loaded)
    assert space.site == site and space.revision == loaded.revision
    hidden = loaded.model.config.hidden_size
    layers = loaded.model.config.num_hidden_layers + (site == "hidden_states")
    assert space.n_neurons == layers * hidden == (n_neurons or space.n_neurons)
    assert nx.neuron_space(loaded, layers=[-1]).layers == (layers - 1,)
    mask = nx.NeuronMask.of(space, [0, 3])
    with nx.intervene(loaded, mask):
        pass
    with pytest.raises(nx.InputError, match="no layer 99"):
        nx.neuron_space(loaded, layers=[99])
