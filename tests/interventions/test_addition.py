"""Numbers added to neurons of running models: by this much, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions.addition import add_to_neurons, adding_to_neurons
from neurox_lite.interventions.intervene import intervene
from neurox_lite.models.hooks import record
from neurox_lite.models.loading import LoadedModel, load_model
from neurox_lite.models.sites import find_sites
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask
from tests.architectures import ARCHITECTURES, build
from tests.interventions.test_intervene import (
    chosen_by_hand,
    middle_layer,
    states_at,
    values_of,
)
from tests.models.test_sites import VOCABULARY, every_site, inputs_of, logits


def shift_of(space, layer):
    """A shift of three neurons of a layer."""
    first = space.columns(layer).start
    columns = [first, first + 2, first + space.widths[0] - 1]
    shift = np.zeros(space.n_neurons, dtype=np.float32)
    shift[columns] = 0.5, -2.0, 1.25
    return shift


def added_states(model, sites, space, layer, inputs, shift, **options):
    """States of a layer before and after it is added to."""
    before, after = {}, {}
    with (
        torch.no_grad(),
        record(model, sites, before.__setitem__, [layer]),
        add_to_neurons(model, space, shift, sites=sites, **options),
        record(model, sites, after.__setitem__, [layer]),
    ):
        model(**inputs)
    return before[layer], after[layer].clone()


@every_site
def test_a_shift_of_zero_leaves_the_logits_bit_identical(case, name, side, site):
    model, sites, space, inputs = case(name, side, site)
    intact = logits(model, inputs)
    with add_to_neurons(model, space, np.zeros(space.n_neurons), sites=sites, positions="last"):
        assert torch.equal(logits(model, inputs), intact)
    with add_to_neurons(model, space, torch.zeros(2, space.n_neurons), sites=sites):
        assert torch.equal(logits(model, inputs), intact)


@pytest.mark.parametrize("way", ["bools", "last"])
@every_site
def test_these_neurons_are_shifted_at_these_positions_only(case, name, side, site, way):
    model, sites, space, inputs = case(name, side, site)
    layer = middle_layer(space)
    intact = states_at(model, sites, layer, inputs)
    shift = shift_of(space, layer)
    positions, tokens = chosen_by_hand(way, side)

    before, after = added_states(model, sites, space, layer, inputs, shift, positions=positions)

    own = torch.as_tensor(shift)[space.columns(layer)]
    expected = torch.where(tokens[..., None], intact + own, intact)
    if site != "lstm_cell":
        assert torch.equal(before, intact)  # not changed in place
        assert torch.equal(after, expected)
        return
    for sentence, first in enumerate(tokens.int().argmax(1)):  # a later step goes on from there
        seen = slice(0, int(first) + 1)
        assert torch.equal(before[sentence, seen], intact[sentence, seen])
        assert torch.equal(after[sentence, seen], expected[sentence, seen])
        assert not torch.equal(before[sentence, -1], intact[sentence, -1]) or way == "last"


@every_site
def test_each_sentence_has_its_own_shift_and_every_layer_a_gradient(case, name, side, site):
    model, sites, space, inputs = case(name, side, site)
    shifts = values_of(space, rows=(2,)).requires_grad_()
    with adding_to_neurons(model, sites, space, shifts):
        together = model(**inputs).logits
    together.square().mean().backward()
    model.zero_grad()
    assert torch.isfinite(shifts.grad).all()
    assert all(shifts.grad[:, space.columns(layer)].any(1).all() for layer in space.layers)
    for row in range(2):
        with add_to_neurons(model, space, shifts[row].detach(), sites=sites):
            torch.testing.assert_close(together[row], logits(model, inputs)[row])


@pytest.mark.parametrize(("name", "site"), [("gpt2", "attention_heads"), ("lstm", "lstm_cell")])
def test_the_gradients_are_those_of_finite_differences(name, site):
    model = build(name, VOCABULARY, ARCHITECTURES[name].head).double()
    model.requires_grad_(False)
    sites = find_sites(model, site)
    layer = max(sites.widths)
    space = NeuronSpace(name, site, (layer,), (sites.widths[layer],))
    inputs = {key: value[:, :3] for key, value in inputs_of(model).items()}

    def odds(shifts):
        with adding_to_neurons(model, sites, space, shifts, positions="last"):
            return model(**inputs).logits[:, -1, :2]

    shifts = values_of(space, rows=(2,)).double().requires_grad_()
    assert torch.autograd.gradcheck(odds, (shifts,))


@pytest.mark.parametrize("name", ["lstm-0", "gpt2"])
def test_the_last_states_shifted_by_s_shift_the_logits_by_W_s(name):
    """The output layer is linear, so the effect of a shift of its input is known."""
    loaded = load_model(embedded_path(f"models/{name}"), device="cpu", head="language")
    sites = find_sites(loaded.model, "hidden_states")
    layer = max(sites.widths)
    space = NeuronSpace(loaded.name, "hidden_states", (layer,), (sites.widths[layer],))
    ids = loaded.tokenizer(["The boy near the cars smiles ."], return_tensors="pt")["input_ids"]
    shift = values_of(space)
    with torch.no_grad():
        intact = loaded.model(ids).logits[0]
        with add_to_neurons(loaded, space, shift, positions="last"):
            found = loaded.model(ids).logits[0]
        by_hand = loaded.model.get_output_embeddings().weight @ shift
    assert torch.equal(found[:-1], intact[:-1])
    torch.testing.assert_close(found[-1] - intact[-1], by_hand, atol=1e-4, rtol=1e-4)


def test_a_replacement_by_the_shifted_value_is_the_same(case):
    model, sites, space, inputs = case("gpt2", site="mlp")
    shift = shift_of(space, 1)
    states = states_at(model, sites, 1, inputs)[:, 3]
    columns = np.flatnonzero(shift)
    values = torch.zeros(2, space.n_neurons)
    values[:, space.columns(1)] = states + torch.as_tensor(shift)[space.columns(1)]
    options = {"positions": np.array([3, 3]), "sites": sites}
    with intervene(model, NeuronMask.of(space, columns), replacement=values, **options):
        replaced = logits(model, inputs)
    with add_to_neurons(model, space, shift, **options):
        torch.testing.assert_close(logits(model, inputs), replaced)


def test_neurons_of_a_model_in_half_precision():
    model = build("gpt2", VOCABULARY, "AutoModelForCausalLM").to(torch.bfloat16)
    sites = find_sites(model, "mlp")
    space = NeuronSpace("gpt2", "mlp", (1,), (24,))
    inputs = inputs_of(model)
    intact = states_at(model, sites, 1, inputs)
    _, after = added_states(model, sites, space, 1, inputs, np.full(24, 0.1))
    assert after.dtype == torch.bfloat16
    assert torch.equal(after, intact + torch.tensor(0.1, dtype=torch.bfloat16))


# What is refused.


def test_neurons_of_another_model():
    loaded = LoadedModel(build("gpt2", 99, "AutoModelForCausalLM"), None, "tiny", "sha256:1")
    space = NeuronSpace("other", "mlp", (1,), (24,), "sha256:2")
    with (
        pytest.raises(InputError, match=r"was made from other \(sha256:2\), not from this model"),
        add_to_neurons(loaded, space, np.zeros(24)),
    ):
        pytest.fail("the block ran")


@pytest.mark.parametrize("shape", [(71,), (2, 71), (2, 1, 72), (), (3, 72)])
def test_shifts_of_other_shapes(case, shape):
    model, sites, space, inputs = case("bert", site="mlp")
    with (
        pytest.raises(InputError, match=r"shifts of .*give \(72,\) or|shifts of 3 sentences"),
        add_to_neurons(model, space, np.zeros(shape), sites=sites),
    ):
        logits(model, inputs)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_shift_that_is_no_number(case, bad):
    model, sites, space, _ = case("bert", site="mlp")
    with (
        pytest.raises(InputError, match="a shift is NaN, infinite or too large for float32"),
        add_to_neurons(model, space, np.full(72, bad), sites=sites),
    ):
        pytest.fail("the block ran")
