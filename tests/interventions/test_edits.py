"""What replacing and adding have in common: where they act, what they refuse, what they leave."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite.errors import InputError
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.interventions.intervene import intervene
from neurox_lite.models.neuron_spaces import check_space
from neurox_lite.neurons import NeuronSpace
from tests.interventions.test_intervene import full, values_of
from tests.models.test_sites import logits


def replace_all(model, space, **options):
    return intervene(model, full(space, values_of(space)), **options)


def add_to_all(model, space, **options):
    return add_to_neurons(model, space, values_of(space), **options)


pytestmark = pytest.mark.parametrize("edit", [replace_all, add_to_all])


def n_hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.mark.parametrize("site", ["lstm_cell", "hidden_states"])
def test_one_step_of_the_lstm_changes_only_what_follows(case, edit, site):
    model, sites, space, inputs = case("lstm", site=site)
    intact = logits(model, inputs)
    with edit(model, space.select([1]), positions=torch.tensor([3, 2]), sites=sites):
        changed = logits(model, inputs)
    for sentence, (step, end) in enumerate([(3, 7), (2, 4)]):
        assert torch.equal(changed[sentence, :step], intact[sentence, :step])
        assert (changed[sentence, step:end] != intact[sentence, step:end]).any(-1).all()


@pytest.mark.parametrize(
    ("name", "site"), [("lstm", "lstm_cell"), ("albert", "mlp"), ("xlnet", "hidden_states")]
)
def test_hooks_are_gone_afterwards(case, edit, name, site):
    model, sites, space, inputs = case(name, site=site)
    intact, before = logits(model, inputs), n_hooks(model)
    with edit(model, space, positions="last", sites=sites):
        logits(model, inputs)
        assert n_hooks(model) > before
    assert n_hooks(model) == before
    with pytest.raises(ZeroDivisionError), edit(model, space, positions="last", sites=sites):
        raise ZeroDivisionError
    assert n_hooks(model) == before
    with (
        pytest.raises(InputError, match="a position is not one of the 7 tokens"),
        edit(model, space, positions=torch.tensor([6, 7]), sites=sites),
    ):
        logits(model, inputs)
    assert n_hooks(model) == before
    assert torch.equal(logits(model, inputs), intact)


# What is refused.


@pytest.mark.parametrize(
    ("site", "layers", "widths", "message"),
    [
        ("hidden_states", (0,), (16,), "neurons of 'hidden_states' in a model's 'mlp'; use one"),
        ("mlp", (1, 3), (24, 24), "no layer 3 at 'mlp'; the model has layers 0, 1, 2"),
        ("mlp", (0, 1), (24, 16), "layer 1 has 24 neurons at 'mlp', not 16; give what was"),
    ],
)
def test_neurons_the_model_does_not_have(case, edit, site, layers, widths, message):
    model, sites, _, _ = case("bert", site="mlp")
    space = NeuronSpace("bert", site, layers, widths)
    with pytest.raises(InputError, match=message):
        check_space(sites, space)
    before = n_hooks(model)
    with pytest.raises(InputError, match=message), edit(model, space, sites=sites):
        pytest.fail("the block ran")
    assert n_hooks(model) == before


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (torch.tensor([0, 7]), "a position is not one of the 7 tokens of the batch"),
        (np.array([-1, 0]), "a position is not one of the 7 tokens of the batch"),
        (np.array([6, 5]), "a position is not one of the 7 tokens of the batch, or is padding"),
        (np.array([0.0, 1.0]), r"positions of shape \(2,\).* give one token per sentence"),
        (np.array([0, 1, 2]), r"positions of shape \(3,\)"),
        (torch.tensor([True, False]), r"positions of shape \(2,\)"),
        (torch.ones(2, 6, dtype=torch.bool), r"bools of shape \(2, 7\)"),
        (torch.ones(2, 7), r"bools of shape \(2, 7\)"),
        (lambda ids, mask: mask, r"bools of shape \(2, 7\)"),
        (lambda ids, mask: ids[:, :3] > 0, r"positions of shape \(2, 3\)"),
    ],
)
def test_positions_that_do_not_fit(case, edit, positions, message):
    model, sites, space, inputs = case("bert", site="mlp")
    with (
        pytest.raises(InputError, match=message),
        edit(model, space, positions=positions, sites=sites),
    ):
        logits(model, inputs)


def test_unknown_positions_are_refused_before_anything_runs(case, edit):
    model, sites, space, _ = case("bert", site="mlp")
    with (
        pytest.raises(InputError, match="unknown positions 'first'; use all, last, an array or"),
        edit(model, space, positions="first", sites=sites),
    ):
        pytest.fail("the block ran")
