"""What neurons write, against the running model in which all but the direct path is held.

Also of ``neurox_lite.models.path_proof``.
"""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from neurox_lite.errors import InputError
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.models.direct_paths import find_direct_paths
from neurox_lite.models.hooks import rewrite
from neurox_lite.models.sites import find_sites
from neurox_lite.neurons import NeuronSpace
from tests.architectures import ARCHITECTURES, build
from tests.small_models import small_model

VOCABULARY = 99
CAUSAL = [
    name
    for name, architecture in ARCHITECTURES.items()
    if architecture.head == "AutoModelForCausalLM" and name != "lstm"
]
MORE = {
    "granite": {},  # multiplies what it adds
    "cohere": {},  # multiplies its logits
    "olmo2": {},  # norms between sublayers and stream
    "deepseek_v3": {},  # experts for some tokens, and one for all
    "opt": {"word_embed_proj_dim": 24},  # a linear layer before the unembedding
}
"""Beside the matrix, and what is special about them."""

OTHER_FACTORS = ("gemma2", "gemma3", "olmo2", "mixtral", "deepseek_v3")
"""Shares of experts and divisors of norms between sublayers and stream differ by token, too."""

SITES = ("mlp", "attention_heads")
IDS = torch.arange(5, 82, 7)[None]
"""An odd number of tokens, so that one has the median divisor."""


@pytest.fixture(scope="module")
def causal():
    """One model of each architecture, in float64, and its sites."""
    made = {}

    def make(name):
        if name not in made:
            if name.startswith("small "):
                kind = name.removeprefix("small ")
                model = small_model(kind, "AutoModelForCausalLM", **MORE[kind])
            else:
                model = build(name, VOCABULARY, "AutoModelForCausalLM")
            # Before it is in float64, which is for the code of experts that this puts in only.
            made[name] = model, {site: find_sites(model, site) for site in SITES}
            model.double()
        return made[name]

    return make


@pytest.fixture(scope="module")
def told(causal):
    """Two neurons of every layer, and their effects (n_neurons, vocabulary) from the weights."""
    made = {}

    def make(name, site):
        if (name, site) not in made:
            model, every = causal(name)
            paths = find_direct_paths(model, every[site], every[site].widths, IDS)
            neurons = [(layer, unit) for layer in every[site].widths for unit in (1, 7)]
            vectors = [paths.vectors(layer, torch.tensor([unit])) for layer, unit in neurons]
            effects = torch.cat(vectors).double() @ paths.unembedding.T.double()
            made[name, site] = neurons, effects * paths.logit_scale
        return made[name, site]

    return make


def norms_of(model):
    return [m for m in model.modules() if type(m).__name__.endswith("Norm")]


def divisor(norm, states):
    """What a norm divides by, as the papers say."""
    if type(norm).__name__.endswith("LayerNorm"):
        states = states - states.mean(-1, keepdim=True)
    eps = norm.variance_epsilon if hasattr(norm, "variance_epsilon") else norm.eps
    return (states.square().mean(-1, keepdim=True) + eps).sqrt()


def uncapped(model, logits):
    """Gemma 2 caps its logits."""
    cap = getattr(model.config, "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.atanh(logits / cap)


@contextmanager
def hooked(parts, hook):
    handles = [module.register_forward_hook(hook) for module in parts]
    yield
    for handle in handles:
        handle.remove()


@torch.no_grad()
def direct_change(model, every, site, neurons, ids, step=0.1):
    """Change of the logits per unit, (n_neurons, n_tokens, vocabulary), of each neuron by itself.

    Of every norm the divisor is held, and of every sublayer but the neuron's own what it writes.
    """
    layer_of = torch.tensor([layer for layer, _ in neurons])
    writing = {
        model.get_submodule(point.module.removesuffix(".neurons")): (other, point.layers[0])
        for other, sites in every.items()
        for point in sites.points
    }
    norms = norms_of(model)
    zeros = [norm.weight.new_zeros(1, norm.weight.shape[-1]) for norm in norms]
    shift = {norm: norm(zero) for norm, zero in zip(norms, zeros, strict=True)}
    intact = {}

    def see(module, args, result):
        intact[module] = divisor(module, args[0]) if module in shift else result.clone()

    def hold(module, args, result):
        if module in shift:
            now = divisor(module, args[0])
            return shift[module] + (result - shift[module]) * now / intact[module]
        of_site, layer = writing[module]
        own = (layer_of == layer) & (of_site == site)
        per_neuron = (len(own), -1, result.shape[-1])
        new, old = result.view(per_neuron), intact[module].view(per_neuron)
        return torch.where(own[:, None, None], new, old).view(result.shape)

    def raised(layer, position, states):
        states = states.clone()
        for row, (own, unit) in enumerate(neurons):
            states[row, :, unit] += step * (own == layer)
        return states

    ids = ids.expand(len(neurons), -1)
    with hooked([*shift, *writing], see):
        before = uncapped(model, model(ids).logits)
    with hooked([*shift, *writing], hold), rewrite(model, every[site], raised):
        after = uncapped(model, model(ids).logits)
    return (after - before) / step


@torch.no_grad()
def total_change(model, sites, neuron, ids, step=1e-3):
    """Change of the logits per unit, (1, n_tokens, vocabulary), with nothing held."""
    space = NeuronSpace("", sites.site, tuple(sites.widths), tuple(sites.widths.values()))
    shift = np.zeros(space.n_neurons)
    shift[space.column(*neuron)] = step
    before = model(ids).logits
    with add_to_neurons(model, space, shift, sites=sites):
        return (model(ids).logits - before) / step


def compared(change, expected):
    """Of each neuron and token the ratio of change and effect, and their correlation; else NaN."""
    change = change.double() - change.double().mean(-1, keepdim=True)
    expected = (expected - expected.mean(-1, keepdim=True))[:, None]
    products = (change * expected).sum(-1)
    sizes = change.norm(dim=-1) * expected.norm(dim=-1)
    moves = sizes > 1e-9  # not where an expert reads other tokens
    ratios = products / expected.square().sum(-1)
    return ratios.where(moves, torch.nan), (products / sizes).where(moves, torch.nan)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("name", [*CAUSAL, *(f"small {kind}" for kind in MORE)])
def test_effects_are_the_changes_in_the_running_model(causal, told, name, site):
    model, every = causal(name)
    neurons, expected = told(name, site)

    change = direct_change(model, every, site, neurons, IDS)

    ratios, correlations = compared(change, expected)
    moved = ~ratios.isnan()
    assert moved.any(1).all()
    assert correlations[moved].min() > 1 - 1e-6
    top, expected_top = change.topk(5).indices, expected.topk(5).indices[:, None]
    assert (top == expected_top)[moved].all()
    if name.removeprefix("small ") in OTHER_FACTORS:
        assert ratios[moved].min() > 0.1 and 0.5 < ratios[moved].median() < 2
    else:
        assert moved.all()
        # At the token with the median divisor of the final norm.
        assert torch.allclose(ratios.median(1).values, torch.ones(1).double(), rtol=1e-3)


@pytest.mark.parametrize("name", CAUSAL)
def test_of_the_last_layer_with_nothing_held(causal, told, name):
    """But the divisors, which here, in models 16 wide, turn what is written by much."""
    model, every = causal(name)
    neurons, expected = (of_all[-2:] for of_all in told(name, "mlp"))

    change = torch.cat([total_change(model, every["mlp"], neuron, IDS) for neuron in neurons])

    correlations = compared(change, expected)[1]
    assert correlations.nanmedian() > 0.94
    moved = ~correlations.isnan()
    best = expected.topk(5).indices[:, None, :, None]
    is_best = (change.topk(5).indices[:, :, None] == best).any(2).double().mean(-1)
    assert is_best[moved].mean() > 0.6


def test_refused_models():
    """Each in one line."""
    for name, head, site, message in (
        ("bert", "AutoModelForMaskedLM", "mlp", "is neither a norm nor a linear layer"),
        ("roberta", "AutoModelForMaskedLM", "mlp", "layer 1 writes at 'mlp' does not get to the"),
        ("albert", "AutoModelForMaskedLM", "attention_heads", "layers share albert.encoder"),
        ("t5", "AutoModelForSeq2SeqLM", "mlp", "is an encoder-decoder"),
        ("gpt2", "AutoModel", "mlp", "a GPT2Model has no unembedding"),
    ):
        model = build(name, VOCABULARY, head)
        with pytest.raises(InputError, match=message) as caught:
            find_direct_paths(model, find_sites(model, site), [1], IDS)
        assert "\n" not in str(caught.value)


class ScaledLinear(nn.Linear):
    """As quantised ones are, whose weight is not what they multiply by."""

    def forward(self, states):
        return super().forward(states) * 0.5


class Gated(nn.Module):
    """A block whose additions are let through by how large they are."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, states, *args, **kwargs):
        added = self.block(states, *args, **kwargs) - states
        return states + added * torch.sigmoid(added.mean(-1, keepdim=True))


def test_a_gate_in_the_stream_is_refused_for_the_layer_it_is_around():
    model = build("gpt2", VOCABULARY, "AutoModelForCausalLM")
    model.transformer.h[1] = Gated(model.transformer.h[1])
    sites = find_sites(model, "mlp")
    assert list(find_direct_paths(model, sites, [0, 2], IDS).writes) == [0, 2]
    with pytest.raises(InputError, match="layer 1 writes at 'mlp' does not get to the logits"):
        find_direct_paths(model, sites, [0, 1], IDS)


def test_weights_that_are_not_what_a_layer_multiplies_by():
    model = build("llama", VOCABULARY, "AutoModelForCausalLM")
    down = model.model.layers[1].mlp.down_proj
    model.model.layers[1].mlp.down_proj = ScaledLinear(down.in_features, down.out_features, False)
    with pytest.raises(InputError, match=r"layers.1.mlp.down_proj does not multiply by its weight"):
        find_direct_paths(model, find_sites(model, "mlp"), [0], IDS)


def test_without_a_final_norm():
    model = build("llama", VOCABULARY, "AutoModelForCausalLM")
    model.model.norm = nn.Identity()
    paths = find_direct_paths(model, find_sites(model, "mlp"), [2], IDS)
    assert (paths.steps, paths.divisor) == ([], 1)
    column = model.model.layers[2].mlp.down_proj.weight[:, 5]
    assert torch.allclose(paths.vectors(2, torch.tensor([5]))[0], column)
