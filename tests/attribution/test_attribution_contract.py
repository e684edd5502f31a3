"""What every attribution method does alike, by its row in `neurox_lite.attribution_methods`.

They share `neurox_lite.attribution.collecting`, `neurox_lite.attribution.states`,
`neurox_lite.attribution.generators` and `neurox_lite.interventions.text_attributions`.
`neurox_lite.attribution.uniform`, `neurox_lite.attribution.random_attribution`,
`neurox_lite.attribution.diffmask`
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
import transformers as tf

import neurox_lite as nx
from neurox_lite import attribution
from neurox_lite.attribution import ATTRIBUTION_METHODS, ExplainedTexts, attribute_by
from neurox_lite.errors import InputError
from neurox_lite.masking.token_mask import TokenMask
from neurox_lite.models.loading import LoadedModel

FEW = {
    "diffmask": {"n_steps": 2},
    "diffmask-per-text": {"n_steps": 3},
    "information-bottleneck": {"n_steps": 3},
    "integrated-gradients": {"n_points": 4},
    "noise": {"n_steps": 3},
    "reinforce": {"n_steps": 3},
}
"""Options that make a method fast."""

ROWS = ATTRIBUTION_METHODS.items()
OF_STATES = [n for n, row in ROWS if any(o.name == "state" for o in row.options)]
WITH_SEED = [n for n, row in ROWS if any(o.name == "seed" for o in row.options)]

PAIRS = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::260]
EVERY = torch.arange(len(PAIRS))


@pytest.fixture(scope="module")
def model():
    """With parameters that ask for gradients, as a user's own model has."""
    loaded = nx.load_model(nx.embedded_path("models/gpt2"), head="language")
    loaded.model.requires_grad_(True)
    return loaded


@pytest.fixture(scope="module")
def explained(model):
    return ExplainedTexts.of_pairs(model, PAIRS)


@pytest.fixture(scope="module")
def options(explained):
    """What tokens are on average is the one thing that a method may take from other texts."""
    moments = attribution.state_moments(explained)
    return {**FEW, "information-bottleneck": {**FEW["information-bottleneck"], "moments": moments}}


def state_of(model):
    """What a method might leave behind in a model."""
    hooks = [
        len(getattr(module, kind))
        for module in model.modules()
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    ]
    gradients = [weights.grad is None and weights.requires_grad for weights in model.parameters()]
    return hooks, gradients, model.config._attn_implementation, model.training


@pytest.mark.parametrize("name", ATTRIBUTION_METHODS)
def test_a_finite_number_per_token_and_the_model_as_it_was(name, explained, options):
    model = explained.states.loaded.model
    before, intact = state_of(model), explained.intact(EVERY)[0]
    found = attribute_by(name, explained, **options.get(name, {}))
    assert state_of(model) == before
    assert torch.equal(explained.intact(EVERY)[0], intact)
    assert found.method == name
    assert found.tokens == explained.inputs.tokens
    said = [explained.output.said(explained.intact(row), row)[0] for row in EVERY.split(1)]
    assert list(found.said) == said

    again = attribute_by(name, explained, **options.get(name, {}))
    assert all(map(np.array_equal, again.values, found.values))

    if ATTRIBUTION_METHODS[name].learns:
        return
    last = ExplainedTexts.of_pairs(explained.states.loaded, [PAIRS[-1], PAIRS[0]])
    of_two = attribute_by(name, last, **options.get(name, {}))
    for own, all_together in zip(of_two.values, found.values[:: 1 - len(PAIRS)], strict=True):
        np.testing.assert_allclose(own, all_together, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ATTRIBUTION_METHODS)
def test_a_row_says_what_its_function_takes(name, explained, options):
    row = ATTRIBUTION_METHODS[name]
    function = getattr(attribution, row.function)
    parameters = inspect.signature(function).parameters
    defaults = {option.name: option.default for option in row.options}
    taken = {name: p.default for name, p in parameters.items() if name in defaults}
    assert taken == defaults
    with pytest.raises(InputError, match="ExplainedTexts"):
        function(["The nurse sings ."])
    for option in defaults:
        for wrong in (object(), None, -1):
            with pytest.raises(InputError):
                attribute_by(name, explained, **{option: wrong})
    found = attribute_by(name, explained, **options.get(name, {}))
    assert set(defaults) <= set(found.parameters)


def test_methods_that_are_one_in_two_forms_have_the_same_options():
    def options(function):
        parameters = inspect.signature(function).parameters.values()
        return {each.name: each.default for each in parameters if each.name != "explained"}

    of_mask = options(TokenMask)
    assert of_mask.pop("estimator") == "hard-concrete"
    assert options(attribution.diffmask) == of_mask
    assert options(attribution.reinforce) == options(attribution.diffmask_per_text)


@pytest.mark.parametrize("name", OF_STATES)
def test_of_every_state_that_the_output_depends_on(name, explained):
    own = FEW.get(name, {})
    by_state = [
        attribute_by(name, explained, state=state, **own) for state in range(explained.n_states)
    ]
    assert [found.parameters["state"] for found in by_state] == list(range(explained.n_states))
    # Of the last state the output reads the last token only.
    fitted = name in ("diffmask-per-text", "information-bottleneck", "noise", "reinforce")
    for values in by_state[-1].values:
        assert fitted or not values[:-1].any()
    with pytest.raises(InputError, match=f"state is 5; give one of 0 to {explained.n_states - 1}"):
        attribute_by(name, explained, state=explained.n_states, **own)


@pytest.mark.parametrize("name", WITH_SEED)
def test_another_seed_gives_others(name, explained):
    more = {"diffmask-per-text": {"n_steps": 50}, "reinforce": {"n_steps": 50}}
    few = {**FEW, **more, "information-bottleneck": {"n_steps": 5, "kl_weight": 1e-3}}
    own = few.get(name, {})
    one, other = (attribute_by(name, explained, seed=seed, **own) for seed in (0, 1))
    assert not all(map(np.array_equal, one.values, other.values))


def test_every_token_alike(explained):
    for values in attribution.uniform(explained).values:
        np.testing.assert_allclose(values, 1 / len(values))
        assert np.isclose(values.sum(), 1)


def test_random_numbers_know_nothing(explained):
    values = np.concatenate(
        [attribution.random_attribution(explained, seed=seed).values[-1] for seed in range(40)]
    )
    assert values.min() >= 0
    assert values.max() <= 1
    assert abs(values.mean() - 0.5) < 0.05


@pytest.fixture(scope="module")
def of_outputs():
    """Texts whose classes, answers or neurons are explained."""
    bert = nx.load_model(nx.embedded_path("models/bert"), head="language")
    text, config = "The nurse near the doctors sings .", bert.model.config.to_dict()

    def with_head(kind):
        torch.manual_seed(0)
        model = kind(tf.BertConfig(**{**config, "num_hidden_layers": 1})).eval()
        return LoadedModel(model, bert.tokenizer, "small", "none")

    classifier = with_head(tf.BertForSequenceClassification)
    reader = with_head(tf.BertForQuestionAnswering)
    return {
        "classes": ExplainedTexts.of_texts(classifier, [text]),
        "answers": ExplainedTexts.of_texts(reader, ["Who sings ?"], contexts=[text]),
        "neurons": ExplainedTexts.of_neurons(classifier, [text], ["0:3", "0:5"]),
    }


@pytest.mark.parametrize("output", ["classes", "answers", "neurons"])
@pytest.mark.parametrize("name", ATTRIBUTION_METHODS)
def test_every_output_can_be_explained(name, output, of_outputs):
    more = {"keep": "output"} if (name, output) == ("exact-erasure", "neurons") else {}
    found = attribute_by(name, of_outputs[output], **FEW.get(name, {}), **more)
    assert found.values[0].any() or name == "exact-erasure"
