"""Sites of the architectures of transformers beyond the matrix, and what is refused."""

from __future__ import annotations

import re

import pytest
import torch
import transformers as tf
from torch import nn
from torch.nn import functional

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.extract import extract
from neurox_lite.interventions.intervene import intervene
from neurox_lite.models.experts import NEURONS
from neurox_lite.models.hooks import record, rewrite
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.sites import SITES, find_sites
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask
from tests.benchmarks.supported_models import PAGE, rows
from tests.site_checks import recorded, texts
from tests.small_models import (
    EXPERT,
    FEED_FORWARD,
    HIDDEN,
    N_EXPERTS,
    N_HEADS,
    SHARED_EXPERT,
    small_model,
)

SAMPLE = {
    "heads beside feed-forwards, padding inside, several feed-forwards": (
        "xlm longformer led mobilebert funnel squeezebert reformer cpmant"
    ),
    "hybrids": "qwen3_next lfm2 recurrent_gemma jamba bamba rwkv",
    "mixtures": ("qwen2_moe deepseek_v3 gpt_oss switch_transformers nllb-moe dbrx aria_text"),
    "the text part of models of images": "gemma3 qwen2_vl mistral3 mllama clip_text_model blip",
    "more inputs, gates or norms": ("gemma3n_text bitnet fnet canine axk2"),
}


@pytest.fixture(scope="module")
def page():
    text = PAGE.read_text(encoding="utf-8")
    if f"transformers {tf.__version__} " not in text:
        pytest.skip("the page is of another version of transformers")
    return text


@pytest.mark.heavy
@pytest.mark.parametrize("model_type", " ".join(SAMPLE.values()).split())
def test_the_page_says_what_the_code_finds(page, model_type):
    """Whose rows are made only if reading, writing and batches hold (tests/site_checks.py)."""
    found = rows(model_type)
    if all("fails when it reads six tokens" in row for row in found):
        assert not re.search(rf"^\| {model_type} \|", page, re.MULTILINE)
        refused = re.search("do not run on token ids alone: .*", page)[0]
        assert re.search(rf"[ ,]{model_type}[,.]", refused)
    else:
        assert all(f"\n{row}\n" in page for row in found)


def test_every_site_found_is_as_wide_as_the_configuration_says(page):
    """The page is of all architectures: no feed-forward is as wide as heads, and none is lost."""
    whole = {FEED_FORWARD, 40, 2 * FEED_FORWARD, FEED_FORWARD // 2, 4 * HIDDEN, 256}
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len({line.split(" | ")[0] for line in lines}) > 200
    for line in lines:
        kind, _, _, mlp, _ = (part.strip(" |") for part in line.split(" | "))
        if "refused" in mlp:
            continue
        for width in map(int, re.search(r": ([\d or]+)$", mlp)[1].split(" or ")):
            parts = mlp.count("`") // 2
            routed = NEURONS in mlp and (width % EXPERT == 0 or width % FEED_FORWARD == 0)
            shared = {N_EXPERTS * e + s for e in (EXPERT, FEED_FORWARD) for s in _SHARED}
            several = parts * FEED_FORWARD
            assert width in whole or routed or width in shared or width == several, (kind, width)


_SHARED = (SHARED_EXPERT, EXPERT, 2 * EXPERT, FEED_FORWARD, 2 * FEED_FORWARD)


# Values, by other means.


def states_at(module: nn.Module, model: tf.PreTrainedModel) -> torch.Tensor:
    """What a module reads."""
    read = []
    handle = module.register_forward_pre_hook(lambda _, args: read.append(args[0]))
    with torch.no_grad():
        model(**texts(model))
    handle.remove()
    return read[0]


def test_neurons_of_xlm_are_those_of_its_feed_forward():
    model = small_model("xlm")
    sites = find_sites(model, "mlp")
    found, _ = recorded(model, sites, texts(model))
    ffn = model.ffns[2]
    with torch.no_grad():
        expected = functional.gelu(ffn.lin1(states_at(ffn, model)))
    assert sites.widths == dict.fromkeys(range(4), 4 * HIDDEN)
    torch.testing.assert_close(found[2], expected)


def test_a_shared_expert_stands_after_the_routed_ones():
    model = small_model("qwen2_moe")
    sites = find_sites(model, "mlp")
    found, _ = recorded(model, sites, texts(model))
    moe = model.layers[1].mlp
    shared, read = moe.shared_expert, states_at(moe, model)
    with torch.no_grad():
        gated = functional.silu(shared.gate_proj(read)) * shared.up_proj(read)
        expert = functional.linear(read, moe.experts.gate_up_proj[3])
        routed = functional.silu(expert[..., :EXPERT]) * expert[..., EXPERT:]
    n_routed = N_EXPERTS * EXPERT
    torch.testing.assert_close(found[1][..., n_routed:], gated.view(2, 7, SHARED_EXPERT))
    third = found[1][..., 3 * EXPERT : n_routed]
    chosen = third.abs().sum(-1) > 0
    assert chosen.any()
    torch.testing.assert_close(third[chosen], routed.view(2, 7, EXPERT)[chosen])


def test_a_mask_reaches_routed_and_shared_experts_alike():
    """Neurons set to 0 are those whose weights could have been 0 instead."""
    model = small_model("qwen2_moe")
    sites = find_sites(model, "mlp")
    space = NeuronSpace("tiny", "mlp", tuple(sites.widths), tuple(sites.widths.values()))
    n_routed = N_EXPERTS * EXPERT
    mask = NeuronMask.of(space, [(1, 5), (1, n_routed + 3)])
    inputs = texts(model)
    with torch.no_grad(), intervene(model, mask):
        found = model(**inputs).last_hidden_state
    moe = model.layers[1].mlp
    with torch.no_grad():
        intact = model(**inputs).last_hidden_state
        moe.experts.down_proj[0, :, 5] = 0
        moe.shared_expert.down_proj.weight[:, 3] = 0
        expected = model(**inputs).last_hidden_state
    torch.testing.assert_close(found, expected)
    assert not torch.equal(found, intact)


@pytest.mark.parametrize(
    "model_type", ["gpt_oss", "aria_text", "nemotron_h", "granitemoe", "olmoe", "zaya"]
)
def test_experts_of_every_layout_compute_what_transformers_computes(model_type):
    """With biases, transposed, without a gate, gate and up interleaved."""
    model = small_model(model_type)
    model.set_experts_implementation("eager")
    inputs = texts(model)
    with torch.no_grad():
        expected = model(**inputs).last_hidden_state
    name = next(name for name, _ in model.named_modules() if name.endswith(".experts"))
    pattern = re.sub(r"\.\d+\.", ".{}.", name)
    sites = find_sites(model, "mlp", modules=f"{pattern}.{NEURONS}")
    with torch.no_grad():
        torch.testing.assert_close(model(**inputs).last_hidden_state, expected)
    assert set(sites.widths.values()) <= {N_EXPERTS * EXPERT, N_EXPERTS * FEED_FORWARD}


def test_surplus_padding_of_longformer_is_cut_and_left_alone():
    """Of texts longer than its window, too."""
    model = small_model("longformer")
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 100, (2, 19), generator=generator)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    found, output = recorded(
        model, find_sites(model, "hidden_states"), inputs, output_hidden_states=True
    )
    assert all(torch.equal(found[n], told) for n, told in enumerate(output.hidden_states))
    mlp, _ = recorded(model, find_sites(model, "mlp"), inputs)
    assert {tuple(states.shape) for states in mlp.values()} == {(2, 19, FEED_FORWARD)}


# Refusals.


@pytest.mark.parametrize(
    ("model_type", "site", "said"),
    [
        ("switch_transformers", "mlp", "experts that are modules of their own"),
        ("dbrx", "mlp", r"blocks\.0\.ffn\.experts\.mlp \(DbrxExpertGLU\) applies weights"),
        ("jetmoe", "mlp", r"\(JetMoeParallelExperts\) applies weights to neurons"),
        ("pegasus_x", "mlp", "is called more than once in a block"),
        ("zamba", "mlp", r"layers\.0 has no feed-forward that is known"),
        ("mamba", "mlp", "no list of blocks found that has 'mlp'"),
        ("qwen3_next", "attention_heads", r"such as 'layers\.\{\}\.self_attn\.o_proj'"),
        ("lfm2", "attention_heads", r"such as 'layers\.\{\}\.self_attn\.out_proj'"),
        ("blip", "mlp", r"BlipModel: fails when it reads six tokens \(ValueError: .*pixel_values"),
        ("mllama", "mlp", "was taken for a block but is not called"),
        ("funnel", "hidden_states", "was taken for a block but is not called"),
        ("cpmant", "mlp", "outputs its last hidden states"),
    ],
)
def test_what_is_refused_says_why(model_type, site, said):
    model = small_model(model_type)
    with pytest.raises(InputError, match=said) as refused:
        find_sites(model, site)
    assert type(model).__name__ in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("model_type", "site"),
    [("qwen3_next", "attention_heads"), ("lfm2", "attention_heads"), ("nemotron_h", "mlp")],
)
def test_what_a_refusal_names_can_be_passed(model_type, site):
    model = small_model(model_type)
    with pytest.raises(InputError) as refused:
        find_sites(model, site)
    name = re.search(r"such as '([^']+)'", str(refused.value))[1]
    sites = find_sites(model, site, modules=name)
    assert 0 < len(sites.widths) < model.config.num_hidden_layers
    found, _ = recorded(model, sites, texts(model))
    assert set(found) == set(sites.widths)


class Block(nn.Module):
    """A block whose feed-forward a test can exchange."""

    def __init__(self, feed_forward: nn.Module):
        super().__init__()
        self.feed_forward = feed_forward

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return hidden_states + self.feed_forward(hidden_states)


class Toy(tf.PreTrainedModel):
    """Embeddings and two blocks."""

    config_class = tf.BertConfig

    def __init__(self, make, **widths):
        super().__init__(tf.BertConfig(vocab_size=50, hidden_size=8, **widths))
        self.embeddings = nn.Embedding(50, 8)
        self.blocks = nn.ModuleList(Block(make()) for _ in range(2))

    def get_input_embeddings(self):
        return self.embeddings

    def forward(self, input_ids, attention_mask=None, **_):
        states = self.embeddings(input_ids)
        for block in self.blocks:
            states = block(states)
        return tf.modeling_outputs.BaseModelOutput(last_hidden_state=states)


class Experts(nn.Module):
    """Two experts that are modules, the first for even tokens; a shared one where asked for."""

    def __init__(self, shared: bool):
        super().__init__()
        self.experts = nn.ModuleList(feed_forward(12) for _ in range(2))
        self.shared = feed_forward(12) if shared else None

    def forward(self, states):
        flat = states.reshape(-1, 8)
        out = torch.zeros_like(flat)
        for number, expert in enumerate(self.experts):
            own = torch.arange(len(flat)) % 2 == number
            out[own] = expert(flat[own])
        out = out.view_as(states)
        return out if self.shared is None else out + self.shared(states)


class Favourite(Experts):
    """Whose router sends all tokens to the first expert."""

    def forward(self, states):
        return self.experts[0](states.reshape(-1, 8)).view_as(states)


class Conv(nn.Module):
    """A feed-forward of convolutions, with an adapter of linear layers after it."""

    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Conv1d(8, 12, 1), nn.Conv1d(12, 8, 1)
        self.adapter = feed_forward(5)

    def forward(self, states):
        neurons = self.up(states.transpose(1, 2)).relu()
        return self.adapter(self.down(neurons).transpose(1, 2))


def feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, width), nn.GELU(), nn.Linear(width, 8))


class WithAdapter(nn.Module):
    def __init__(self):
        super().__init__()
        self.ffn, self.adapter = feed_forward(12), feed_forward(5)

    def forward(self, states):
        states = self.ffn(states)
        return states + self.adapter(states)


@pytest.mark.parametrize(
    ("make", "width", "said"),
    [
        (lambda: Experts(shared=False), 12, "experts that are modules of their own"),
        (lambda: Experts(shared=True), 12, "experts that are modules of their own"),
        (lambda: Favourite(shared=False), 12, "experts that are modules of their own"),
        (Conv, 12, r"reads 5 units, which is none of the widths in the configuration \(12\)"),
        (lambda: nn.Linear(8, 8), 12, "no list of blocks found that has 'mlp'"),
        (lambda: nn.Sequential(nn.Linear(8, 12), nn.Linear(12, 8)), 12, "no list of blocks found"),
        (lambda: nn.Sequential(nn.GELU(), nn.Linear(8, 8)), 8, "no list of blocks found"),
    ],
)
def test_what_is_no_feed_forward_is_refused(make, width, said):
    with pytest.raises(InputError, match=said):
        find_sites(Toy(make, intermediate_size=width).eval(), "mlp")


def test_the_configuration_tells_a_feed_forward_from_an_adapter():
    sites = find_sites(Toy(WithAdapter, intermediate_size=12).eval(), "mlp")
    assert [point.module for point in sites.points] == [
        "blocks.0.feed_forward.ffn.2",
        "blocks.1.feed_forward.ffn.2",
    ]
    assert sites.widths == {0: 12, 1: 12}


# Modules named by the user.


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ("blocks.0.feed_forward.ffn.2", r"write \{\} once"),
        ("blocks.{}.{}.ffn.2", r"write \{\} once"),
        ("", r"write \{\} once"),
        ("block.{}.feed_forward.ffn.2", "no module named 'block.*such as 'blocks"),
        ("blocks.{}.feed_forward", None),
    ],
)
def test_names_of_modules(modules, said):
    model = Toy(WithAdapter, intermediate_size=12).eval()
    if said is None:
        assert find_sites(model, "mlp", modules=modules).widths == {0: 8, 1: 8}
        return
    with pytest.raises(InputError, match=said):
        find_sites(model, "mlp", modules=modules)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.skipped = feed_forward(12), feed_forward(12)

    def forward(self, states):
        return self.inner(self.inner(states))


class Growing(nn.Module):
    """Reads one vector per token of short texts only."""

    def __init__(self):
        super().__init__()
        self.short, self.narrow = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, states):
        if states.shape[1] > 3:
            return self.short(states[:, :2]).mean(1, keepdim=True) + self.narrow(states)
        return self.short(states) + self.narrow(states)


@pytest.mark.parametrize(
    ("make", "modules", "said"),
    [
        (Twice, "blocks.{}.feed_forward.inner.2", "is called once per layer: .* is called 2 times"),
        (Twice, "blocks.{}.feed_forward.skipped.2", "is not called when the model reads"),
        (
            lambda: Experts(shared=True),
            "blocks.{}.feed_forward.experts.1.2",
            "its input is not one vector per token",
        ),
    ],
)
def test_modules_that_do_not_read_every_token_once(make, modules, said):
    with pytest.raises(InputError, match=said):
        find_sites(Toy(make, intermediate_size=12).eval(), "mlp", modules=modules)


def test_a_shared_expert_can_be_named():
    model = Toy(lambda: Experts(shared=True), intermediate_size=12).eval()
    sites = find_sites(model, "mlp", modules="blocks.{}.feed_forward.shared.2")
    assert sites.widths == {0: 12, 1: 12}


def test_a_module_that_reads_something_else_in_longer_texts():
    """Never cut or stretched to fit."""
    model = Toy(Growing, intermediate_size=8).eval()
    sites = find_sites(model, "mlp", modules="blocks.{}.feed_forward.short")
    ids = torch.arange(8).view(1, 8)
    said = r"blocks\.0\.feed_forward\.short: its input is \(1, 2, 8\) for 1 texts of 8 tokens"
    with pytest.raises(InputError, match=said), record(model, sites, lambda *_: None):
        model(ids)
    with pytest.raises(InputError, match=said), rewrite(model, sites, lambda _, __, s: s):
        model(ids)


def test_experts_that_read_half_the_tokens_are_not_folded_into_sentences():
    """Four vectors of a text of two tokens would fit (1, 2, 16), but are not that."""

    class Doubling(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(8, 8)

        def forward(self, states):
            flat = states.reshape(-1, 8)
            flat = flat if states.shape[1] == 3 else torch.cat([flat, flat])
            return self.last(flat)[: states.shape[0] * states.shape[1]].view_as(states)

    model = Toy(Doubling, intermediate_size=8).eval()
    sites = find_sites(model, "mlp", modules="blocks.{}.feed_forward.last")
    said = r"its input is \(4, 8\) for 1 texts of 2 tokens"
    with pytest.raises(InputError, match=said), record(model, sites, lambda *_: None):
        model(torch.arange(2).view(1, 2))


# From a corpus.

EXTRACTED = ["xlm", "longformer", "qwen2_moe", "gemma3", "mistral3", "jamba", "recurrent_gemma"]


@pytest.mark.heavy
@pytest.mark.parametrize("model_type", EXTRACTED)
def test_extracted_states_are_those_of_the_model(model_type, tokenizers_by_kind, tmp_path):
    tokenizer = tokenizers_by_kind["wordpiece"]
    loaded = LoadedModel(small_model(model_type), tokenizer, model_type, "")
    assert loaded.max_tokens is None or loaded.max_tokens > 11
    words = ["the", "old", "cats", "bark", "at", "her"]
    sentences = [words, words[:2], ["dog"]]
    corpus = TaggedCorpus(sentences, source="words.txt")
    for site in SITES[:2]:
        store = extract(loaded, corpus, tmp_path / f"{site}.h5", site=site)
        sites = find_sites(loaded.model, site)
        start = 0
        for sentence in sentences:
            encoded = tokenizer(sentence, is_split_into_words=True, return_tensors="pt")
            of_word = encoded.word_ids()
            last = [max(i for i, w in enumerate(of_word) if w == k) for k in range(len(sentence))]
            inputs = {key: encoded[key] for key in ("input_ids", "attention_mask")}
            states, _ = recorded(loaded.model, sites, inputs)
            for layer in sites.widths:
                found = torch.from_numpy(store.layer(layer)[start : start + len(sentence)])
                torch.testing.assert_close(found, states[layer][0, last], atol=1e-4, rtol=1e-3)
            start += len(sentence)


def test_heads_stand_in_whole_heads():
    for model_type in ("xlm", "qwen2_moe", "gemma3"):
        sites = find_sites(small_model(model_type), "attention_heads")
        assert all(width % N_HEADS == 0 for width in sites.widths.values())
