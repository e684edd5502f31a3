"""Neurons replaced while a model generates, with a cache of the tokens before and without."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions.intervene import intervene
from neurox_lite.models.loading import load_model
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask

pytestmark = pytest.mark.heavy

PROMPTS = ["The niece near the boxes", "The citizen"]
N_NEW = 10
WIDTHS = {"hidden_states": 128, "mlp": 512, "attention_heads": 128}
SITES = pytest.mark.parametrize("site", WIDTHS)


@pytest.fixture(scope="module")
def gpt2():
    return load_model(embedded_path("models/gpt2"), device="cpu", head="language")


def mask_of(site):
    width = WIDTHS[site]
    values = np.random.default_rng(0).normal(0, 3, width)
    return NeuronMask.of(NeuronSpace("", site, (1,), (width,)), range(0, width, 4), values)


def prompts_of(loaded):
    return loaded.tokenizer(PROMPTS, return_tensors="pt", padding=True, padding_side="left")


def generated(loaded, inputs, cache, mask=None, **options):
    arguments = {"max_new_tokens": N_NEW, "do_sample": False, "use_cache": cache}
    if mask is None:
        return loaded.model.generate(**inputs, **arguments)
    with intervene(loaded, mask, **options):
        return loaded.model.generate(**inputs, **arguments)


@torch.no_grad()
def greedy(loaded, inputs, mask, is_replaced):
    """Token by token, the whole text read anew each time."""
    ids, real = inputs["input_ids"], inputs["attention_mask"]
    n_prompt = ids.shape[1]
    for _ in range(N_NEW):
        at = is_replaced(torch.arange(ids.shape[1]), n_prompt).expand_as(ids)
        places = (real.cumsum(1) - 1).clamp(min=0)
        with intervene(loaded, mask, positions=at):
            found = loaded.model(ids, attention_mask=real, position_ids=places).logits[:, -1]
        ids = torch.cat([ids, found.argmax(-1, keepdim=True)], dim=1)
        real = torch.cat([real, torch.ones_like(real[:, :1])], dim=1)
    return ids


@SITES
def test_all_tokens_with_and_without_a_cache(gpt2, site):
    inputs = prompts_of(gpt2)
    found = generated(gpt2, inputs, True, mask_of(site))
    assert torch.equal(found, generated(gpt2, inputs, False, mask_of(site)))
    everywhere = greedy(gpt2, inputs, mask_of(site), lambda places, n: places >= 0)
    assert torch.equal(found, everywhere)
    assert not torch.equal(found, generated(gpt2, inputs, True))


@SITES
@pytest.mark.parametrize("places", [[3, 6], [5, 5], [6, 6]])
def test_one_token_of_the_prompt_with_and_without_a_cache(gpt2, site, places):
    inputs = prompts_of(gpt2)
    n_prompt = inputs["input_ids"].shape[1]
    places = np.minimum(places, n_prompt - 1)
    options = {"mask": mask_of(site), "positions": places}
    found = generated(gpt2, inputs, True, **options)
    assert torch.equal(found, generated(gpt2, inputs, False, **options))
    wanted = torch.tensor(places)[:, None]
    by_hand = greedy(gpt2, inputs, mask_of(site), lambda every, n: every == wanted)
    assert torch.equal(found, by_hand)


def test_the_first_token_is_not_every_new_one(gpt2):
    """Of a text that is read token by token each is the first of its forward pass."""
    inputs = gpt2.tokenizer(PROMPTS[:1], return_tensors="pt")
    mask = mask_of("mlp")
    options = {"mask": mask, "positions": np.array([0])}
    by_hand = greedy(gpt2, inputs, mask, lambda places, n: places == 0)
    assert torch.equal(generated(gpt2, inputs, True, **options), by_hand)


@SITES
def test_the_last_token_of_every_forward_pass(gpt2, site):
    """What was replaced stays so in a cache; without one, only the last token of the text is."""
    inputs = prompts_of(gpt2)
    mask = mask_of(site)
    cached = greedy(gpt2, inputs, mask, lambda places, n: places >= n - 1)
    assert torch.equal(generated(gpt2, inputs, True, mask, positions="last"), cached)
    anew = greedy(gpt2, inputs, mask, lambda places, n: places == places[-1])
    assert torch.equal(generated(gpt2, inputs, False, mask, positions="last"), anew)


def test_a_function_is_asked_about_the_new_tokens(gpt2):
    seen = []

    def nowhere(ids, mask):
        seen.append((tuple(ids.shape), tuple(mask.shape)))
        return torch.zeros_like(ids, dtype=torch.bool)

    inputs = prompts_of(gpt2)
    n_prompt = inputs["input_ids"].shape[1]
    found = generated(gpt2, inputs, True, mask_of("mlp"), positions=nowhere)
    assert torch.equal(found, generated(gpt2, inputs, True))
    assert seen == [((2, n_prompt),) * 2, *[((2, 1),) * 2] * (N_NEW - 1)]


def test_several_tokens_after_a_cache(gpt2):
    """Positions are those of the whole text, whether or not a mask is given."""
    ids = gpt2.tokenizer(PROMPTS[:1], return_tensors="pt")["input_ids"]
    mask = mask_of("hidden_states")
    for place, positions in ((3, np.array([3])), (ids.shape[1] - 1, "last")):
        with torch.no_grad(), intervene(gpt2, mask, positions=np.array([place])):
            whole = gpt2.model(ids).logits[0, 2:]
        for more in ({}, {"attention_mask": torch.ones_like(ids)}):
            with torch.no_grad():
                cache = gpt2.model(ids[:, :2], use_cache=True).past_key_values
                with intervene(gpt2, mask, positions=positions):
                    after = gpt2.model(ids[:, 2:], past_key_values=cache, **more).logits[0]
            torch.testing.assert_close(after, whole)


@pytest.mark.parametrize("cache", [True, False])
def test_positions_that_generation_outgrows_are_refused(gpt2, cache):
    inputs = prompts_of(gpt2)
    n_prompt = inputs["input_ids"].shape[1]
    for positions, message in (
        (np.ones((2, n_prompt), dtype=bool), "positions of shape"),
        (np.array([0, n_prompt]), "is not one of the"),
        (np.array([-1, 1]), "is not one of the"),
    ):
        with pytest.raises(InputError, match=message):
            generated(gpt2, inputs, cache, mask_of("mlp"), positions=positions)
