import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from neurox_lite.errors import InputError
from neurox_lite.models.loading import load_model, weights_hash

LIMITS = {"bert": 16, "roberta": 16, "gpt2": 64, "t5": None, "llama": 64, "lstm": None}


@pytest.fixture
def folder(make_model, tmp_path):
    """A copy of the tiny BERT that a test may damage."""
    return shutil.copytree(make_model("bert"), tmp_path / "model")


@pytest.mark.parametrize(("kind", "limit"), LIMITS.items())
def test_what_a_loaded_model_is(make_model, kind, limit):
    loaded = load_model(str(make_model(kind)), device="cpu")

    assert loaded.max_tokens == limit
    assert loaded.is_encoder_decoder == (kind == "t5")
    assert loaded.n_embeddings == len(loaded.tokenizer)
    assert not any(module.training for module in loaded.model.modules())
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert loaded.model.dtype == torch.float32


@pytest.mark.parametrize("kind", ["bert", "roberta", "gpt2", "llama"])
def test_the_longest_input_runs(make_model, kind):
    loaded = load_model(str(make_model(kind)), device="cpu")
    ids = torch.full((1, loaded.max_tokens), 5)

    assert torch.isfinite(loaded.model(ids, attention_mask=ids > 0).last_hidden_state).all()
    if kind != "llama":  # its positions are computed, not looked up
        with pytest.raises((IndexError, RuntimeError)):
            loaded.model(torch.full((1, loaded.max_tokens + 1), 5))


def without_decoder(make_model, tmp_path):
    folder = shutil.copytree(make_model("t5"), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    encoder = {name: w for name, w in weights.items() if not name.startswith("decoder.")}
    assert len(encoder) < len(weights)
    save_file(encoder, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_an_encoder_saved_alone_is_complete_for_its_own_side(make_model, tmp_path):
    folder = without_decoder(make_model, tmp_path)
    assert load_model(str(folder), device="cpu").is_encoder_decoder

    with pytest.raises(InputError, match=r"lack \d+ weights, such as decoder\."):
        load_model(str(folder), device="cpu", side="decoder")


def test_the_revision_depends_on_the_weights(folder):
    before = load_model(str(folder)).revision
    assert before == load_model(str(folder)).revision

    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][0, 0] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    assert load_model(str(folder)).revision != before


def test_missing_weights_are_not_made_up(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(InputError, match=r"lack 1 weights, such as encoder\.layer\.1\.output"):
        load_model(str(folder))


def test_a_missing_pooler_does_not_matter(folder):
    weights = load_file(folder / "model.safetensors")
    rest = {name: w for name, w in weights.items() if not name.startswith("pooler.")}
    assert len(rest) < len(weights)
    save_file(rest, folder / "model.safetensors", {"format": "pt"})

    assert load_model(str(folder)).model.config.num_hidden_layers == 2


def remove_config(folder):
    (folder / "config.json").unlink()


def remove_weights(folder):
    (folder / "model.safetensors").unlink()


def cut_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def spoil_tokenizer(folder):
    (folder / "tokenizer.json").write_text("{}")


def change_width(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 16}))


def pickle_weights(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    remove_weights(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_config, "no config.json there; give a model folder"),
        (remove_weights, "the model cannot be loaded"),
        (pickle_weights, "the model cannot be loaded"),
        (cut_weights, "the model cannot be loaded"),
        (spoil_tokenizer, "the model cannot be loaded"),
        (change_width, "the model cannot be loaded"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(folder, damage, message):
    damage(folder)

    with pytest.raises(InputError, match=message) as caught:
        load_model(str(folder))
    assert str(caught.value).startswith(str(folder))
    assert "\n" not in str(caught.value)


def test_a_name_that_does_not_exist():
    with pytest.raises(InputError, match="no/such-model: the model cannot be loaded"):
        load_model("no/such-model")


def test_an_unknown_device(folder):
    with pytest.raises(InputError, match="the model cannot be loaded"):
        load_model(str(folder), device="abacus")


def test_the_weights_of_a_model_made_in_memory_identify_it(make_model):
    model = load_model(str(make_model("bert")), device="cpu").model
    before = weights_hash(model)
    assert weights_hash(model.to(torch.bfloat16)) != before
    assert weights_hash(load_model(str(make_model("bert")), device="cpu").model) == before


@pytest.mark.parametrize(("kind", "start"), [("t5", 0), ("bert", None)])
def test_the_token_a_decoder_starts_with(make_model, kind, start):
    loaded = load_model(str(make_model(kind)), device="cpu")
    loaded.model.config.decoder_start_token_id = start
    if start is not None:
        assert loaded.decoder_start == start
        return
    loaded.model.config.bos_token_id = None
    with pytest.raises(InputError, match="names no decoder_start_token_id"):
        assert loaded.decoder_start
