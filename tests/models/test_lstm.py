"""The LSTM language model: its arithmetic by hand, and transformers' conventions."""

import json

import pytest
import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

from neurox_lite.embedded import embedded_path
from neurox_lite.models.lstm import LSTMConfig, LSTMForCausalLM, LSTMModel

LENGTHS = (5, 2, 7, 1)
PAD = 0


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = LSTMConfig(vocab_size=30, hidden_size=6, pad_token_id=PAD, initializer_range=1.0)
    return LSTMForCausalLM(config).eval()


@pytest.fixture
def sentences():
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(1, 30, (length,), generator=generator) for length in LENGTHS]


def padded(sentences, side):
    """Token ids and attention mask of a padded batch, written out by hand."""
    width = max(LENGTHS)
    ids = torch.full((len(sentences), width), PAD)
    mask = torch.zeros(len(sentences), width, dtype=torch.long)
    for row, sentence in enumerate(sentences):
        start = width - len(sentence) if side == "left" else 0
        ids[row, start : start + len(sentence)] = sentence
        mask[row, start : start + len(sentence)] = 1
    return ids, mask


@torch.no_grad()
def test_one_layer_is_the_lstm_recurrence():
    torch.manual_seed(3)
    model = LSTMModel(LSTMConfig(vocab_size=9, hidden_size=4, num_hidden_layers=1)).eval()
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    weights = dict(model.layers[0].lstm.named_parameters())
    hidden, cell, expected = torch.zeros(4), torch.zeros(4), []
    for token in ids[0]:
        gates = (
            weights["weight_ih_l0"] @ model.embeddings.weight[token]
            + weights["weight_hh_l0"] @ hidden
            + weights["bias_ih_l0"]
            + weights["bias_hh_l0"]
        )
        enter, forget, new, show = gates.split(4)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        hidden = torch.sigmoid(show) * torch.tanh(cell)
        expected.append(hidden)
    found = model(ids).last_hidden_state[0]
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-6, rtol=0)


@pytest.mark.parametrize("side", ["left", "right"])
@torch.no_grad()
def test_a_padded_batch_equals_one_by_one(model, sentences, side):
    ids, mask = padded(sentences, side)
    batch = model(ids, attention_mask=mask, output_hidden_states=True)
    for row, sentence in enumerate(sentences):
        alone = model(sentence[None], output_hidden_states=True)
        real = mask[row].bool()
        torch.testing.assert_close(batch.logits[row, real], alone.logits[0], atol=1e-6, rtol=0)
        for together, single in zip(batch.hidden_states, alone.hidden_states, strict=True):
            torch.testing.assert_close(together[row, real], single[0], atol=1e-6, rtol=0)


@torch.no_grad()
def test_without_the_mask_left_padding_changes_activations(model, sentences):
    """The negative control of the test above: the padding would matter if it were read."""
    ids, mask = padded(sentences, "left")
    masked, unmasked = model(ids, attention_mask=mask).logits, model(ids).logits
    assert (masked - unmasked)[mask.bool()].abs().max() > 1e-3


@torch.no_grad()
def test_hidden_states_are_what_hooks_record(model, sentences):
    ids, mask = padded(sentences, "left")
    recorded = []
    modules = [model.model.embeddings, *model.model.layers]
    handles = [
        module.register_forward_hook(lambda _, __, output: recorded.append(output))
        for module in modules
    ]
    output = model(ids, attention_mask=mask, output_hidden_states=True)
    for handle in handles:
        handle.remove()
    assert len(output.hidden_states) == 3
    for state, record in zip(output.hidden_states, recorded, strict=True):
        assert state.shape == (4, 7, 6)
        assert torch.equal(state, record)
    last = model.model(ids, attention_mask=mask).last_hidden_state
    assert torch.equal(output.hidden_states[-1], last)
    assert torch.equal(output.hidden_states[0], model.model.embeddings.weight[ids])


@torch.no_grad()
def test_what_a_hook_writes_reaches_the_next_layer(model, sentences):
    ids = sentences[0][None]
    intact = model(ids).logits
    same = model.model.layers[0].register_forward_hook(lambda _, __, output: output.clone())
    assert torch.equal(model(ids).logits, intact)
    same.remove()
    zero = model.model.layers[0].register_forward_hook(lambda _, __, output: output * 0)
    assert not torch.allclose(model(ids).logits, intact)
    zero.remove()
    assert torch.equal(model(ids).logits, intact)


@torch.no_grad()
def test_the_future_changes_nothing(model):
    first, second = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[1, 2, 3, 9]])
    assert torch.equal(model(first).logits[:, :3], model(second).logits[:, :3])


@torch.no_grad()
def test_loss_is_the_mean_cross_entropy_of_the_next_token(model):
    ids = torch.tensor([[5, 6, 7, 8]])
    output = model(ids, labels=torch.tensor([[5, 6, -100, 8]]))
    probabilities = output.logits[0].double().softmax(-1)
    expected = -(probabilities[0, 6].log() + probabilities[2, 8].log()) / 2
    torch.testing.assert_close(output.loss.double(), expected, atol=1e-6, rtol=0)


def test_training_lowers_the_loss(model, sentences):
    ids, mask = padded(sentences, "right")
    labels = ids.masked_fill(mask == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    losses = []
    for _ in range(30):
        loss = model(ids, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@torch.no_grad()
def test_save_and_load_through_the_auto_classes(model, sentences, tmp_path):
    model.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert sum(file.get_tensor(key).numel() for key in file.keys()) == model.num_parameters()  # noqa: SIM118
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "neurox_lstm"
    ids = sentences[0][None]
    assert isinstance(AutoConfig.from_pretrained(tmp_path), LSTMConfig)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert isinstance(loaded, LSTMForCausalLM)
    assert not loaded.training
    assert torch.equal(loaded(ids).logits, model(ids).logits)
    assert loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight
    base = AutoModel.from_pretrained(tmp_path)
    assert isinstance(base, LSTMModel)
    assert torch.equal(base(ids).last_hidden_state, model.model(ids).last_hidden_state)


@torch.no_grad()
def test_inputs_and_outputs_as_transformers_has_them(model, sentences):
    ids = sentences[0][None]
    embedded = model.get_input_embeddings()(ids)
    assert torch.equal(model(inputs_embeds=embedded).logits, model(ids).logits)
    everything = model(ids, output_hidden_states=True).hidden_states
    assert model(ids).hidden_states is None
    chosen = model(ids, output_hidden_states=[1]).hidden_states
    assert [state is None for state in chosen] == [True, False, True]
    assert torch.equal(chosen[1], everything[1])
    logits, states = model(ids, output_hidden_states=True, return_dict=False)
    assert torch.equal(logits, model(ids).logits)
    assert torch.equal(states[2], everything[2])
    for inputs in ({}, {"input_ids": ids, "inputs_embeds": embedded}):
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(**inputs)


@torch.no_grad()
def test_the_committed_tokenizer_and_model_work_together():
    folder = embedded_path("models/lstm-0")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    encoded = tokenizer(["The boys", "The athlete behind the bikes"], padding=True)
    assert tokenizer.convert_ids_to_tokens(encoded["input_ids"][0])[:3] == ["<s>", "The", "boys"]
    assert model(torch.tensor(encoded["input_ids"])).logits.shape == (2, 6, len(tokenizer))
