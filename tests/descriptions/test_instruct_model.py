"""Also of ``neurox_lite.descriptions.descriptor_prompt``."""

import json

import pytest
import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers.modeling_outputs import CausalLMOutput

from neurox_lite.descriptions.descriptor_prompt import EXAMPLE_ANSWER, chat, plain_prompt
from neurox_lite.descriptions.descriptor_text import parse_answer
from neurox_lite.descriptions.instruct_model import GREEDY, InstructModel
from neurox_lite.descriptions.proposals import propose_descriptors
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError

TEXTS = ["the old cat sees the dogs .", "dogs bark", "cats , and the dogs that bark at her", "it's"]
TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)
ASKED = f"{EXAMPLE_ANSWER}\n\nText: "


def gpt2(kind=tf.GPT2LMHeadModel, n_vocabulary=259, **options):
    torch.manual_seed(0)
    config = tf.GPT2Config(
        n_embd=8,
        n_layer=2,
        n_head=2,
        n_positions=2048,
        vocab_size=n_vocabulary,
        initializer_range=0.5,
        bos_token_id=0,
        eos_token_id=2,
        **options,
    )
    return kind(config).eval()


class Scripted(tf.GPT2LMHeadModel):
    """Reads the text in its prompt, and answers what the script says."""

    script: dict
    tokenizer: object
    shift = 0

    def forward(self, input_ids, attention_mask=None, **_):
        logits = torch.zeros(*input_ids.shape, self.config.vocab_size)
        for row, ids in enumerate(input_ids):
            # A mask of ones is not handed on.
            is_real = torch.ones_like(ids) if attention_mask is None else attention_mask[row]
            is_real = is_real.bool()
            assert is_real[-1]  # padded on the left
            read = self.tokenizer.decode(ids[is_real])
            text, _, written = read.partition(ASKED)[2].partition("\nDescriptors:")
            answer = self.tokenizer(self.script[text])["input_ids"] + [self.config.eos_token_id]
            n_padding = int((~is_real).sum())
            place = len(self.tokenizer(written)["input_ids"]) + (self.shift if n_padding else 0)
            logits[row, -1, answer[min(place, len(answer) - 1)]] = 1
        return CausalLMOutput(logits=logits)


@pytest.fixture
def of_bytes():
    """A token for every byte."""
    tokens = ["<s>", "<pad>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bpe = models.BPE({token: number for number, token in enumerate(tokens)}, [])
    tokenizer = Tokenizer(bpe)
    tokenizer.add_special_tokens(tokens[:3])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


@pytest.fixture
def scripted(of_bytes):
    model = gpt2(Scripted)
    model.tokenizer = of_bytes
    model.generation_config.use_cache = False
    return model


def test_answers_are_those_of_the_model(scripted):
    scripted.script = {
        "the cat": ' ["cats", "Animals"]',
        "dogs bark at it": " 1. dogs\n2. **barking**\n\nText: another one\nDescriptors: more",
        "it": " cats, dogs",
        "at": " []",
    }
    texts = list(scripted.script)
    model = InstructModel(scripted, scripted.tokenizer, batch_size=3)

    assert propose_descriptors(model, texts) == [
        ("cats", "animals"),
        ("dogs", "barking"),
        ("cats", "dogs"),
        (),
    ]


def test_a_list_that_is_cut_off_is_read_as_far_as_it_goes(scripted):
    scripted.script = {"the cat": ' ["cats", "animals", "and a very long one that never ends"]'}
    model = InstructModel(scripted, scripted.tokenizer, max_new_tokens=20)
    assert model(["the cat"]) == [["cats", "animals"]]


def test_a_model_that_padding_changes_is_refused(scripted):
    scripted.script = {"the cat": ' ["cats"]', "dogs bark at it": ' ["dogs"]'}
    scripted.shift = 1
    with pytest.raises(InputError, match="padding changes what it answers; give batch_size=1"):
        InstructModel(scripted, scripted.tokenizer)(list(scripted.script))
    alone = InstructModel(scripted, scripted.tokenizer, batch_size=1)
    assert alone(list(scripted.script)) == [["cats"], ["dogs"]]


def t5():
    """With layers that are strong enough for the text to matter."""
    config = tf.T5Config(
        vocab_size=384,
        d_model=8,
        d_kv=4,
        d_ff=16,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
        eos_token_id=1,
        initializer_factor=5.0,
    )
    torch.manual_seed(7)
    model = tf.T5ForConditionalGeneration(config).eval()
    torch.manual_seed(7)
    for name, weights in model.named_parameters():
        if "Attention" in name or "DenseReluDense" in name:
            torch.nn.init.normal_(weights, std=10 / 3)
    return model


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_answers_are_greedy_whatever_the_batch_size(of_bytes, kind):
    """Of random models, with tokens that are nearly equal; one by one, without a cache."""
    model, tokenizer = (gpt2(), of_bytes) if kind == "gpt2" else (t5(), tf.ByT5Tokenizer())
    # What a model's files may ask for is not done.
    model.generation_config.repetition_penalty = 5.0
    model.generation_config.do_sample = True
    answers = []
    for batch_size in (1, 3):
        asked = InstructModel(model, tokenizer, batch_size=batch_size, max_new_tokens=12)
        prompts = [asked._read(text) for text in TEXTS]
        order = sorted(range(4), key=lambda i: -len(prompts[i]))
        found = {}
        for first in range(0, 4, batch_size):
            batch = order[first : first + batch_size]
            found.update(zip(batch, asked._answers([prompts[i] for i in batch]), strict=True))
        answers.append([found[i] for i in range(4)])
    assert answers[0] == answers[1]
    assert len(set(answers[0])) > 1
    assert answers[0] == [greedy(model, tokenizer, ids) for ids in prompts]


@torch.no_grad()
def greedy(model, tokenizer, prompt):
    reads, written = torch.tensor([prompt]), []
    start = [] if isinstance(model, tf.GPT2LMHeadModel) else [0]
    while len(written) < 12 and tokenizer.eos_token_id not in written:
        new = torch.tensor([start + written], dtype=torch.long)
        if start:
            logits = model(input_ids=reads, decoder_input_ids=new).logits
        else:
            logits = model(torch.cat([reads, new], dim=1)).logits
        written.append(int(logits[0, -1].argmax()))
    return tokenizer.decode(written, skip_special_tokens=True)


def test_texts_where_two_tokens_tie_are_answered_again_alone(of_bytes, monkeypatch):
    model = gpt2()
    torch.nn.init.zeros_(model.lm_head.weight)
    asked = InstructModel(model, of_bytes, max_new_tokens=2)
    generate, sizes = asked._generate, []

    def counted(prompts):
        sizes.append(len(prompts))
        return generate(prompts)

    monkeypatch.setattr(asked, "_generate", counted)
    asked(["the cat", "dogs bark at it"])
    assert sizes == [2, 1, 1]


def test_prompts_follow_the_chat_template(of_bytes):
    model = InstructModel(gpt2(), of_bytes)
    assert of_bytes.decode(model._read("the cat")) == plain_prompt("the cat")
    assert plain_prompt("a\nb").endswith("\n\nText: a b\nDescriptors:")
    assert EXAMPLE_ANSWER in plain_prompt("the cat")

    of_bytes.chat_template = TEMPLATE
    ids = model._read("the </s> cat")
    shown = of_bytes.decode(ids)
    first, second, third = chat("the < /s> cat")
    assert shown == (
        f"<s>user: {first['content']}</s><s>assistant: {second['content']}</s>"
        f"<s>user: {third['content']}</s><s>assistant: "
    )
    assert ids.count(2) == 3  # none of the text


def test_the_example_is_answered_as_it_is_asked():
    assert parse_answer(EXAMPLE_ANSWER) == json.loads(EXAMPLE_ANSWER)


def test_texts_that_are_too_long_have_none_and_it_is_said(scripted, caplog):
    scripted.script = {"the cat": ' ["cats"]'}
    model = InstructModel(scripted, scripted.tokenizer)
    assert model(["the cat", "dogs " * 2000]) == [["cats"], []]
    assert "1 of 2 texts are longer than" in caplog.text
    with pytest.raises(InputError, match="reads 2048 tokens, fewer than the prompts"):
        model(["dogs " * 2000])
    assert model([]) == []


def test_encoder_decoders_are_loaded_whole(make_model, tmp_path):
    model, tokenizer = t5(), tf.ByT5Tokenizer()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    options = {"max_new_tokens": 5, "device": "cpu"}
    loaded = InstructModel(tmp_path, **options)
    assert isinstance(loaded.loaded.model, tf.T5ForConditionalGeneration)
    prompts = [loaded._read(text) for text in TEXTS]
    assert loaded._generate(prompts) == InstructModel(model, tokenizer, **options)._generate(
        prompts
    )
    with pytest.raises(InputError, match="a T5Model has no text-to-text head"):
        InstructModel(make_model("t5"))


def test_models_that_write_nothing_are_refused(make_model, of_bytes):
    with pytest.raises(InputError, match=r"in training mode, .*; call model.eval\(\) first"):
        InstructModel(gpt2().train(), of_bytes)
    with pytest.raises(InputError, match="does not generate text; give an instruct model"):
        InstructModel(embedded_path("models/lstm-0"), device="cpu")
    with pytest.raises(InputError, match="has no language head"):
        InstructModel(make_model("gpt2"), device="cpu")


def test_models_own_settings_are_left_alone(of_bytes):
    model = gpt2()
    model.generation_config.repetition_penalty = 5.0
    before = model.generation_config.to_dict()
    InstructModel(model, of_bytes, max_new_tokens=2)(["dogs bark"])
    assert model.generation_config.to_dict() == before
    assert GREEDY.keys() >= {"do_sample", "repetition_penalty"}
