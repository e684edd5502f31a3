"""Extraction from every architecture, with a real tokenizer of its family."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.extraction.extract import extract
from neurox_lite.extraction.tokenization import SentenceTokenizer
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.sites import SITES
from tests.architectures import ARCHITECTURES, build

pytestmark = pytest.mark.heavy

SENTENCES = [
    ["cats", "bark"],
    ["the", "old", "cat", "sees", "internationalisation", "of", "naïve", "dogs", "."],
    ["dog"],
    ["old", "cats", "see", "the", "dogs", "at", "her", ",", "and", "cats", "bark"],
]
CORPUS = TaggedCorpus(SENTENCES, source="words.txt")
SIDES = [
    (name, side)
    for name, architecture in ARCHITECTURES.items()
    for side in (["encoder", "decoder"] if architecture.decoder_layers else ["encoder"])
]


@pytest.fixture(scope="module")
def loaded(tokenizers_by_kind):
    made = {}

    def make(name):
        if name not in made:
            tokenizer = tokenizers_by_kind[ARCHITECTURES[name].tokenizer]
            made[name] = LoadedModel(build(name, len(tokenizer)), tokenizer, name, "")
        return made[name]

    return make


def matrix(loaded, path, **options):
    with extract(loaded, CORPUS, path, **options) as store:
        return np.asarray(store.matrix())


@pytest.mark.parametrize(("name", "side"), SIDES)
def test_batched_equals_one_by_one(loaded, name, side, tmp_path):
    """For every site, and whichever side the tokenizer pads on."""
    model = loaded(name)
    sites = [site for site in SITES if site not in ARCHITECTURES[name].without]
    for site in sites:
        batched = matrix(model, tmp_path / f"{site}.h5", site=site, side=side)
        assert np.isfinite(batched).all()
        for padding_side in ("left", "right") if site == sites[0] else ("left",):
            model.tokenizer.padding_side = padding_side
            path = tmp_path / f"{site}-{padding_side}.h5"
            one_by_one = matrix(model, path, site=site, side=side, batch_tokens=1)
            np.testing.assert_allclose(batched, one_by_one, atol=2e-5, rtol=1e-4)
        assert np.ptp(batched, axis=0).max() > 1e-2  # words differ, so their order is tested


@torch.no_grad()
def states_of(model, side, ids):
    """All hidden states of one sentence, as transformers gives them: (n_layers, n_subwords, w)."""
    inputs = {"input_ids": torch.tensor([ids]), "output_hidden_states": True}
    if not model.is_encoder_decoder:
        return torch.stack(model.model(**inputs).hidden_states)[:, 0]
    if side == "encoder":
        return torch.stack(model.model.get_encoder()(**inputs).hidden_states)[:, 0]
    # Teacher-forced: the decoder reads its start token and the sentence without its end.
    shifted = torch.tensor([[model.decoder_start, *ids[:-1]]])
    output = model.model(**inputs, decoder_input_ids=shifted)
    return torch.stack(output.decoder_hidden_states)[:, 0, 1:]


# The two sides of Marian have two tokenizers: see the test of translation below.
@pytest.mark.parametrize(("name", "side"), [s for s in SIDES if s != ("marian", "decoder")])
def test_equals_transformers_sentence_by_sentence(loaded, name, side, tmp_path):
    model = loaded(name)
    aligned = SentenceTokenizer(model.tokenizer)(SENTENCES, ["here"] * len(SENTENCES))
    expected = []
    for sentence in aligned:
        states = states_of(model, side, list(sentence.input_ids))
        expected += [states[:, word[-1]] for word in sentence.subwords]
    expected = torch.stack(expected)

    with extract(model, CORPUS, tmp_path / "s.h5", side=side) as store:
        found = np.stack([store.layer(i)[:] for i in store.space.layers], axis=1)
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["t5", "bart", "marian", "byt5"])
def test_a_decoder_reads_the_source_it_is_given(loaded, name, tmp_path):
    """The encoder reads the source sentence, the decoder its translation up to each word."""
    model = loaded(name)
    sources = TaggedCorpus([["dogs", "bark"], ["the", "cat"], ["cats"], ["her", "dog"]])
    with extract(model, CORPUS, tmp_path / "s.h5", side="decoder", source=sources) as store:
        found = np.stack([store.layer(i)[:] for i in store.space.layers], axis=1)

    expected = []
    for words, source in zip(SENTENCES, sources.sentences, strict=True):
        target = SentenceTokenizer(model.tokenizer, target=True)([words], ["here"])[0]
        source_ids = SentenceTokenizer(model.tokenizer)([source], ["here"])[0].input_ids
        with torch.no_grad():
            output = model.model(
                input_ids=torch.tensor([source_ids]),
                decoder_input_ids=torch.tensor([[model.decoder_start, *target.input_ids[:-1]]]),
                output_hidden_states=True,
            )
        states = torch.stack(output.decoder_hidden_states)[:, 0, 1:]
        expected += [states[:, word[-1]] for word in target.subwords]
    np.testing.assert_allclose(found, torch.stack(expected), atol=2e-5, rtol=1e-4)

    own = matrix(model, tmp_path / "own.h5", side="decoder")
    assert not np.allclose(own, found.reshape(own.shape), atol=1e-3)
