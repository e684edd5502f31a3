"""Neurons replaced in running models: exactly these, exactly there, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite.errors import InputError
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.interventions.intervene import intervene, replacing_neurons
from neurox_lite.models.hooks import record
from neurox_lite.models.loading import load_model
from neurox_lite.models.sites import find_sites
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask
from tests.architectures import ARCHITECTURES, build
from tests.models.test_sites import VOCABULARY, every_site, inputs_of, logits

N_TOKENS = {"encoder": (7, 4), "decoder": (5, 3)}
"""Real tokens of the two sentences; the second one is padded on the right."""


def values_of(space, seed=0, rows=()):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*rows, space.n_neurons, generator=generator)


def full(space, values):
    return NeuronMask(space, np.ones(space.n_neurons), np.asarray(values, dtype=np.float64))


def middle_layer(space):
    return space.layers[len(space.layers) // 2]


def some_neurons(space, layer, values=None, gate=1.0):
    """A mask of three neurons of a layer."""
    first = space.columns(layer).start
    mask = NeuronMask.of(space, [first, first + 2, first + space.widths[0] - 1])
    values = values_of(space) if values is None else values
    return NeuronMask(space, gate * mask.gates, np.asarray(values, dtype=np.float64))


def states_at(model, sites, layer, inputs, mask=None, **options):
    """States of a layer before and after a mask is applied there."""
    before, after = {}, {}
    with torch.no_grad(), record(model, sites, before.__setitem__, [layer]):
        if mask is None:
            model(**inputs)
            return before[layer].clone()
        with (
            intervene(model, mask, sites=sites, **options),
            record(model, sites, after.__setitem__, [layer]),
        ):
            model(**inputs)
    return before[layer], after[layer].clone()


@every_site
def test_an_empty_mask_leaves_the_logits_bit_identical(case, name, side, site):
    model, sites, space, inputs = case(name, side, site)
    intact = logits(model, inputs)
    empty = NeuronMask.of(space, [], values_of(space).numpy())
    with intervene(model, empty, sites=sites):
        assert torch.equal(logits(model, inputs), intact)
    gates = torch.zeros(2, space.n_neurons)
    with replacing_neurons(model, sites, space, gates, 1e4 * values_of(space), positions="last"):
        assert torch.equal(logits(model, inputs), intact)


@every_site
def test_under_a_full_mask_every_layer_is_the_replacement(case, name, side, site):
    model, sites, space, inputs = case(name, side, site)
    values = values_of(space)
    found = {}
    with (
        torch.no_grad(),
        intervene(model, full(space, values), sites=sites),
        record(model, sites, lambda layer, states: found.__setitem__(layer, states.clone())),
    ):
        model(**inputs)
    assert list(found) == list(space.layers)
    for layer, states in found.items():
        assert torch.equal(states, values[space.columns(layer)].expand_as(states)), layer


def chosen_by_hand(way, side):
    """Positions to give, and the tokens they mean, (n_sentences, n_tokens) bool."""
    long, short = N_TOKENS[side]
    tokens = torch.zeros(2, long, dtype=torch.bool)
    if way == "last":
        tokens[0, long - 1] = tokens[1, short - 1] = True
        return "last", tokens
    if way == "ints":
        tokens[0, 3] = tokens[1, 1] = True
        return np.array([3, 1]), tokens
    tokens[0, 1:3] = tokens[1, 2] = True
    if way == "bools":
        return tokens.numpy(), tokens

    def second_half(ids, mask):
        assert ids.shape == mask.shape == (2, long)
        assert mask.sum(1).tolist() == [long, short]
        return mask.bool() & (torch.arange(long) >= 2)

    tokens[:] = False
    tokens[0, 2:] = tokens[1, 2:short] = True
    return second_half, tokens


@pytest.mark.parametrize("way", ["last", "ints", "bools", "function"])
@every_site
def test_these_neurons_change_at_these_positions_only(case, name, side, site, way):
    model, sites, space, inputs = case(name, side, site)
    layer = middle_layer(space)
    intact = states_at(model, sites, layer, inputs)
    mask = some_neurons(space, layer)
    positions, tokens = chosen_by_hand(way, side)

    before, after = states_at(model, sites, layer, inputs, mask, positions=positions)

    columns = torch.as_tensor(mask.columns - space.columns(layer).start)
    expected = intact.clone()
    for sentence, token in tokens.nonzero():
        expected[sentence, token, columns] = torch.as_tensor(mask.replacement).float()[mask.columns]
    if site != "lstm_cell":
        assert torch.equal(before, intact)  # not changed in place
        assert torch.equal(after, expected)
        return
    for sentence, first in enumerate(tokens.int().argmax(1)):  # a later step goes on from there
        seen = slice(0, int(first) + 1)
        assert torch.equal(before[sentence, seen], intact[sentence, seen])
        assert torch.equal(after[sentence, seen], expected[sentence, seen])
    assert torch.equal(after[tokens][:, columns], expected[tokens][:, columns])


@every_site
def test_each_sentence_has_its_own_gates_and_values(case, name, side, site):
    model, sites, space, inputs = case(name, side, site)
    generator = torch.Generator().manual_seed(1)
    gates = (torch.rand(2, space.n_neurons, generator=generator) < 0.2).float()
    gates[1] /= 2
    values = values_of(space, rows=(2,))
    with replacing_neurons(model, sites, space, gates, values):
        together = logits(model, inputs)
    for row in range(2):
        with replacing_neurons(model, sites, space, gates[row], values[row]):
            torch.testing.assert_close(together[row], logits(model, inputs)[row])
    assert not torch.allclose(together, logits(model, inputs))


@every_site
def test_gradients_reach_the_gates_and_values_of_every_layer(case, name, side, site):
    model, sites, space, inputs = case(name, side, site)
    gates = torch.full((space.n_neurons,), 0.4, requires_grad=True)
    values = values_of(space).requires_grad_()
    with replacing_neurons(model, sites, space, gates, values):
        model(**inputs).logits[0].square().mean().backward()
    model.zero_grad()
    for gradient in (gates.grad, values.grad):
        assert torch.isfinite(gradient).all()
        assert all(gradient[space.columns(layer)].any() for layer in space.layers)


@pytest.mark.parametrize(
    ("name", "site"), [("gpt2", "attention_heads"), ("lstm", "lstm_cell"), ("bert", "mlp")]
)
def test_the_gradients_are_those_of_finite_differences(name, site):
    model = build(name, VOCABULARY, ARCHITECTURES[name].head).double()
    model.requires_grad_(False)
    sites = find_sites(model, site)
    layer = max(sites.widths)
    space = NeuronSpace(name, site, (layer,), (sites.widths[layer],))
    inputs = inputs_of(model)
    inputs = {key: value[:, :3] for key, value in inputs.items()}

    def odds(gates, values):
        with replacing_neurons(model, sites, space, gates, values, positions="last"):
            return model(**inputs).logits[:, -1, :2]

    gates = torch.full((space.n_neurons,), 0.3, dtype=torch.double, requires_grad=True)
    values = values_of(space, rows=(2,)).double().requires_grad_()
    assert torch.autograd.gradcheck(odds, (gates, values))


@pytest.mark.parametrize("rows", [(), (2,)])
def test_a_given_replacement_stands_for_that_of_the_mask(case, rows):
    model, sites, space, inputs = case("gpt2", site="mlp")
    values = values_of(space, 5, rows)
    columns = space.columns(1)
    mask = full(space, np.zeros(space.n_neurons))
    for given in (values, values.numpy()):
        _, after = states_at(model, sites, 1, inputs, mask, replacement=given)
        expected = values[..., columns]
        expected = expected[:, None] if rows else expected
        assert torch.equal(after, expected.expand_as(after))


def test_half_open_gates_give_the_arithmetic_mean(case):
    model, sites, space, inputs = case("bert", site="mlp")
    intact = states_at(model, sites, 1, inputs)
    mask = some_neurons(space, 1, gate=0.5)
    _, after = states_at(model, sites, 1, inputs, mask)
    columns = mask.columns - space.columns(1).start
    values = torch.as_tensor(mask.replacement).float()[mask.columns]
    torch.testing.assert_close(after[..., columns], (intact[..., columns] + values) / 2)


def test_layers_may_be_in_any_order_and_some_only(case):
    model, sites, whole, inputs = case("gpt2", site="mlp")
    space = whole.select([2, 0])
    values = values_of(space)
    for layer, expected in ((2, values[:24]), (0, values[24:])):
        _, after = states_at(model, sites, layer, inputs, full(space, values))
        assert torch.equal(after, expected.expand_as(after))
    intact = states_at(model, sites, 0, inputs)
    _, after = states_at(model, sites, 0, inputs, some_neurons(whole, 1))
    assert torch.equal(after, intact)


def test_a_replaced_cell_is_what_the_recurrence_goes_on_from(case):
    """The steps after a full replacement, computed by hand."""
    model, sites, space, inputs = case("lstm", site="lstm_cell")
    values = values_of(space)
    mask = NeuronMask.of(space, range(16), values.numpy())
    hidden = states_at(model, find_sites(model, "hidden_states"), 1, inputs)
    _, cells = states_at(model, sites, 0, inputs, mask, positions=np.array([2, 2]))
    lstm = model.model.layers[0].lstm
    with torch.no_grad():
        embedded = model.model.embeddings(inputs["input_ids"])[0, :4]
        gates = lstm.weight_ih_l0 @ embedded[2] + lstm.bias_ih_l0 + lstm.bias_hh_l0
        gates = gates + lstm.weight_hh_l0 @ hidden[0, 1]
        state = gates.chunk(4)[3].sigmoid() * values[:16].tanh()
        gates = lstm.weight_ih_l0 @ embedded[3] + lstm.bias_ih_l0 + lstm.bias_hh_l0
        enter, forget, new, _ = (gates + lstm.weight_hh_l0 @ state).chunk(4)
        expected = forget.sigmoid() * values[:16] + enter.sigmoid() * new.tanh()
    torch.testing.assert_close(cells[0, 3], expected)


@pytest.mark.parametrize("name", ["lstm", "gpt2", "bert"])
def test_the_last_token_of_a_batch_padded_on_the_left(case, name):
    model, sites, space, inputs = case(name)
    inputs = {key: value.flip(1) for key, value in inputs.items()}
    intact = states_at(model, sites, 1, inputs)
    mask = some_neurons(space, 1)
    _, after = states_at(model, sites, 1, inputs, mask, positions="last")
    assert (after != intact).any(-1).tolist() == [[False] * 6 + [True]] * 2
    assert torch.equal(
        after[:, -1, mask.columns - 16],
        torch.tensor(mask.replacement).float()[mask.columns].expand(2, 3),
    )


@pytest.mark.parametrize("name", ["lstm", "gpt2", "bert"])
def test_positions_do_not_depend_on_how_the_model_is_called(case, name):
    model, sites, space, inputs = case(name)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    embedded = model.get_input_embeddings()(ids).detach()
    neurons = some_neurons(space, 1)
    with torch.no_grad(), intervene(model, neurons, positions="last", sites=sites):
        expected = model(input_ids=ids, attention_mask=mask).logits
        by_embedding = model(inputs_embeds=embedded, attention_mask=mask).logits
        torch.testing.assert_close(by_embedding, expected)
        without_mask = model(ids).logits
    with intervene(model, neurons, positions=torch.tensor([6, 6]), sites=sites), torch.no_grad():
        assert torch.equal(without_mask, model(ids).logits)


def test_a_loaded_model_finds_its_own_sites(make_model):
    loaded = load_model(make_model("gpt2"), device="cpu")
    sites = find_sites(loaded.model, "mlp")
    space = NeuronSpace(loaded.name, "mlp", (0, 1), (32, 32))
    ids = torch.randint(5, 20, (2, 6))
    found = {}
    with (
        torch.no_grad(),
        intervene(loaded, full(space, np.full(64, 0.25))),
        record(loaded.model, sites, found.__setitem__),
    ):
        loaded.model(ids)
    assert all((states == 0.25).all() for states in found.values())


def test_neurons_of_a_model_in_half_precision():
    model = build("gpt2", VOCABULARY, "AutoModelForCausalLM").to(torch.bfloat16)
    sites = find_sites(model, "mlp")
    space = NeuronSpace("gpt2", "mlp", (1,), (24,))
    inputs = inputs_of(model)
    values = values_of(space)
    _, after = states_at(model, sites, 1, inputs, full(space, values), positions="last")
    assert after.dtype == torch.bfloat16
    assert torch.equal(after[0, 6], values.to(torch.bfloat16))
    assert torch.equal(after[1, 3], values.to(torch.bfloat16))


# What is refused.


def test_a_site_the_model_does_not_have(case):
    model, *_ = case("bert")
    space = NeuronSpace("bert", "lstm_cell", (0,), (16,))
    with (
        pytest.raises(InputError, match="another site"),
        intervene(model, full(space, np.zeros(16))),
    ):
        pytest.fail("the block ran")


@pytest.mark.parametrize("shape", [(71,), (2, 71), (2, 1, 72), (), (3, 72)])
def test_gates_and_values_of_other_shapes(case, shape):
    model, sites, space, inputs = case("bert", site="mlp")
    good, bad = torch.ones(72), torch.ones(shape)
    for gates, values in ((good, bad), (bad, good)):
        with (
            pytest.raises(InputError, match=r"give \(72,\) or|of 3 sentences, not 2"),
            replacing_neurons(model, sites, space, gates, values),
        ):
            logits(model, inputs)
    with (
        pytest.raises(InputError, match=r"give \(72,\) or|of 3 sentences, not 2"),
        intervene(model, full(space, good), replacement=bad, sites=sites),
    ):
        logits(model, inputs)


def test_a_replacement_that_is_no_number(case):
    model, sites, space, _ = case("bert", site="mlp")
    for bad in (np.nan, np.inf):
        with (
            pytest.raises(InputError, match="a replacement is NaN, infinite"),
            intervene(model, full(space, np.ones(72)), replacement=np.full(72, bad), sites=sites),
        ):
            pytest.fail("the block ran")


def test_what_stands_where_nothing_is_replaced_does_not_matter():
    """Also numbers that a half-precision model does not have, which are refused elsewhere."""
    model = build("gpt2", VOCABULARY, "AutoModelForCausalLM").half()
    sites, inputs = find_sites(model, "hidden_states"), inputs_of(model)
    space = NeuronSpace("m", sites.site, tuple(sites.widths), tuple(sites.widths.values()))
    before = logits(model, inputs)
    gates, values = np.zeros(space.n_neurons), np.full(space.n_neurons, 1e5)
    with intervene(model, NeuronMask(space, gates, values), sites=sites):
        assert torch.equal(logits(model, inputs), before)
    gates[3] = 1
    with (
        pytest.raises(InputError, match=r"a replacement is .* too large for float16"),
        intervene(model, NeuronMask(space, gates, values), sites=sites),
    ):
        pytest.fail("the block ran")
    with (
        pytest.raises(InputError, match=r"a shift is .* too large for float16"),
        add_to_neurons(model, space, values, sites=sites),
    ):
        pytest.fail("the block ran")
