"""The causal effect of a description: planted neurons, and changes computed by hand.

Also of ``neurox_lite.descriptions.description_effects`` and
``neurox_lite.descriptions.interval_plot``.
"""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
import transformers as tf
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import neurox_lite as nx
from neurox_lite.descriptions.causal_effect import causal_effect
from neurox_lite.descriptions.concepts import concepts_of
from neurox_lite.descriptions.description_effects import DescriptionEffects
from neurox_lite.errors import InputError
from neurox_lite.interventions import runner as runners
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.location import Location

NOUNS = ("dogs", "cats", "straße", "cat")
TEXTS = [
    f"the old {noun} {verb} {more}{end}"
    for noun in NOUNS
    for verb in ("sees", "bark at", "continues")
    for more in ("her", "the cats of cats", ", and that")
    for end in (" .", "")
]
PRESENT = [text.startswith("the old dogs") for text in TEXTS]
PLANTED, WITHOUT_EFFECT = 5, 9
MLP = Location("mlp")


@pytest.fixture(scope="module")
def framed():
    """A tokenizer of words that puts one token before and one after."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = dict.fromkeys([*special, *" ".join(TEXTS).split()])
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", mask_token="[MASK]"
    )


@pytest.fixture(scope="module")
def planted(framed):
    """A random GPT-2 with a neuron that is 0 but on "dogs", and one that nothing reads."""
    config = tf.GPT2Config(
        vocab_size=len(framed),
        bos_token_id=2,
        eos_token_id=3,
        n_embd=32,
        n_layer=2,
        n_head=2,
        initializer_range=0.3,
    )
    torch.manual_seed(0)
    model = tf.GPT2LMHeadModel(config).eval().requires_grad_(False)
    first = model.transformer.h[0]
    # Unit 0 of the stream is told by the word alone, and read by one neuron.
    (dogs,) = framed.encode("dogs", add_special_tokens=False)
    for weight in (model.transformer.wte.weight, model.transformer.wpe.weight):
        weight[:, 0] = 0
    model.transformer.wte.weight[dogs, 0] = 3
    first.attn.c_proj.weight[:, 0] = 0
    first.mlp.c_fc.weight[:, PLANTED] = 0
    first.mlp.c_fc.weight[0, PLANTED] = 10
    first.mlp.c_fc.bias[PLANTED] = -10
    first.mlp.c_proj.weight[WITHOUT_EFFECT] = 0
    return LoadedModel(model, framed, "planted", "sha256:1")


@pytest.mark.parametrize("replacement", ["zero", "mean"])
def test_a_neuron_that_matters_only_in_what_is_described(planted, replacement):
    found = causal_effect(planted, TEXTS, f"0:{PLANTED}", PRESENT, MLP, replacement=replacement)
    own, constant, shuffled, *others = found.effects
    assert (own.n_sentences, own.n_described) == (len(TEXTS), 18)
    assert own.auc.value > 0.95 and 0.85 < own.auc.low < 1
    assert own.described.low > 0.001 and own.difference.low > 0
    if replacement == "zero":
        assert own.auc.value == 1
        assert own.others.value == 0 and own.difference.value == own.described.value
    assert constant.n_described == len(TEXTS)
    assert constant.described.value == pytest.approx(
        (own.described.value + 3 * own.others.value) / 4
    )
    assert constant.auc.value == 0.5 and not constant.auc.is_known
    assert constant.difference.value == 0 and not constant.difference.is_known
    assert shuffled.auc.low < 0.5 < shuffled.auc.high and shuffled.n_described == 18
    assert len({each.neuron for each in others} - {own.neuron}) == 3
    assert all(each.auc.value < 0.9 for each in others)


@pytest.mark.parametrize("replacement", ["zero", "mean"])
def test_a_neuron_without_effect_changes_nothing(planted, replacement):
    neuron = f"0:{WITHOUT_EFFECT}"
    found = causal_effect(planted, TEXTS, neuron, PRESENT, MLP, replacement=replacement, n_random=0)
    own, _, shuffled = found.effects
    for effect in (own, shuffled):
        assert effect.described.value == effect.others.value == effect.difference.value == 0
        assert effect.auc.value == 0.5 and effect.auc.low < 0.4 and effect.auc.high > 0.6


@contextmanager
def set_by_hand(projection, unit, value, words):
    """A hook of plain torch on the module that reads the neurons, for one text."""

    def change(module, args):
        states = args[0].clone()
        states[:, words, unit] = value
        return (states, *args[1:])

    handle = projection.register_forward_pre_hook(change)
    try:
        yield
    finally:
        handle.remove()


@torch.no_grad()
def changes_by_hand(model, projection, tokenizer, unit, value):
    """Of every text read alone: mean KL over the tokens between the two that are added."""
    found = []
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        words = slice(1, ids.shape[1] - 1)
        intact = model(ids).logits[0, words].double().log_softmax(-1)
        with set_by_hand(projection, unit, value, words):
            changed = model(ids).logits[0, words].double().log_softmax(-1)
        found.append(float((intact.exp() * (intact - changed)).sum(-1).mean()))
    return np.array(found)


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
@pytest.mark.parametrize("replacement", ["zero", "mean"])
def test_changes_are_those_of_a_hook_by_hand(planted, framed, kind, replacement):
    if kind == "gpt2":
        model, projection = planted.model, planted.model.transformer.h[1].mlp.c_proj
    else:
        torch.manual_seed(0)
        config = tf.BertConfig(
            vocab_size=len(framed), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=24, max_position_embeddings=32, initializer_range=0.5,
        )  # fmt: skip
        model = tf.BertForMaskedLM(config).eval().requires_grad_(False)
        projection = model.bert.encoder.layer[1].output.dense
    loaded = LoadedModel(model, framed, kind, "sha256:1")
    own, *_ = causal_effect(
        loaded, TEXTS, "1:7", PRESENT, MLP, replacement=replacement, n_random=0
    ).effects
    value, states = 0.0, []
    if replacement == "mean":
        handle = projection.register_forward_pre_hook(
            lambda module, args: states.append(args[0][0, 1:-1, 7])
        )
        for text in TEXTS:
            model(**framed(text, return_tensors="pt"))
        handle.remove()
        value = torch.cat(states).mean()
    changes = changes_by_hand(model, projection, framed, 7, value)
    present = np.array(PRESENT)
    assert own.described.value == pytest.approx(changes[present].mean(), rel=1e-4)
    assert own.others.value == pytest.approx(changes[~present].mean(), rel=1e-4)
    assert own.difference.value == pytest.approx(
        own.described.value - own.others.value, rel=1e-6, abs=1e-12
    )
    # Of pairs of about one length.
    lengths = [len(framed(text)["input_ids"]) for text in TEXTS]
    groups = np.array_split(np.argsort(lengths, kind="stable"), len(TEXTS) // 10)
    pairs = [
        (changes[i] > changes[j]) + (changes[i] == changes[j]) / 2
        for group in groups
        for i in group[present[group]]
        for j in group[~present[group]]
    ]
    assert own.auc.value == pytest.approx(np.mean(pairs), abs=2 / len(pairs))


def values_of(found):
    return np.array([row[5:] for row in found.table()[1:]], dtype=float)


def test_batches_do_not_matter(planted, monkeypatch):
    arguments = planted, TEXTS[::2], f"0:{PLANTED}", PRESENT[::2], MLP
    found = causal_effect(*arguments)
    monkeypatch.setattr(runners, "BATCH_TOKENS", 1)
    again = causal_effect(*arguments)
    np.testing.assert_allclose(values_of(again), values_of(found), rtol=1e-3, atol=1e-9)


def test_a_sentence_counts_once(planted):
    found = causal_effect(planted, TEXTS, f"0:{PLANTED}", PRESENT, MLP)
    doubled = causal_effect(planted, TEXTS * 2, f"0:{PLANTED}", PRESENT * 2, MLP)
    assert doubled == found
    # Described is what is so on average.
    likely = [0.4] * len(TEXTS) + [0.7 if each else 0.5 for each in PRESENT]
    assert causal_effect(planted, TEXTS * 2, f"0:{PLANTED}", likely, MLP) == found


def test_presence_of_words_is_that_of_their_sentences(planted):
    corpus = nx.TaggedCorpus([text.split() for text in TEXTS])
    of_words = concepts_of(corpus, min_count=5).of("word=dogs")
    how = {"neuron": f"0:{PLANTED}", "where": MLP}
    found = causal_effect(planted, corpus, present=of_words, **how)
    assert found == causal_effect(planted, TEXTS, present=PRESENT, **how)
    # By its column of one layer, and with probabilities.
    likely = [0.5 if each else 0.49 for each in PRESENT]
    assert found == causal_effect(planted, TEXTS, PLANTED, likely, Location("mlp", [0]))


def test_lstm_and_its_states(planted):
    """What is set at a word stays set for those after it; a site that is not of one projection."""
    path = nx.embedded_path("models/lstm-0")
    texts = ["The boy greets the boys .", "The boys greet the boy .", "The niece watches her ."]
    present = [0, 1, 0]
    own, *_ = causal_effect(path, texts, "0:55", present, replacement="zero", n_random=0).effects
    assert own.described.value > 1e-5 and not own.difference.is_known and not own.auc.is_known
    loaded = nx.load_model(path, device="cpu", head="language")
    mask = nx.NeuronMask.of(nx.neuron_space(loaded), ["0:55"])
    ids = loaded.tokenizer(texts[1], return_tensors="pt")["input_ids"]
    special = loaded.tokenizer(texts[1], return_special_tokens_mask=True)["special_tokens_mask"]
    words = ~torch.tensor([special]).bool()
    with torch.no_grad():
        intact = loaded.model(ids).logits.double().log_softmax(-1)
        with nx.intervene(loaded, mask, positions=words):
            changed = loaded.model(ids).logits.double().log_softmax(-1)
    each = (intact.exp() * (intact - changed)).sum(-1)[words]
    assert own.described.value == pytest.approx(float(each.mean()), rel=1e-4)


def test_seeds_and_results(planted, tmp_path):
    arguments = planted, TEXTS, f"0:{PLANTED}", PRESENT, MLP
    found, other = (causal_effect(*arguments, seed=seed) for seed in (0, 1))
    assert found == causal_effect(*arguments, seed=0)
    assert found.effects[:2] == other.effects[:2] and found.effects[2:] != other.effects[2:]
    found.save(tmp_path / "e.json")
    assert nx.load_result(tmp_path / "e.json") == found
    assert isinstance(found, DescriptionEffects) and found.space.layers == (0,)
    labels = [label.get_text() for label in found.plot().axes[0].get_yticklabels()]
    assert labels[:3] == ["description", "constant", "shuffled presence"]
    assert labels[3:] == [f"{effect.neuron} set" for effect in found.effects[3:]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"present": [False] * 72}, "of 72 sentences none is described"),
        ({"present": [1] * 72}, "of 72 sentences every one is described"),
        ({"present": [0.5, 1.5] * 36}, r"present is 1.5 in sentence 1; give numbers from 0 to 1"),
        ({"present": [float("nan")] * 72}, "present is nan in sentence 0"),
        ({"present": [1, 0]}, "present has 2 values for 72 sentences; give one each"),
        ({"texts": [], "present": []}, "no texts"),
        ({"texts": ["", *TEXTS[1:]]}, "text 1 is empty"),
        ({"texts": "the old dogs"}, "one string"),
        ({"neuron": "0:128"}, "no unit 128 in layer 0"),
        ({"neuron": "7:1"}, "layer 7"),
        ({"neuron": ["0:1", "0:2"]}, "2 neurons; give one"),
        ({"where": Location("lstm_cell")}, "lstm_cell"),
        ({"where": Location("mlp", positions="last")}, "leave out where.positions"),
        ({"replacement": "resampled"}, "unknown replacement 'resampled'; use mean or zero"),
        ({"n_random": 128}, "layer 0 has 127 other neurons"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_input(planted, change, message):
    given = {"texts": TEXTS, "neuron": "0:1", "present": PRESENT, "where": MLP} | change
    with pytest.raises(InputError, match=message) as error:
        causal_effect(planted, **given)
    assert "\n" not in str(error.value)


def test_models_that_say_nothing_or_nan(planted, framed):
    encoder = LoadedModel(planted.model.transformer, framed, "encoder", "sha256:1")
    with pytest.raises(InputError, match="encoder: a GPT2Model predicts no words"):
        causal_effect(encoder, TEXTS, "0:1", PRESENT, MLP)
    model = tf.GPT2LMHeadModel(planted.model.config).eval().requires_grad_(False)
    model.transformer.h[1].mlp.c_proj.bias[0] = torch.nan
    broken = LoadedModel(model, framed, "broken", "sha256:1")
    with pytest.raises(InputError, match="broken: its predictions of text 1 are NaN"):
        causal_effect(broken, TEXTS, "0:1", PRESENT, MLP)
