"""Also of ``neurox_lite.models.predictions``."""

import json
import shutil

import pytest
import torch
import transformers as tf
from safetensors.torch import load_file, save_file
from transformers import AutoConfig
from transformers.utils import logging as transformers_logging

from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.models.heads import sees_what_follows
from neurox_lite.models.loading import load_model, weights_hash
from tests.architectures import ARCHITECTURES, build

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


def test_loading_is_silent_and_leaves_verbosity_alone(capfd):
    before = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_warning()
    transformers_logging.enable_progress_bar()
    capfd.readouterr()
    try:
        load_model(embedded_path("models/bert"))  # whose report would name weights of the head
        assert transformers_logging.get_verbosity() == transformers_logging.WARNING
        assert transformers_logging.is_progress_bar_enabled()
    finally:
        transformers_logging.set_verbosity(before[0])
        if not before[1]:
            transformers_logging.disable_progress_bar()
    assert capfd.readouterr() == ("", "")


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
        (change_width, r"the shape \(.*\), but by config.json \(.*\); give all files of one model"),
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


def test_a_model_is_no_name():
    with pytest.raises(InputError, match="a BertModel is not the name or folder of a model"):
        load_model(build("bert", 99, "AutoModel"))


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


# Models with a head.


def with_head(make_model, tmp_path, kind, auto_class):
    """A folder of a tiny random model that has this head, and a tokenizer."""
    config = AutoConfig.from_pretrained(make_model(kind), num_labels=3)
    folder = shutil.copytree(make_model(kind), tmp_path / auto_class)
    torch.manual_seed(1)
    getattr(tf, auto_class).from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "head", "auto_class"),
    [
        ("lstm", "language", "AutoModelForCausalLM"),
        ("gpt2", "language", "AutoModelForCausalLM"),
        ("llama", "language", "AutoModelForCausalLM"),
        ("bert", "language", "AutoModelForMaskedLM"),
        ("roberta", "language", "AutoModelForMaskedLM"),
        ("bert", "classification", "AutoModelForSequenceClassification"),
        ("gpt2", "classification", "AutoModelForSequenceClassification"),
    ],
)
@torch.no_grad()
def test_a_head_computes_what_transformers_computes(make_model, tmp_path, kind, head, auto_class):
    folder = with_head(make_model, tmp_path, kind, auto_class)
    expected = getattr(tf, auto_class).from_pretrained(folder).eval()
    loaded = load_model(folder, device="cpu", head=head)
    ids = torch.tensor([[7, 8, 9, 10]])

    assert type(loaded.model) is type(expected)
    assert torch.equal(loaded.model(ids).logits, expected(ids).logits)
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert load_model(folder, device="cpu").max_tokens == loaded.max_tokens


@pytest.mark.parametrize("kind", ["bert", "gpt2", "lstm", "t5"])
@pytest.mark.parametrize("head", ["language", "classification"])
def test_a_base_model_has_no_head(make_model, kind, head):
    """Also where a head would share the weights of the embeddings, so that none are missing."""
    folder = make_model(kind)
    with pytest.raises(InputError, match=f"has no {head} head; give a model") as caught:
        load_model(folder, device="cpu", head=head)
    assert str(caught.value).startswith(str(folder)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "auto_class", "head"),
    [
        ("bert", "AutoModelForSequenceClassification", "language"),
        ("gpt2", "AutoModelForSequenceClassification", "language"),
        ("bert", "AutoModelForTokenClassification", "classification"),
        ("bert", "AutoModelForMaskedLM", "classification"),
        ("gpt2", "AutoModelForCausalLM", "classification"),
        ("t5", "AutoModelForSeq2SeqLM", "language"),
    ],
)
def test_a_model_with_another_head(make_model, tmp_path, kind, auto_class, head):
    folder = with_head(make_model, tmp_path, kind, auto_class)
    with pytest.raises(InputError, match=rf"a \w+(For\w+|HeadModel) has no {head} head"):
        load_model(folder, device="cpu", head=head)


def test_a_configuration_that_names_no_architecture(make_model, tmp_path):
    folder = with_head(make_model, tmp_path, "bert", "AutoModelForMaskedLM")
    config = json.loads((folder / "config.json").read_text())
    del config["architectures"]
    (folder / "config.json").write_text(json.dumps(config))
    assert type(load_model(folder, head="language").model) is tf.BertForMaskedLM
    with pytest.raises(InputError, match="a bert has no classification head"):
        load_model(folder, head="classification")


def test_an_unknown_head(folder):
    with pytest.raises(
        InputError, match="unknown head 'speech'; use language, classification, question-answering"
    ):
        load_model(folder, head="speech")


CAUSAL = [n for n, a in ARCHITECTURES.items() if a.head == "AutoModelForCausalLM"]


@pytest.mark.parametrize("name", CAUSAL)
def test_causal_models_do_not_see_what_follows(name):
    assert not sees_what_follows(build(name, 99, "AutoModelForCausalLM"))


@pytest.mark.parametrize("kind", ["xlnet", "bert"])
def test_a_causal_head_on_states_that_know_what_follows(make_model, tmp_path, kind):
    """Its prediction of the next token would have seen that token."""
    config = ARCHITECTURES[kind].config(vocab_size=99)
    model = tf.XLNetLMHeadModel(config) if kind == "xlnet" else tf.BertLMHeadModel(config)
    folder = shutil.copytree(make_model("bert"), tmp_path / kind)
    model.save_pretrained(folder)
    with pytest.raises(InputError, match=r"HeadModel that sees the tokens it is to predict; give"):
        load_model(folder, device="cpu", head="language")
