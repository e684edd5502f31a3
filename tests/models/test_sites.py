"""Every site of every architecture: found, read, written back, and it matters.

Of `sites`, `calls`, `blocks`, `declared`, `hidden_states`, `feed_forward`, `attention_heads`.

Also of ``neurox_lite.models.attention_heads``, ``neurox_lite.models.blocks``,
``neurox_lite.models.calls``, ``neurox_lite.models.declared``,
``neurox_lite.models.feed_forward``, ``neurox_lite.models.hidden_states``.
"""

from __future__ import annotations

import pytest
import torch
import transformers as tf
from torch import nn

from neurox_lite.errors import InputError
from neurox_lite.models.experts import IMPLEMENTATION
from neurox_lite.models.hooks import record, rewrite
from neurox_lite.models.sites import SITES, find_sites
from tests.architectures import ARCHITECTURES, build

VOCABULARY = 99
CASES = [
    (name, side, site)
    for name, architecture in ARCHITECTURES.items()
    for side in (["encoder", "decoder"] if architecture.decoder_layers else ["encoder"])
    for site in SITES
]
HAVE = [case for case in CASES if case[2] not in ARCHITECTURES[case[0]].without]
LACK = [case for case in CASES if case[2] in ARCHITECTURES[case[0]].without]


def inputs_of(model: tf.PreTrainedModel) -> dict[str, torch.Tensor]:
    """Two sentences of seven and four tokens."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, VOCABULARY, (2, 7), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids[:, :5]
    return inputs


def logits(model, inputs):
    with torch.no_grad():
        return model(**inputs).logits


def recorded(model, sites, inputs, **options):
    found = {}
    with (
        torch.no_grad(),
        record(model, sites, lambda layer, s: found.__setitem__(layer, s.clone())),
    ):
        output = model(**inputs, **options)
    return found, output


def every_site(test):
    """The matrix of architectures, sides and sites, which takes minutes in all."""
    return pytest.mark.heavy(pytest.mark.parametrize(("name", "side", "site"), HAVE)(test))


@pytest.fixture(scope="module")
def with_head():
    """One model with logits per architecture."""
    made = {}

    def make(name):
        if name not in made:
            made[name] = build(name, VOCABULARY, ARCHITECTURES[name].head)
        return made[name]

    return make


def test_the_matrix_has_at_least_24_architectures():
    assert len(ARCHITECTURES) >= 24


@every_site
def test_layers_and_widths(name, side, site):
    architecture = ARCHITECTURES[name]
    sites = find_sites(build(name, VOCABULARY), site, side=side)

    n_blocks = architecture.decoder_layers if side == "decoder" else architecture.n_layers
    assert list(sites.widths) == list(range(n_blocks + (site == "hidden_states")))
    if site == "mlp":
        is_decoder = side == "decoder"
        width = architecture.decoder_mlp_width if is_decoder else architecture.mlp_width
        assert set(sites.widths.values()) == {width}
    elif site != "attention_heads":
        assert set(sites.widths.values()) == {16}


@pytest.mark.parametrize(
    ("name", "side"), [(n, side) for n, side, site in HAVE if site == "hidden_states"]
)
def test_recorded_by_hook_equals_output_hidden_states(with_head, name, side):
    model = with_head(name)
    sites = find_sites(model, "hidden_states", side=side)

    found, output = recorded(model, sites, inputs_of(model), output_hidden_states=True)

    is_pair = model.config.is_encoder_decoder
    expected = output[f"{side}_hidden_states" if is_pair else "hidden_states"]
    assert len(found) == len(expected) == len(sites.widths)
    for layer, states in enumerate(expected):
        assert torch.equal(found[layer], states), layer


@every_site
def test_writing_back_what_was_read_leaves_the_logits_bit_identical(with_head, name, side, site):
    model = with_head(name)
    sites = find_sites(model, site, side=side)
    inputs = inputs_of(model)
    intact = logits(model, inputs)
    visited = set()

    def same(layer, position, states):
        visited.add(layer)
        return states.clone()

    with rewrite(model, sites, same):
        assert torch.equal(logits(model, inputs), intact)
    assert visited == set(sites.widths)
    assert torch.equal(logits(model, inputs), intact)


@every_site
def test_other_values_change_the_logits_from_any_layer(with_head, name, side, site):
    """The negative control: what is written does reach the output."""
    model = with_head(name)
    sites = find_sites(model, site, side=side)
    inputs = inputs_of(model)
    intact = logits(model, inputs)

    for layer in sites.widths:
        with rewrite(model, sites, lambda _, __, states: states * 0 + 1, [layer]):
            assert not torch.equal(logits(model, inputs), intact), layer


@every_site
def test_what_is_recorded_is_what_was_written(with_head, name, side, site):
    """Reading and writing are at the same place: a change is read by a later hook there."""
    model = with_head(name)
    sites = find_sites(model, site, side=side)
    layer = max(sites.widths)
    found = {}
    with (
        torch.no_grad(),
        rewrite(model, sites, lambda _, __, states: states * 0 + 0.5, [layer]),
        record(model, sites, lambda number, s: found.__setitem__(number, s.clone()), [layer]),
    ):
        model(**inputs_of(model))
    assert (found[layer] == 0.5).all()


@pytest.mark.parametrize(("name", "side", "site"), LACK)
def test_a_site_an_architecture_does_not_have_is_refused(name, side, site):
    with pytest.raises(InputError, match=r"another site"):
        find_sites(build(name, VOCABULARY), site, side=side)


def test_unknown_site_and_layer(with_head):
    model = with_head("bert")
    with pytest.raises(InputError, match="unknown site 'heads'; use hidden_states, mlp"):
        find_sites(model, "heads")
    sites = find_sites(model, "mlp")
    with (
        pytest.raises(InputError, match=r"site 'mlp' has layers \[0, 1, 2\], not \[3\]"),
        record(model, sites, print, [3]),
    ):
        pytest.fail("the block ran")


def test_hooks_are_gone_after_an_error(with_head):
    model = with_head("bert")
    sites = find_sites(model, "mlp")

    def hooks():
        return [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]

    before = hooks()
    with pytest.raises(ZeroDivisionError), record(model, sites, lambda *_: 1 / 0):
        model(**inputs_of(model))
    assert hooks() == before


@every_site
def test_stopping_at_the_last_wanted_layer_changes_nothing_that_is_read(
    with_head, name, side, site
):
    model = with_head(name)
    sites = find_sites(model, site, side=side)
    inputs = inputs_of(model)
    whole, _ = recorded(model, sites, inputs)
    wanted = list(sites.widths)[:-1] or list(sites.widths)
    with torch.no_grad():
        for _ in range(2):  # and nothing of the first pass is left for the second
            found = {}
            with record(model, sites, found.__setitem__, wanted, stop=True):
                model(**inputs)
            assert list(found) == wanted
            assert all(torch.equal(found[layer], whole[layer]) for layer in wanted)


def test_a_stopped_pass_does_not_run_the_blocks_above():
    model = build("bert", VOCABULARY)
    sites = find_sites(model, "mlp")
    calls, blocks = [], sites.points[0].module.split(".0.")[0]
    for number, block in enumerate(model.get_submodule(blocks)):
        block.register_forward_pre_hook(lambda *_, number=number: calls.append(number))
    with record(model, sites, lambda *_: None, [0, 1], stop=True):
        model(**inputs_of(model))
        pytest.fail("the pass was not stopped")
    assert calls == [0, 1]


# The neurons of each site, computed by other means.


def test_mlp_neurons_of_bert_are_the_activated_intermediate_layer(with_head):
    model = with_head("bert")
    inputs = inputs_of(model)
    found, output = recorded(model, find_sites(model, "mlp"), inputs, output_hidden_states=True)
    layer = model.bert.encoder.layer[1]
    with torch.no_grad():
        attended = layer.attention(output.hidden_states[1][:1], attention_mask=None)[0]
        expected = nn.functional.gelu(layer.intermediate.dense(attended))
    torch.testing.assert_close(found[1][:1], expected)


def test_mlp_neurons_of_llama_are_gate_times_up(with_head):
    model = with_head("llama")
    inputs = inputs_of(model)
    read = []
    mlp = model.model.layers[2].mlp
    sites = find_sites(model, "mlp")
    handle = mlp.register_forward_pre_hook(lambda _, args: read.append(args[0]))
    found, _ = recorded(model, sites, inputs)
    handle.remove()
    with torch.no_grad():
        expected = nn.functional.silu(mlp.gate_proj(read[0])) * mlp.up_proj(read[0])
    torch.testing.assert_close(found[2], expected)


def test_heads_of_gpt2_stand_side_by_side(with_head):
    """Without its second head, the attention's output is that of the first head's columns."""
    model = with_head("gpt2")
    sites = find_sites(model, "attention_heads")
    found, _ = recorded(model, sites, inputs_of(model))
    attention = model.transformer.h[0].attn
    outputs = []
    handle = attention.register_forward_hook(lambda _, __, out: outputs.append(out[0]))

    def without_second(layer, position, states):
        states = states.clone()
        states[..., 8:] = 0
        return states

    with rewrite(model, sites, without_second, [0]):
        logits(model, inputs_of(model))
    handle.remove()
    expected = found[0][..., :8] @ attention.c_proj.weight[:8] + attention.c_proj.bias
    torch.testing.assert_close(outputs[0], expected)


def test_experts_compute_what_transformers_computes(with_head):
    """And the neurons are zero exactly where the router did not choose the expert."""
    model = build("mixtral", VOCABULARY, "AutoModelForCausalLM")
    inputs = inputs_of(model)
    model.set_experts_implementation("eager")
    expected = logits(model, inputs)
    sites = find_sites(model, "mlp")
    assert model.config._experts_implementation == IMPLEMENTATION
    assert torch.equal(logits(model, inputs), expected)

    found, output = recorded(model, sites, inputs, output_router_logits=True)
    for layer, states in found.items():
        used = states.view(14, 4, 24).abs().sum(-1) > 0
        chosen = output.router_logits[layer].topk(2).indices
        assert torch.equal(used, torch.zeros(14, 4).scatter(1, chosen, 1).bool())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_experts_in_half_precision(dtype):
    """Whose router gives float32 shares."""
    model = build("mixtral", VOCABULARY, "AutoModelForCausalLM").to(dtype)
    inputs = inputs_of(model)
    model.set_experts_implementation("eager")
    expected = logits(model, inputs).float()
    sites = find_sites(model, "mlp")
    torch.testing.assert_close(logits(model, inputs).float(), expected, atol=0.02, rtol=0.05)
    found, _ = recorded(model, sites, inputs)
    assert all(states.dtype == dtype for states in found.values())


def test_cells_of_the_lstm_follow_its_recurrence(with_head):
    model = with_head("lstm")
    inputs = inputs_of(model)
    cells, _ = recorded(model, find_sites(model, "lstm_cell"), inputs)
    hidden, _ = recorded(model, find_sites(model, "hidden_states"), inputs)
    lstm = model.model.layers[1].lstm
    state, cell = torch.zeros(16), torch.zeros(16)
    for step in range(7):
        gates = (
            lstm.weight_ih_l0 @ hidden[1][0, step]
            + lstm.weight_hh_l0 @ state
            + lstm.bias_ih_l0
            + lstm.bias_hh_l0
        )
        enter, forget, new, show = gates.split(16)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        state = show.sigmoid() * cell.tanh()
        torch.testing.assert_close(cells[1][0, step], cell)


def test_a_cell_set_at_one_position_changes_only_what_follows(with_head):
    model = with_head("lstm")
    inputs = inputs_of(model)
    intact = logits(model, inputs)
    positions = []

    def change(layer, position, states):
        positions.append(position)
        return states + 1 if position == 3 else states

    with rewrite(model, find_sites(model, "lstm_cell"), change, [0]):
        changed = logits(model, inputs)
    assert positions == list(range(7))
    assert torch.equal(changed[:, :3], intact[:, :3])
    assert (changed[0, 3:] != intact[0, 3:]).any(-1).all()


# Modules named by the user.


@pytest.mark.parametrize(
    ("site", "modules"),
    [
        ("mlp", "bert.encoder.layer.{}.output.dense"),
        ("attention_heads", "bert.encoder.layer.{}.attention.output.dense"),
    ],
)
def test_named_modules_are_those_found(with_head, site, modules):
    model = with_head("bert")
    inputs = inputs_of(model)
    found, _ = recorded(model, find_sites(model, site), inputs)
    named, _ = recorded(model, find_sites(model, site, modules=modules), inputs)
    assert found.keys() == named.keys()
    assert all(torch.equal(found[layer], named[layer]) for layer in found)


def test_named_modules_give_what_structure_cannot(with_head):
    """XLNet ends its attention without a linear layer; the output of its attention has a name."""
    model = with_head("xlnet")
    inputs = inputs_of(model)
    modules = "transformer.layer.{}.rel_attn.layer_norm"
    sites = find_sites(model, "hidden_states", modules=modules)
    found, _ = recorded(model, sites, inputs)
    assert {tuple(states.shape) for states in found.values()} == {(2, 7, 16)}
    intact = logits(model, inputs)
    with rewrite(model, sites, lambda _, __, states: states.clone()):
        assert torch.equal(logits(model, inputs), intact)


def test_named_modules_that_do_not_exist(with_head):
    with pytest.raises(InputError, match=r"no module named 'h\.\{\}\.mlp' is called"):
        find_sites(with_head("bert"), "mlp", modules="h.{}.mlp")


def test_a_module_called_by_several_layers_has_no_number_of_its_own(with_head):
    name = "albert.encoder.albert_layer_groups.{}.albert_layers.0.ffn_output"
    with pytest.raises(InputError, match="is called once per layer"):
        find_sites(with_head("albert"), "mlp", modules=name)


def test_a_model_without_attention_has_no_heads():
    config = tf.FNetConfig(
        vocab_size=VOCABULARY, hidden_size=8, num_hidden_layers=2, intermediate_size=24
    )
    model = tf.FNetModel(config).eval()
    assert list(find_sites(model, "hidden_states").widths) == [0, 1, 2]
    assert find_sites(model, "mlp").widths == {0: 24, 1: 24}
    with pytest.raises(InputError, match="no list of blocks found that has 'attention_heads'"):
        find_sites(model, "attention_heads")
