"""Metrics of running models, beside plain transformers calls, sentence by sentence.

Of `metrics`, `model_metric`, `pair_metrics` and `text_metrics`.

Also of ``neurox_lite.interventions.model_metric``, ``neurox_lite.interventions.pair_metrics``,
``neurox_lite.interventions.text_metrics``.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers as tf

from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions import runner as masked_model
from neurox_lite.interventions.intervene import intervene
from neurox_lite.interventions.metrics import (
    classification_accuracy,
    custom_metric,
    evaluate,
    kl_from_intact,
    pair_accuracy,
    pair_log_odds,
    perplexity,
    token_accuracy,
)
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.models.loading import LoadedModel, load_model
from neurox_lite.models.location import Location
from neurox_lite.results.neuron_mask import NeuronMask
from tests.conftest import CONFIGS

MODELS = ("lstm-0", "gpt2", "bert")
WHERE = {
    "lstm-0": Location("lstm_cell", [0]),
    "gpt2": Location("mlp", [1]),
    "bert": Location("mlp", [0]),
}
TEXTS = [
    "The athlete behind the bikes probably admires the boxes .",
    "The niece watches those boxes .",
    "The citizens",
    "The citizen under no cows under that son needs the engineers .",
]


@pytest.fixture(scope="module")
def models():
    return {
        name: load_model(embedded_path(f"models/{name}"), device="cpu", head="language")
        for name in MODELS
    }


@pytest.fixture(scope="module")
def pairs():
    return read_pairs(embedded_path("corpora/number-pairs.tsv"))[::150]


def classifier(kind, tokenizer, pad_token_id):
    config = CONFIGS[kind]()
    config.vocab_size, config.num_labels = len(tokenizer), 3
    config.pad_token_id, config.initializer_range = pad_token_id, 2.0
    torch.manual_seed(3)
    model = tf.AutoModelForSequenceClassification.from_config(config).eval()
    return LoadedModel(model, tokenizer, f"tiny {kind}", "")


@pytest.fixture(scope="module")
def classifiers(tokenizers_by_kind):
    """GPT-2 pads by token 1 here, and reads the class at the last token that is another."""
    return {
        "bert": classifier("bert", tokenizers_by_kind["wordpiece"], 0),
        "gpt2": classifier("gpt2", tokenizers_by_kind["byte_bpe"], 1),
    }


SHORT_TEXTS = ["dogs bark", "the old cat sees", "at cats", "her", "the dogs that bark at her"]
KINDS = (
    "perplexity",
    "token accuracy",
    "KL",
    "pair accuracy",
    "log odds",
    "custom",
)


def metric_of(kind, loaded, pairs, where):
    make = {
        "perplexity": lambda: perplexity(loaded, TEXTS, where),
        "token accuracy": lambda: token_accuracy(loaded, TEXTS, where),
        "KL": lambda: kl_from_intact(loaded, TEXTS, where),
        "pair accuracy": lambda: pair_accuracy(loaded, encode_pairs(loaded, pairs), where),
        "log odds": lambda: pair_log_odds(loaded, encode_pairs(loaded, pairs), where),
        "custom": lambda: custom_metric(
            "first", loaded, TEXTS, lambda logits, rows: logits[:, 0, 5] + rows, where
        ),
    }
    return make[kind]()


def tokens_of(loaded, text):
    return loaded.tokenizer(text, return_tensors="pt")["input_ids"]


@torch.no_grad()
def predictions(loaded):
    """Per token to predict: its log-probability and whether it is the most probable one."""
    scores, right = [], []
    for text in TEXTS:
        ids = tokens_of(loaded, text)
        mask = loaded.tokenizer.mask_token_id
        for place in range(1, ids.shape[1] - (mask is not None)):
            hidden = ids.clone()
            if mask is not None:
                hidden[0, place] = mask
            found = loaded.model(hidden).logits[0, place if mask is not None else place - 1]
            scores.append(found.double().log_softmax(-1)[ids[0, place]].item())
            right.append(found.argmax().item() == ids[0, place].item())
    return scores, right


@torch.no_grad()
def pair_odds(loaded, pairs):
    """Of each pair alone, without padding."""
    odds = []
    for pair in pairs:
        inputs = encode_pairs(loaded, [pair])
        found = (
            loaded.model(inputs.input_ids).logits[0, inputs.prediction_positions[0]].log_softmax(-1)
        )
        odds.append((found[inputs.right[0]] - found[inputs.wrong[0]]).item())
    return odds


@torch.no_grad()
def expected_of(kind, loaded, pairs):
    """A metric of the model as it is now, by plain calls."""
    if kind in ("perplexity", "token accuracy"):
        scores, right = predictions(loaded)
        return math.exp(-np.mean(scores)) if kind == "perplexity" else np.mean(right)
    if kind == "custom":
        first = [loaded.model(tokens_of(loaded, text)).logits[0, 0, 5].item() for text in TEXTS]
        return np.mean(first) + 1.5
    odds = np.array(pair_odds(loaded, pairs))
    return odds.mean() if kind == "log odds" else (odds > 0).mean()


NAMES = {
    ("perplexity", "bert"): "pseudo-perplexity",
    ("token accuracy", "bert"): "masked-token accuracy",
    ("token accuracy", "gpt2"): "next-token accuracy",
    ("token accuracy", "lstm-0"): "next-token accuracy",
    ("custom", "gpt2"): "first",
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "KL"])
def test_with_an_empty_mask_it_is_what_transformers_computes(models, pairs, name, kind):
    loaded = models[name]
    metric = metric_of(kind, loaded, pairs, WHERE[name])
    n = metric.runner.space.n_neurons
    found = evaluate(metric, np.zeros((1, n)), np.full(n, 7.0))
    assert found == pytest.approx([expected_of(kind, loaded, pairs)], rel=1e-4)
    assert metric.name == NAMES.get((kind, name), metric.name)


@contextmanager
def without_neurons_by_hand(model):
    """The first ten feed-forward neurons of GPT-2's second block are 0.5."""

    def hook(module, args):
        states = args[0].clone()
        states[..., :10] = 0.5
        return (states,)

    handle = model.transformer.h[1].mlp.c_proj.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def first_ten(metric):
    n = metric.runner.space.n_neurons
    gates = np.zeros((1, n))
    gates[0, :10] = 1
    return gates, np.full(n, 0.5)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "KL"])
def test_with_a_mask_it_is_what_a_hook_by_hand_leaves(models, pairs, kind):
    loaded = models["gpt2"]
    metric = metric_of(kind, loaded, pairs, WHERE["gpt2"])
    found = evaluate(metric, *first_ten(metric))
    with without_neurons_by_hand(loaded.model):
        assert found == pytest.approx([expected_of(kind, loaded, pairs)], rel=1e-4)
    if not kind.endswith("accuracy"):
        assert found != pytest.approx([expected_of(kind, loaded, pairs)], rel=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_the_divergence_of_an_empty_mask_is_zero(models, name):
    metric = kl_from_intact(models[name], TEXTS, WHERE[name])
    n = metric.runner.space.n_neurons
    assert evaluate(metric, np.zeros((2, n)), np.ones(n)) == pytest.approx([0, 0], abs=1e-6)


@torch.no_grad()
def test_the_divergence_of_a_mask_by_hand(models):
    loaded = models["gpt2"]
    divergences = []
    for text in TEXTS:
        ids = tokens_of(loaded, text)
        intact = loaded.model(ids).logits[0].double().softmax(-1)
        with without_neurons_by_hand(loaded.model):
            changed = loaded.model(ids).logits[0].double().softmax(-1)
        divergences += (intact * (intact / changed).log()).sum(-1).tolist()
    metric = kl_from_intact(loaded, TEXTS, WHERE["gpt2"])
    found = evaluate(metric, *first_ten(metric))
    # Logits are float32, whose rounding is about 1e-7 nats.
    assert found == pytest.approx([np.mean(divergences)], rel=1e-4, abs=5e-7)
    assert found[0] > 1e-4


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
@torch.no_grad()
def test_classification_accuracy(classifiers, kind):
    loaded = classifiers[kind]
    logits = torch.cat([loaded.model(tokens_of(loaded, t)).logits for t in SHORT_TEXTS])
    classes = logits.argmax(-1).tolist()
    others = [(number + 1) % 3 for number in classes]
    for labels, expected in (
        (classes, 1.0),
        (others, 0.0),
        ([*classes[:2], *others[2:]], 0.4),
        ([f"LABEL_{number}" for number in classes], 1.0),
    ):
        metric = classification_accuracy(loaded, SHORT_TEXTS, labels, Location("mlp"))
        n = metric.runner.space.n_neurons
        assert evaluate(metric, np.zeros((1, n)), np.zeros(n)) == [expected]
    # Its predictions may all be the same class; what they are made from is not.
    first = custom_metric(
        "first", loaded, SHORT_TEXTS, lambda out, rows: out[:, 0], Location("mlp")
    )
    found = evaluate(first, np.zeros((1, n)), np.zeros(n))
    assert found == pytest.approx([logits[:, 0].mean().item()], rel=1e-4, abs=1e-5)


@torch.no_grad()
def test_classification_accuracy_under_a_mask(classifiers):
    loaded = classifiers["bert"]
    metric = classification_accuracy(
        loaded, SHORT_TEXTS, [0, 1, 2, 0, 1], Location("hidden_states")
    )
    rng = np.random.default_rng(0)
    n = metric.runner.space.n_neurons
    gates, values = (rng.random((6, n)) < 0.5).astype(float), 3 * rng.normal(size=(6, n))
    expected = []
    for gate, value in zip(gates, values, strict=True):
        with intervene(loaded, NeuronMask(metric.runner.space, gate, value)):
            logits = torch.cat([loaded.model(tokens_of(loaded, t)).logits for t in SHORT_TEXTS])
        expected.append(np.mean(logits.argmax(-1).numpy() == [0, 1, 2, 0, 1]))
    assert evaluate(metric, gates, values).tolist() == pytest.approx(expected)


# Many masks at once.


def random_masks(metric, rows):
    rng = np.random.default_rng(1)
    n = metric.runner.space.n_neurons
    gates = (rng.random((5, n)) < 0.3) * rng.choice([0.5, 1.0], size=(5, n))
    return gates, rng.normal(size=(*rows, n)).astype(np.float32)


@pytest.mark.parametrize("values_of", ["model", "mask", "input"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_many_masks_in_a_batch_equal_one_at_a_time(
    models, pairs, name, kind, values_of, monkeypatch
):
    metric = metric_of(kind, models[name], pairs, WHERE[name])
    rows = {"model": (), "mask": (5,), "input": (len(metric.runner),)}[values_of]
    gates, values = random_masks(metric, rows)
    before = gates.copy(), values.copy()
    by_input = values_of == "input"
    together = evaluate(metric, gates, values, by_input=by_input)
    assert together.shape == (5,) and np.isfinite(together).all()
    if not kind.endswith("accuracy"):
        assert len(set(together.round(5))) == 5
    one_by_one = [
        evaluate(
            metric, gate[None], values[[row]] if values_of == "mask" else values, by_input=by_input
        )[0]
        for row, gate in enumerate(gates)
    ]
    close = {"rel": 1e-4, "abs": 1e-4}
    assert together == pytest.approx(one_by_one, **close)
    monkeypatch.setattr(masked_model, "BATCH_TOKENS", 40)
    assert together == pytest.approx(
        evaluate(metric, gates, values, by_input=by_input, masks_at_once=2), **close
    )
    assert np.array_equal(before[0], gates) and np.array_equal(before[1], values)


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_values_of_each_input_at_a_token_of_each(models, pairs, name):
    loaded = models[name]
    inputs = encode_pairs(loaded, pairs)
    metric = pair_log_odds(loaded, inputs, replace(WHERE[name], positions=1))
    gates, values = random_masks(metric, (len(pairs),))
    expected = []
    for gate in gates:
        odds = []
        for pair, value, place in zip(pairs, values, inputs.word_positions(1), strict=True):
            mask = NeuronMask(metric.runner.space, gate, value)
            with intervene(loaded, mask, positions=place[None]):
                odds += pair_odds(loaded, [pair])
        expected.append(np.mean(odds))
    found = evaluate(metric, gates, values, by_input=True)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


# What is refused.

LANGUAGE_METRICS = [perplexity, token_accuracy, kl_from_intact]


@pytest.mark.parametrize("make", LANGUAGE_METRICS)
def test_texts_that_cannot_be_read(models, tokenizers_by_kind, make):
    for name in MODELS:
        with pytest.raises(InputError, match="no texts; give at least one"):
            make(models[name], [], WHERE[name])
    long = "The " * 80
    for name in ("gpt2", "bert"):
        with pytest.raises(InputError, match=r"'The The .*\d\d tokens, but .* reads 64; shorten"):
            make(models[name], [*TEXTS, long], WHERE[name])
    config = CONFIGS["gpt2"]()
    config.vocab_size = len(tokenizers_by_kind["byte_bpe"])
    model = tf.GPT2LMHeadModel(config)
    plain = LoadedModel(model, tokenizers_by_kind["byte_bpe"], "tiny", "")
    with pytest.raises(InputError, match="'': no tokens; leave the text out"):
        make(plain, ["dogs", ""], Location("mlp"))


@pytest.mark.parametrize("make", [perplexity, token_accuracy])
def test_nothing_to_predict(models, make):
    with pytest.raises(InputError, match="every text is one token; there is nothing to predict"):
        make(models["gpt2"], [""], WHERE["gpt2"])
    with pytest.raises(InputError, match="special or unknown tokens only; there is nothing to"):
        make(models["bert"], ["", "東京"], WHERE["bert"])


@pytest.mark.parametrize("make", LANGUAGE_METRICS)
def test_models_that_predict_no_words(classifiers, make_model, make):
    base = load_model(make_model("gpt2"), device="cpu")
    for loaded in (classifiers["bert"], classifiers["gpt2"], base):
        with pytest.raises(InputError, match="predicts no words; load a causal or masked model"):
            make(loaded, SHORT_TEXTS, Location("mlp"))


def test_labels_that_do_not_fit(classifiers):
    loaded = classifiers["bert"]
    for labels, message in (
        ([0, 1], "2 labels for 5 texts; give one it knows for each"),
        ([0, 1, 2, 3, 0], "no label '3' for 5 texts"),
        ([0, 1, 2, "good", 0], "no label 'good' for 5 texts"),
        ([0, 1, 2, -1, 0], "no label '-1' for 5 texts"),
    ):
        with pytest.raises(InputError, match=message):
            classification_accuracy(loaded, SHORT_TEXTS, labels, Location("mlp"))


def test_models_that_are_no_classifiers(models, make_model, tokenizers_by_kind):
    base = load_model(make_model("bert"), device="cpu")
    for loaded in (*models.values(), base):
        with pytest.raises(InputError, match="classifies no texts; load a classifier"):
            classification_accuracy(loaded, SHORT_TEXTS, [0, 1, 0, 1, 0], Location("hidden_states"))
    padless = classifier("gpt2", tokenizers_by_kind["byte_bpe"], None)
    with pytest.raises(InputError, match="its configuration names no pad_token_id; add it"):
        classification_accuracy(padless, SHORT_TEXTS, [0, 1, 0, 1, 0], Location("mlp"))


def test_a_metric_of_your_own_gives_a_number_for_each_text(models):
    metric = custom_metric(
        "all", models["gpt2"], TEXTS, lambda logits, rows: logits[:, 0], WHERE["gpt2"]
    )
    n = metric.runner.space.n_neurons
    with pytest.raises(InputError, match=r"metric 'all': numbers of shape \(4, 1580\) for 4 texts"):
        evaluate(metric, np.zeros((1, n)), np.zeros(n))
    for function, message in (
        (lambda logits, rows: rows.tolist(), r"numbers of shape \(\) for 4 texts"),
        (lambda logits, rows: logits[:, 0, 0] / 0, "NaN or infinite; give finite numbers"),
    ):
        bad = custom_metric("bad", models["gpt2"], TEXTS, function, WHERE["gpt2"])
        with pytest.raises(InputError, match=f"metric 'bad': {message}"):
            evaluate(bad, np.zeros((1, n)), np.zeros(n))


@pytest.mark.parametrize(
    ("gates", "values", "by_input"),
    [
        ((4,), (4,), False),
        ((2, 4), (5,), False),
        ((2, 4), (3, 4), False),
        ((2, 4), (2, 4), True),
        ((2, 4), (4,), True),
        ((2, 5), (4,), False),
        ((2, 4), (), False),
        ((0, 4), (4,), False),
    ],
)
def test_gates_and_values_that_do_not_fit(models, pairs, gates, values, by_input):
    metric = pair_accuracy(models["lstm-0"], encode_pairs(models["lstm-0"], pairs), WHERE["lstm-0"])
    n = metric.runner.space.n_neurons
    shapes = [tuple(n if size == 4 else size for size in shape) for shape in (gates, values)]
    with pytest.raises(InputError, match=r"gates of shape .*, values of shape .* and 11 in"):
        evaluate(metric, np.zeros(shapes[0]), np.zeros(shapes[1]), by_input=by_input)


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.5])
def test_gates_and_values_that_are_no_gates_and_values(models, pairs, bad):
    metric = metric_of("log odds", models["lstm-0"], pairs, WHERE["lstm-0"])
    n = metric.runner.space.n_neurons
    with pytest.raises(InputError, match="a gate is not between 0 and 1"):
        evaluate(metric, np.full((1, n), bad), np.zeros(n))
    with pytest.raises(InputError, match="a replacement is NaN or infinite"):
        evaluate(metric, np.zeros((1, n)), np.full(n, np.inf))


def test_many_masks_of_a_long_text_are_read_a_few_at_a_time(models, monkeypatch):
    """So that no forward pass has more logits than fit, whatever the number of masks."""
    loaded = models["gpt2"]
    metric = perplexity(loaded, TEXTS[:1])
    n_tokens, n_outputs = int(metric.runner.lengths.max()), loaded.model.config.vocab_size
    gates = np.random.default_rng(0).random((7, metric.runner.space.n_neurons)).round()
    values = np.zeros(metric.runner.space.n_neurons)
    whole = evaluate(metric, gates, values)
    monkeypatch.setattr(masked_model, "BATCH_OUTPUTS", 3 * n_tokens * n_outputs)
    read, run = [], metric.runner.logits
    monkeypatch.setattr(
        metric.runner, "logits", lambda *args: read.append(len(args[2])) or run(*args)
    )
    np.testing.assert_allclose(evaluate(metric, gates, values), whole, rtol=1e-5)
    assert read == [3, 3, 1]
