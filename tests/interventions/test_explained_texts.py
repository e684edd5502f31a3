"""Texts to be explained: inputs, states and outputs together.

`neurox_lite.interventions.text_inputs`,
`neurox_lite.interventions.token_states`,
`neurox_lite.interventions.text_outputs`
"""

from __future__ import annotations

import pytest
import torch
import transformers as tf
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts
from neurox_lite.errors import InputError
from neurox_lite.interventions.text_inputs import BYTE_OF_SIGN, shown_tokens
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.models.loading import LoadedModel

TEXTS = ["The baker near the doctors helps the man .", "The nurse sings ."]
ALL = torch.arange(2)


@pytest.fixture(scope="module")
def models():
    return {
        name: nx.load_model(nx.embedded_path(f"models/{name}"), head="language")
        for name in ("bert", "gpt2", "lstm-0")
    }


@pytest.fixture(scope="module")
def with_head(models):
    """A random BERT with another head, of the embedded tokenizer."""

    def make(kind, **options):
        config = tf.BertConfig(
            vocab_size=len(models["bert"].tokenizer),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=24,
            initializer_range=0.5,
            **options,
        )
        torch.manual_seed(0)
        model = kind(config).eval().requires_grad_(False)
        return LoadedModel(model, models["bert"].tokenizer, "small", "none")

    return make


def masked(texts):
    return [text.replace("helps", "[MASK]").replace("sings", "[MASK]") for text in texts]


def explained_by(models, name):
    return ExplainedTexts.of_texts(models[name], masked(TEXTS) if name == "bert" else TEXTS)


@pytest.mark.parametrize("name", ["bert", "gpt2", "lstm-0"])
def test_states_are_word_embeddings_and_hidden_states(models, name):
    explained = explained_by(models, name)
    batch = explained.inputs.batch(ALL)
    model = models[name].model
    hidden = model(**batch, output_hidden_states=True).hidden_states
    states = explained.token_states(ALL)
    assert torch.equal(states[0], model.get_input_embeddings()(batch["input_ids"]))
    assert len(states) == len(hidden) + 1 == explained.n_states
    for state, expected in zip(states[1:], hidden, strict=True):
        torch.testing.assert_close(state, expected)
    assert len(explained.token_states(ALL, 1)) == 2
    with_output, parts = explained.states_and_parts(ALL)
    assert all(map(torch.equal, with_output, states))
    assert all(map(torch.equal, parts, explained.intact(ALL)))


@pytest.mark.parametrize("name", ["bert", "gpt2", "lstm-0"])
def test_a_state_written_back_changes_nothing_and_another_does(models, name):
    explained = explained_by(models, name)
    intact = explained.intact(ALL)[0]
    gates = torch.ones_like(explained.inputs.batch(ALL)["attention_mask"])
    for state, width in enumerate(explained.states.widths):
        zeros = torch.zeros(width)
        same = explained.parts(ALL, state, keep_tokens(gates, zeros))[0]
        assert torch.equal(same, intact)
        other = explained.parts(ALL, state, keep_tokens(gates * 0.0, zeros))[0]
        distance = explained.output.divergence((intact,), (other,))
        assert distance.shape == (2,)
        assert (distance > 0.01).all()


def test_an_erased_token_is_the_text_with_a_mask_in_its_place(models):
    bert = models["bert"]
    explained = ExplainedTexts.of_texts(bert, ["The baker [MASK] the man ."])
    erased = ExplainedTexts.of_texts(bert, ["The baker [MASK] the man ."])
    erased.inputs.input_ids[0, 2] = bert.tokenizer.mask_token_id
    gates = torch.ones(1, 8)
    gates[0, 2] = 0
    row = torch.tensor([0])
    change = keep_tokens(gates, explained.states.placeholder)
    torch.testing.assert_close(explained.parts(row, 0, change), erased.intact(row))


def test_classes_tokens_answers_and_choices(models, with_head):
    bert = models["bert"].tokenizer
    classifier = with_head(tf.BertForSequenceClassification, num_labels=3)
    explained = ExplainedTexts.of_texts(classifier, TEXTS)
    for row, text in enumerate(TEXTS):
        logits = classifier.model(**bert(text, return_tensors="pt")).logits
        found = explained.intact(torch.tensor([row]))
        torch.testing.assert_close(found[0], logits.log_softmax(-1))
        assert explained.output.said(found, torch.tensor([row])) == [f"LABEL_{logits.argmax()}"]

    reader = with_head(tf.BertForQuestionAnswering)
    questions, contexts = ["Who sings ?", "Who helps the man ?"], TEXTS[::-1]
    explained = ExplainedTexts.of_texts(reader, questions, contexts=contexts)
    both = explained.intact(ALL)
    for row, pair in enumerate(zip(questions, contexts, strict=True)):
        found = reader.model(**bert(*pair, return_tensors="pt"))
        for part, logits in zip(both, (found.start_logits, found.end_logits), strict=True):
            n_tokens = logits.shape[1]
            torch.testing.assert_close(part[row, :n_tokens], logits[0].log_softmax(-1))
            assert part[row, n_tokens:].exp().sum() == 0
    assert (explained.output.divergence(both, both) == 0).all()

    gpt2 = models["gpt2"]
    logits = gpt2.model(**gpt2.tokenizer(TEXTS[1], return_tensors="pt")).logits[:, -1]
    found = ExplainedTexts.of_texts(gpt2, TEXTS).intact(torch.tensor([1]))
    torch.testing.assert_close(found[0], logits.log_softmax(-1))

    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[:20]
    explained = ExplainedTexts.of_pairs(gpt2, pairs)
    right, wrong = explained.intact(torch.arange(20))[0].T
    expected = torch.tensor(nx.interventions.score_pairs(gpt2, pairs))
    torch.testing.assert_close((right - wrong).double(), expected.double())


def test_neurons_are_read_at_their_highest_token(models):
    gpt2 = models["gpt2"]
    explained = ExplainedTexts.of_neurons(gpt2, TEXTS, "1:3", nx.Location("hidden_states"))
    hidden = [
        gpt2.model(**gpt2.tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        for text in TEXTS
    ]
    values = [each.hidden_states[1][0, :, 3] for each in hidden]
    everything = torch.cat(values)
    highest = torch.stack([each.max() for each in values])
    expected = (highest - everything.mean()) / everything.std(correction=0)
    torch.testing.assert_close(explained.intact(ALL)[0][:, 0], expected)
    assert explained.n_states == 3
    assert explained.provenance["explained"] == "neuron 1:3 at 'hidden_states'"
    said = explained.output.said(explained.intact(ALL), ALL)
    for text, each in enumerate(values):
        token = explained.inputs.tokens[text][int(each.argmax())]
        assert said[text] == f"{expected[text]:.2f} std at {token}"


def test_batches_do_not_matter(models):
    explained = explained_by(models, "bert")
    together = explained.intact(ALL)[0]
    alone = torch.cat([explained.intact(torch.tensor([row]))[0] for row in (0, 1)])
    torch.testing.assert_close(together, alone)


def test_tokens_of_a_corpus_know_their_words(models):
    words = [["The", "bakers", "sing", "."], ["A", "nurse", "sings", "."]]
    corpus = nx.TaggedCorpus(words)
    inputs = ExplainedTexts.of_texts(models["gpt2"], corpus).inputs
    plain = ExplainedTexts.of_texts(models["gpt2"], [" ".join(each) for each in words]).inputs
    assert torch.equal(inputs.input_ids, plain.input_ids)
    assert torch.equal(inputs.is_special, plain.is_special)
    every = [word for sentence in words for word in sentence]
    for tokens, of_words in zip(inputs.tokens, inputs.words, strict=True):
        for token, word in zip(tokens, of_words, strict=True):
            assert (word < 0 and token == "<s>") or token.strip("Ġ") in every[word]


@pytest.mark.parametrize("name", ["bert", "gpt2", "lstm-0"])
def test_tokens_of_pairs_know_the_words_of_their_prefixes(models, name):
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::100]
    inputs = ExplainedTexts.of_pairs(models[name], pairs).inputs
    every = [word for pair in pairs for word in pair.prefix]
    flags = inputs.is_special.tolist()
    for tokens, numbers, special in zip(inputs.tokens, inputs.words, flags, strict=True):
        known = [number >= 0 for number in numbers]
        before = tokens.index("[MASK]") if name == "bert" else len(tokens)
        assert known == [
            not is_added and position < before
            for position, is_added in enumerate(special[: len(tokens)])
        ]
        for token, number in zip(tokens, numbers, strict=True):
            assert number < 0 or token.strip("Ġ") in every[number]
    found = {number for numbers in inputs.words for number in numbers}
    assert found - {-1} == set(range(len(every)))
    assert inputs.is_special[0, inputs.tokens[0].index("[MASK]")] if name == "bert" else True


def test_tokens_of_texts_know_the_words_between_blanks(models, with_head):
    texts = [" The  baker's man\tsings .", "The nurse sings ."]
    words = [word for text in texts for word in text.split()]
    inputs = ExplainedTexts.of_texts(models["gpt2"], texts).inputs
    spelt = [""] * len(words)
    for tokens, numbers in zip(inputs.tokens, inputs.words, strict=True):
        for token, number in zip(tokens, numbers, strict=True):
            if number < 0:
                assert token in ("<s>", "Ġ")
            else:
                spelt[number] += token.strip("Ġĉ")
    assert spelt == words
    reader = with_head(tf.BertForQuestionAnswering)
    inputs = ExplainedTexts.of_texts(reader, texts[1:], contexts=TEXTS[:1]).inputs
    assert inputs.words == ((-1, 0, 1, 2, 3, -1, *range(4, 13), -1),)


def test_letters_kept_as_bytes_are_put_together(tokenizers_by_kind):
    text = ["naïve مرحبا 東京"] * 3
    trained = Tokenizer(BPE())
    trained.pre_tokenizer, trained.decoder = ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = ByteLevel.alphabet()
    trained.train_from_iterator(
        text, BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    )
    of_bytes = tf.PreTrainedTokenizerFast(tokenizer_object=trained)
    assert shown_tokens(of_bytes, of_bytes(text[0])["input_ids"]) == ("naïve", "Ġمرحبا", "Ġ東京")
    # Of letters it was not trained on it knows the bytes only.
    assert shown_tokens(of_bytes, of_bytes("ж\n")["input_ids"]) == ("<0xD0>", "<0xB6>", "Ċ")
    assert set(BYTE_OF_SIGN) == set(alphabet) and len(set(BYTE_OF_SIGN.values())) == 0x100
    every = "".join(map(chr, range(0x800))) + "東😊"
    signs = "".join(part for part, _ in trained.pre_tokenizer.pre_tokenize_str(every))
    assert bytes(BYTE_OF_SIGN[sign] for sign in signs) == every.encode()
    of_pieces = tokenizers_by_kind["wordpiece"]
    ids = of_pieces("naïve Ã© cats")["input_ids"]
    assert list(shown_tokens(of_pieces, ids)) == of_pieces.convert_ids_to_tokens(ids)


def test_what_cannot_be_explained(models, with_head, make_model):
    def refused(said, *args, **options):
        with pytest.raises(InputError, match=said):
            ExplainedTexts.of_texts(*args, **options)

    bert, gpt2 = models["bert"], models["gpt2"]
    refused("0 mask tokens", bert, TEXTS)
    refused("2 mask tokens", bert, ["[MASK] [MASK]"])
    refused("no texts", gpt2, [])
    refused("text 1 is empty", gpt2, [""])
    refused("answers no questions", gpt2, TEXTS, contexts=TEXTS)
    answering = with_head(tf.BertForQuestionAnswering)
    refused("give their contexts, one for each", answering, TEXTS)
    refused("context 2 is empty", answering, TEXTS, contexts=["a man", " "])
    refused("text 1 is empty", answering, ["", "a man"], contexts=TEXTS)
    refused("text 2 is empty; leave it out", bert, ["a [MASK]", " "])
    refused("1 contexts for 2 questions", answering, TEXTS, contexts=TEXTS[:1])
    refused("two classes", with_head(tf.BertForSequenceClassification, num_labels=1), TEXTS)
    refused(
        r"text 2, 'a man a man .*': 62 tokens, but small reads 24; shorten it or leave it out",
        with_head(tf.BertForSequenceClassification, num_labels=2),
        ["a man", "a man " * 30],
    )
    encoder_decoder = tf.AutoModelForSeq2SeqLM.from_config(
        tf.AutoConfig.from_pretrained(make_model("t5"))
    ).eval()
    with pytest.raises(InputError, match="encoder-decoder"):
        ExplainedTexts.of_texts(encoder_decoder, TEXTS, tokenizer=bert.tokenizer)
    training = with_head(tf.BertForSequenceClassification, num_labels=2)
    training.model.train()
    refused("training mode", training, TEXTS)
    with pytest.raises(InputError, match="9"):
        ExplainedTexts.of_neurons(gpt2, TEXTS, "9:1")
    with pytest.raises(InputError, match="no neurons"):
        ExplainedTexts.of_neurons(gpt2, TEXTS, [])
    config = tf.GPT2Config(vocab_size=1580, n_embd=8, n_layer=1, n_head=1, num_labels=2)
    no_padding = LoadedModel(
        tf.GPT2ForSequenceClassification(config).eval(), gpt2.tokenizer, "small", "none"
    )
    refused("names no pad_token_id; add it", no_padding, TEXTS)
    refused("text 2 holds half of a surrogate pair", gpt2, ["a man", "a \ud800 man"])
    refused("a BertModel says nothing of a text", nx.load_model(make_model("bert")), TEXTS)
    corpus = nx.read_corpus(nx.embedded_path("corpora/english-test.conllu.gz")).select([0])
    refused("answers questions; give them as a list", answering, corpus)
    with pytest.raises(InputError, match="neuron 1:2 is given twice"):
        ExplainedTexts.of_neurons(gpt2, TEXTS, ["1:2", "1:3", "1:2"])


def test_what_a_model_says_is_a_number(with_head):
    broken = with_head(tf.BertForSequenceClassification, num_labels=2)
    broken.model.classifier.bias.data[0] = torch.nan
    for of_texts in (
        ExplainedTexts.of_texts(broken, TEXTS).intact,
        ExplainedTexts.of_texts(broken, TEXTS).states_and_parts,
    ):
        with pytest.raises(InputError, match="small: its output for text 2 is NaN; look for NaN"):
            of_texts(torch.tensor([1]))
    broken.model.bert.encoder.layer[0].output.dense.bias.data[0] = torch.nan
    with pytest.raises(InputError, match="small: neuron 1:0 is NaN or infinite at a token"):
        ExplainedTexts.of_neurons(broken, TEXTS, "1:0")
