"""Minimal pairs as models read them, beside plain transformers calls.

Also of ``neurox_lite.interventions.pair_tokens``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import transformers as tf
from tokenizers.processors import TemplateProcessing

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions.metrics import perplexity
from neurox_lite.interventions.pair_inputs import encode_pairs, reads_both_sides, usable
from neurox_lite.interventions.pair_scores import score_pairs
from neurox_lite.models.loading import LoadedModel, load_model
from tests.conftest import CONFIGS

MODELS = ("lstm-0", "gpt2", "bert")
CLASSES = {
    "lstm-0": tf.AutoModelForCausalLM,
    "gpt2": tf.AutoModelForCausalLM,
    "bert": tf.AutoModelForMaskedLM,
}
PAIR = MinimalPair(("The", "niece"), "watches", "watch", ("those", "boxes", "."))


@pytest.fixture(scope="module")
def language_models():
    return {
        name: load_model(embedded_path(f"models/{name}"), device="cpu", head="language")
        for name in MODELS
    }


@pytest.fixture(scope="module")
def pairs():
    """One pair of every template and condition, of two to ten words."""
    chosen = read_pairs(embedded_path("corpora/number-pairs.tsv"))[::50]
    assert len({len(pair.prefix) for pair in chosen}) > 5
    return chosen


@pytest.mark.parametrize("name", MODELS)
def test_scores_of_pairs_are_those_of_plain_calls(language_models, pairs, name):
    """One by one, without padding or hooks."""
    loaded = language_models[name]
    expected = []
    for pair in pairs:
        inputs = encode_pairs(loaded, [pair])
        with torch.no_grad():
            logits = loaded.model(inputs.input_ids).logits[0, inputs.prediction_positions]
        found = logits.double().log_softmax(-1)[0]
        expected.append(float(found[inputs.right] - found[inputs.wrong]))
    scores = score_pairs(loaded, pairs)
    assert scores.dtype == "float64" and scores == pytest.approx(expected, abs=1e-4)
    assert score_pairs(embedded_path(f"models/{name}"), pairs[:1]) == pytest.approx(scores[:1])


def test_copies_of_pairs(language_models):
    """What is read and chosen alike; a causal model does not read the suffix."""
    other = replace(PAIR, suffix=("a", "bike", "."), template="x")
    swapped = replace(PAIR, right=PAIR.wrong, wrong=PAIR.right)
    longer = replace(PAIR, prefix=("The", "niece", "probably"))
    pairs = [PAIR, longer, other, PAIR, swapped]
    assert encode_pairs(language_models["gpt2"], pairs).distinct() == [0, 1, 4]
    assert encode_pairs(language_models["bert"], pairs).distinct() == [0, 1, 2, 4]


def test_what_are_no_pairs(language_models):
    rows = [PAIR, ("The", "watches", "watch")]
    for bad, what in (("pairs.tsv", "'pairs.tsv'"), (rows, "a list with a tuple in it")):
        with pytest.raises(InputError, match=f"pairs must be a list of MinimalPair, not {what}; "):
            encode_pairs(language_models["gpt2"], bad)


def test_pairs_may_be_read_once(language_models, pairs):
    loaded = language_models["gpt2"]
    once = encode_pairs(loaded, (pair for pair in pairs))
    assert torch.equal(once.input_ids, encode_pairs(loaded, pairs).input_ids)


def test_a_tokenizer_of_another_model_is_refused(language_models):
    """Its tokens are more than the model has embeddings."""
    loaded = language_models["gpt2"]
    config = tf.GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=50)
    small = LoadedModel(tf.GPT2LMHeadModel(config).eval(), loaded.tokenizer, "small", "")
    with pytest.raises(InputError, match=r"tokenizer gives token .* small has 50 embeddings"):
        score_pairs(small, [PAIR])
    with pytest.raises(InputError, match="small has 50 embeddings"):
        perplexity(small, ["The niece watches those boxes ."])
    assert usable(small, [PAIR]) == []


def tiny(kind, tokenizer, auto_class=tf.AutoModelForCausalLM):
    """A random model with a head and a tokenizer that cuts words into pieces."""
    config = CONFIGS[kind]()
    config.vocab_size = len(tokenizer)
    torch.manual_seed(0)
    return LoadedModel(auto_class.from_config(config).eval(), tokenizer, "tiny", "")


# What the models make of pairs.


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_log_odds_of_a_padded_batch_are_those_of_each_pair_alone(language_models, pairs, name):
    folder = embedded_path(f"models/{name}")
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    model = CLASSES[name].from_pretrained(folder).eval()
    expected = []
    for pair in pairs:
        text = " ".join(pair.prefix)
        if name == "bert":
            text = " ".join([*pair.prefix, "[MASK]", *pair.suffix])
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        place = ids[0].tolist().index(tokenizer.mask_token_id) if name == "bert" else -1
        odds = model(ids).logits[0, place].log_softmax(-1)
        right, wrong = (
            tokenizer.convert_tokens_to_ids(f"Ġ{word}" if name == "gpt2" else word)
            for word in (pair.right, pair.wrong)
        )
        expected.append(odds[right] - odds[wrong])

    loaded = language_models[name]
    inputs = encode_pairs(loaded, pairs)
    logits = loaded.model(inputs.input_ids, attention_mask=inputs.attention_mask).logits
    found = inputs.log_odds(logits, torch.arange(len(pairs)))

    assert len(inputs) == len(pairs) and inputs.attention_mask.min() == 0
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-4, rtol=1e-4)
    assert (found > 0).float().mean() > 0.9


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_some_of_the_pairs(language_models, pairs, name):
    loaded = language_models[name]
    inputs = encode_pairs(loaded, pairs)
    rows = [5, 0, 20]
    logits = loaded.model(inputs.input_ids, attention_mask=inputs.attention_mask).logits
    expected = inputs.log_odds(logits[rows], torch.tensor(rows))
    selected = inputs.select(rows)
    assert selected.pairs == tuple(pairs[row] for row in rows)
    assert torch.equal(selected.log_odds(logits[rows], torch.arange(3)), expected)
    assert torch.equal(selected.word_positions(1), inputs.word_positions(1)[rows])


@pytest.mark.parametrize("name", MODELS)
def test_words_are_at_their_tokens(language_models, pairs, name):
    loaded = language_models[name]
    inputs = encode_pairs(loaded, pairs)
    for number in (0, 1, -1, -2):
        places = inputs.word_positions(number)
        ids = inputs.input_ids[torch.arange(len(pairs)), places]
        tokens = loaded.tokenizer.convert_ids_to_tokens(ids.tolist())
        words = [pair.prefix[number] for pair in pairs]
        assert [token.removeprefix("Ġ") for token in tokens] == words
    after_last = inputs.word_positions(-1) + 1 if name == "bert" else inputs.word_positions(-1)
    assert torch.equal(after_last, inputs.prediction_positions)


@pytest.mark.parametrize(
    ("kind", "tokenizer"),
    [
        ("lstm", "wordpiece"),
        ("gpt2", "byte_bpe"),
        ("gpt2", "prefixed_bpe"),
        ("llama", "metaspace_bpe"),
        ("gpt2", "unigram"),
    ],
)
def test_a_word_of_several_tokens_is_at_its_last(tokenizers_by_kind, kind, tokenizer):
    loaded = tiny(kind, tokenizers_by_kind[tokenizer])
    prefix = ("x1000", "Zürich", "barkings", "dogs")
    choice = ("cat", "th") if tokenizer == "unigram" else ("at", "cats")
    inputs = encode_pairs(loaded, [MinimalPair(prefix, *choice)])
    ids = inputs.input_ids[0].tolist()
    assert len(ids) > len(prefix) + 2
    n_tokens = [
        len(loaded.tokenizer(" ".join(prefix[:n]), add_special_tokens=False)["input_ids"])
        for n in (1, 2, 3, 4)
    ]
    start = len(ids) - n_tokens[-1]
    for number in range(len(prefix)):
        assert inputs.word_positions(number).item() == start + n_tokens[number] - 1
    assert inputs.prediction_positions.item() == len(ids) - 1 == inputs.word_positions(-1).item()


@pytest.mark.parametrize("name", ["lstm-0", "gpt2"])
def test_an_end_token_after_the_prefix_does_not_move_the_answer(language_models, pairs, name):
    loaded = language_models[name]
    tokenizer = tf.AutoTokenizer.from_pretrained(embedded_path(f"models/{name}"))
    special = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<s>", "</s>")]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=special
    )
    ended = encode_pairs(replace(loaded, tokenizer=tokenizer), pairs)
    plain = encode_pairs(loaded, pairs)
    assert tokenizer("The niece")["input_ids"][-1] == special[1][1]
    assert torch.equal(ended.input_ids, plain.input_ids)
    assert torch.equal(ended.prediction_positions, plain.prediction_positions)
    assert ended.words == plain.words


# What is refused.


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (MinimalPair(("The", "niece"), "watches", "watches"), "both words are the same token"),
        (MinimalPair(("The", "niece"), "watches Mary", "watch"), "'watches Mary' is 2 tokens for"),
    ],
)
def test_a_pair_that_is_none(language_models, name, pair, message):
    with pytest.raises(InputError, match=message) as caught:
        encode_pairs(language_models[name], [PAIR, pair])
    assert "The niece" in str(caught.value) and "\n" not in str(caught.value)


def test_words_of_several_tokens_and_unknown_ones(language_models):
    odd = replace(PAIR, wrong="internationalises")
    for name in ("gpt2", "bert"):
        with pytest.raises(InputError, match=r"'internationalises' is \d+ tokens for .*leave this"):
            encode_pairs(language_models[name], [odd])
    with pytest.raises(InputError, match="does not know 'internationalises'; leave the pair out"):
        encode_pairs(language_models["lstm-0"], [odd])
    with pytest.raises(InputError, match="does not know '東京'"):
        encode_pairs(language_models["bert"], [replace(PAIR, right="東京")])


def test_a_mask_in_a_pair(language_models):
    for pair in (
        replace(PAIR, prefix=("The", "[MASK]")),
        replace(PAIR, suffix=("those", "[MASK]", ".")),
    ):
        with pytest.raises(InputError, match=r"\[MASK\].*not one mask; leave masks out of pairs"):
            encode_pairs(language_models["bert"], [pair])


@pytest.mark.parametrize("name", MODELS)
def test_no_pairs(language_models, name):
    with pytest.raises(InputError, match="no minimal pairs; give at least one"):
        encode_pairs(language_models[name], [])
    assert usable(language_models[name], []) == []


def test_a_prefix_without_tokens(tokenizers_by_kind):
    loaded = tiny("gpt2", tokenizers_by_kind["byte_bpe"])
    with pytest.raises(InputError, match="cats / at: no tokens before the choice"):
        encode_pairs(loaded, [MinimalPair((), "cats", "at")])


@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_a_pair_that_is_too_long(language_models, name):
    long = replace(PAIR, prefix=("The", "niece", *["that", "niece"] * 40))
    with pytest.raises(InputError, match=r"8\d tokens, but .* reads 64; shorten it"):
        encode_pairs(language_models[name], [PAIR, long])
    assert len(usable(language_models["lstm-0"], [PAIR, long])) == 2


def test_a_word_that_a_prefix_does_not_have(language_models, pairs):
    inputs = encode_pairs(language_models["lstm-0"], [pairs[-1], PAIR])
    for number in (2, -3):
        with pytest.raises(InputError, match=f"'The niece' has 2 words and no word {number}; give"):
            inputs.word_positions(number)


@pytest.mark.parametrize("task", [encode_pairs, usable])
@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
def test_a_model_without_a_head(make_model, kind, task):
    loaded = load_model(make_model(kind), device="cpu")
    with pytest.raises(InputError, match="predicts no words; load a causal or masked model"):
        task(loaded, [PAIR])


@pytest.mark.parametrize("task", [encode_pairs, usable])
def test_tokenizers_that_will_not_do(tokenizers_by_kind, task):
    slow = tiny("gpt2", tokenizers_by_kind["bytes"])
    with pytest.raises(InputError, match="its tokenizer gives no offsets; give one that is 'fast'"):
        task(slow, [PAIR])
    maskless = tiny("bert", tokenizers_by_kind["wordpiece"], tf.AutoModelForMaskedLM)
    with pytest.raises(InputError, match="its tokenizer has no mask token; give one that has"):
        task(maskless, [PAIR])


def test_usable_pairs_are_those_that_can_be_encoded(language_models, pairs):
    odd = [
        replace(PAIR, right="internationalises"),
        replace(PAIR, wrong="watches"),
        replace(PAIR, prefix=("The", "[MASK]")),
    ]
    kept = usable(language_models["bert"], [odd[0], *pairs[:3], odd[1], *pairs[3:6], odd[2]])
    assert kept == pairs[:6]
    assert len(encode_pairs(language_models["bert"], kept)) == 6


ODD = [
    replace(PAIR, right="internationalises"),
    replace(PAIR, wrong="watches"),
    replace(PAIR, prefix=("The", "internationalising", "niece")),
    replace(PAIR, prefix=("The", "東京")),
    replace(PAIR, prefix=("東京",)),
    replace(PAIR, prefix=("The", "[MASK]")),
    replace(PAIR, prefix=("The", "niece", *["that", "niece"] * 40)),
    replace(PAIR, suffix=("those", "東京", ".")),
    replace(PAIR, prefix=("The", "\u200b")),
    replace(PAIR, prefix=("the", "Niece")),
    replace(PAIR, prefix=()),
    MinimalPair(("The", "niece"), "watches Mary", "watch"),
]


@pytest.mark.parametrize("name", MODELS)
def test_usable_all_at_once_equals_pair_by_pair(language_models, pairs, name):
    loaded = language_models[name]
    mixed = [pair for two in zip(ODD, pairs, strict=False) for pair in two] + pairs[len(ODD) :]
    alone = []
    for pair in mixed:
        try:
            encode_pairs(loaded, [pair])
        except InputError:
            continue
        alone.append(pair)
    kept = usable(loaded, mixed)
    assert kept == alone
    assert len(pairs) <= len(kept) < len(mixed)
    together = encode_pairs(loaded, kept)
    for row, pair in enumerate(kept):
        single = encode_pairs(loaded, [pair])
        length = single.input_ids.shape[1]
        assert torch.equal(together.input_ids[row, :length], single.input_ids[0])
        assert together.attention_mask[row].sum() == length
        for part in ("prediction_positions", "right", "wrong"):
            assert getattr(together, part)[row] == getattr(single, part)[0]
        assert together.words[row] == single.words[0]


@pytest.mark.parametrize(
    ("name", "prefix", "word"),
    [
        ("lstm-0", ("The", "internationalising", "niece"), "internationalising"),
        ("lstm-0", ("yesterday", "the", "niece"), "yesterday"),
        ("lstm-0", ("The", "niece", "東京"), "東京"),
        ("bert", ("東京", "niece"), "東京"),
    ],
)
def test_a_word_of_a_prefix_that_the_model_does_not_know(language_models, name, prefix, word):
    loaded = language_models[name]
    pair = replace(PAIR, prefix=prefix)
    message = f"'{' '.join(prefix)}' watches / watch: .* does not know '{word}'; leave the pair out"
    with pytest.raises(InputError, match=message):
        encode_pairs(loaded, [PAIR, pair])
    assert usable(loaded, [pair, PAIR]) == [PAIR]


def test_only_what_is_read_needs_to_be_known(language_models):
    """A causal model does not read the suffix, a masked one does."""
    pair = replace(PAIR, suffix=("those", "東京", "."))
    assert len(encode_pairs(language_models["lstm-0"], [pair])) == 1
    with pytest.raises(InputError, match="does not know '東京'"):
        encode_pairs(language_models["bert"], [pair])


def test_an_unknown_token_that_is_written_so_is_read_so(language_models):
    for name in ("lstm-0", "bert"):
        tokenizer = language_models[name].tokenizer
        pair = replace(PAIR, prefix=("The", tokenizer.unk_token))
        found = encode_pairs(language_models[name], [pair])
        assert tokenizer.unk_token_id in found.input_ids[0]


def test_an_unknown_token_that_transformers_was_not_told_of(tokenizers_by_kind):
    """As where a tokenizer was made with the tokenizers library."""
    tokenizer = tokenizers_by_kind["wordpiece"]
    assert tokenizer.unk_token is None
    loaded = tiny("gpt2", tokenizer)
    for pair in (MinimalPair(("жук",), "at", "cats"), MinimalPair(("the",), "жук", "мышь")):
        with pytest.raises(InputError, match="does not know 'жук'; leave the pair out"):
            encode_pairs(loaded, [pair])


def test_texts_of_words_that_the_model_does_not_know(language_models, caplog):
    """What it predicts of them is of its unknown token."""
    loaded = language_models["lstm-0"]
    perplexity(loaded, ["The niece watches the boxes ."])
    assert not caplog.records
    perplexity(loaded, ["The niece watches the 東京 .", f"The {loaded.tokenizer.unk_token} ."])
    assert "does not know 1 of 9 words (11 % hold its unknown token)" in caplog.text
    with pytest.raises(InputError, match=r"texts: the tokenizer of .* know 2 of 2 words \(100 %"):
        perplexity(loaded, ["東京 横浜"])


def test_bytes_know_every_word(language_models, tokenizers_by_kind):
    odd = ("東京", "internationalising", "Zürich")
    for loaded, choice in (
        (language_models["gpt2"], ("watches", "watch")),
        (tiny("gpt2", tokenizers_by_kind["byte_bpe"]), ("at", "cats")),
    ):
        pair = MinimalPair(odd, *choice)
        assert usable(loaded, [pair]) == [pair]


def test_an_unknown_token_that_is_a_special_one(tokenizers_by_kind):
    """As in GPT-2, where it is also what starts and ends a text."""
    tokenizer = tokenizers_by_kind["byte_bpe"]
    special = tokenizer.bos_token or tokenizer.eos_token or tokenizer.pad_token
    before = tokenizer.unk_token
    tokenizer.unk_token = special
    try:
        pair = MinimalPair(("東京", "dogs"), "at", "cats")
        assert len(encode_pairs(tiny("gpt2", tokenizer), [pair])) == 1
    finally:
        tokenizer.unk_token = before


# Which models are language models.


def test_which_models_read_both_sides(language_models):
    found = {name: reads_both_sides(loaded) for name, loaded in language_models.items()}
    assert found == {"lstm-0": False, "gpt2": False, "bert": True}
