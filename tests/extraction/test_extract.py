"""Also of ``neurox_lite.extraction.plan``, ``neurox_lite.extraction.planning``."""

import logging
import shutil

import numpy as np
import pytest
import torch
import transformers as tf
from tokenizers.processors import TemplateProcessing

from neurox_lite.activations.checks import verify
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction import job as job_module
from neurox_lite.extraction.estimate import estimate
from neurox_lite.extraction.extract import extract
from neurox_lite.models.loading import LoadedModel, load_model
from neurox_lite.models.trace import in_dry_run

KINDS = ["bert", "roberta", "gpt2", "t5", "llama", "lstm"]
BLOCKS = {
    "bert": "encoder.layer",
    "roberta": "encoder.layer",
    "gpt2": "h",
    "t5": "encoder.block",
    "llama": "layers",
    "lstm": "layers",
}
SENTENCES = [
    ["cats", "bark"],
    ["the", "zebra", "sees", "internat", "."],
    ["dog"],
    ["old", "cats", "see", "the", "dogs", "at", "her"],
    ["bark", "at"],
]
CORPUS = TaggedCorpus(SENTENCES, source="words.txt")
PICK = {
    "first": lambda states: states[0],
    "last": lambda states: states[-1],
    "average": lambda states: states.mean(0),
}


def pieces_of(loaded, words):
    """Tokenise word by word: the ids of a sentence, and the positions of each word's subwords."""
    tokenizer = loaded.tokenizer
    framed = tokenizer("cat")["input_ids"]
    bare = tokenizer("cat", add_special_tokens=False)["input_ids"]
    where = next(i for i in range(len(framed)) if framed[i : i + len(bare)] == bare)
    start, end = framed[:where], framed[where + len(bare) :]
    ids, positions = list(start), []
    for number, word in enumerate(words):
        piece = tokenizer(" " * bool(number) + word, add_special_tokens=False)["input_ids"]
        is_mark = [token in ("▁", "Ġ") for token in tokenizer.convert_ids_to_tokens(piece)]
        positions.append([len(ids) + i for i, mark in enumerate(is_mark) if not mark])
        ids += piece
    return ids + end, positions, len(end)


def encoder_of(loaded):
    return loaded.model.get_encoder() if loaded.is_encoder_decoder else loaded.model


@torch.no_grad()
def by_hand(loaded, sentences, aggregation="last"):
    """Run sentence by sentence: layer -> (n_words, width)."""
    rows = []
    for words in sentences:
        ids, positions, _ = pieces_of(loaded, words)
        output = encoder_of(loaded)(input_ids=torch.tensor([ids]), output_hidden_states=True)
        hidden = torch.stack(output.hidden_states)[:, 0]
        rows += [
            torch.stack([PICK[aggregation](layer[word]) for layer in hidden]) for word in positions
        ]
    return torch.stack(rows, dim=1).numpy()


def layers_of(store):
    return np.stack([store.layer(layer)[:] for layer in store.space.layers])


def changed_copy(folder, to, change):
    """A copy of a model whose weights (a dict) were changed."""
    shutil.copytree(folder, to)
    model = tf.AutoModel.from_pretrained(folder)
    change(model)
    model.save_pretrained(to)
    return to


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def loaded(kind, make_model):
    return load_model(str(make_model(kind)), device="cpu")


@pytest.fixture
def bert(make_model):
    return load_model(str(make_model("bert")), device="cpu")


@pytest.mark.parametrize("aggregation", ["first", "last", "average"])
@pytest.mark.parametrize("batch_tokens", [1, 20, 4096])
def test_equals_running_the_model_by_hand(loaded, tmp_path, aggregation, batch_tokens):
    store = extract(
        loaded, CORPUS, tmp_path / "s.h5", aggregation=aggregation, batch_tokens=batch_tokens
    )

    expected = by_hand(loaded, SENTENCES, aggregation)
    assert np.ptp(expected, axis=1).min() > 1e-2  # words differ, so their order is tested
    np.testing.assert_allclose(layers_of(store), expected, atol=1e-5)
    assert store.space.layers == (0, 1, 2)
    assert store.words() == CORPUS.words()
    assert store.missing.size == 0


def test_a_folder_is_loaded_and_recorded(kind, make_model, tmp_path):
    folder = make_model(kind)
    store = extract(folder, CORPUS, tmp_path / "s.h5", device="cpu")

    loaded = load_model(str(folder), device="cpu")
    np.testing.assert_allclose(layers_of(store), by_hand(loaded, SENTENCES), atol=1e-5)
    assert store.metadata["model"] == folder.name
    assert store.metadata["revision"] == loaded.revision != ""
    assert store.metadata["site"] == "hidden_states"
    assert store.metadata["aggregation"] == "last"
    assert store.metadata["corpus_hash"] == CORPUS.words_hash


def test_equals_what_a_hook_on_a_block_records(loaded, kind, tmp_path):
    recorded = []

    def hook(module, inputs, output):
        recorded.append(output[0] if isinstance(output, tuple) else output)

    words = SENTENCES[1]
    store = extract(loaded, TaggedCorpus([words]), tmp_path / "s.h5")
    _, positions, _ = pieces_of(loaded, words)
    ids = torch.tensor([loaded.tokenizer(" ".join(words))["input_ids"]])
    block = loaded.model.get_submodule(BLOCKS[kind])[0]
    handle = block.register_forward_hook(hook)
    with torch.no_grad():
        encoder_of(loaded)(input_ids=ids)
    handle.remove()

    expected = recorded[0][0][[word[-1] for word in positions]]
    np.testing.assert_allclose(store.layer(1)[:], expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("out", ["pieces.h5", "pieces"])
def test_rows_are_in_corpus_order_over_several_shards(loaded, tmp_path, monkeypatch, out):
    whole = extract(loaded, CORPUS, tmp_path / "whole.h5")
    monkeypatch.setattr(job_module, "SHARD_BYTES", 6 * 3 * 8 * 4)  # 6 words
    monkeypatch.setattr(job_module, "MIN_SHARD_WORDS", 1)
    pieces = extract(loaded, CORPUS, tmp_path / out)

    assert [run["rows"] for run in pieces.metadata["checksums"]] == [2, 6, 7, 2]
    np.testing.assert_allclose(layers_of(pieces), layers_of(whole), atol=1e-5)
    assert pieces.words() == CORPUS.words()
    assert verify(pieces) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([out, "whole.h5"])


def test_the_same_input_gives_the_same_file(loaded, tmp_path):
    for name in ("1.h5", "2.h5"):
        extract(loaded, CORPUS, tmp_path / name).close()

    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        ([1], (1,)),
        ([2, 0], (0, 2)),
        ([-1], (2,)),
        ([-3, 0, 1], (0, 1)),
        (np.int64(-1), (2,)),
        (range(2), (0, 1)),
        ("all", (0, 1, 2)),
    ],
)
def test_layers_are_chosen(bert, tmp_path, layers, kept):
    store = extract(bert, CORPUS, tmp_path / "s.h5", layers=layers)

    assert store.space.layers == kept
    np.testing.assert_allclose(layers_of(store), by_hand(bert, SENTENCES)[list(kept)], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": [0, 3]}, "no layer 3 at 'hidden_states'; the model has layers 0, 1, 2"),
        ({"layers": [-4]}, "no layer -4"),
        ({"layers": [-3], "embeddings": False}, "layers names layer 0, .* leave one of them out"),
        ({"layers": []}, "no layers chosen; give at least one"),
        ({"layers": "0,1"}, "layers are '0,1'; give one whole number, a list"),
        ({"layers": [True]}, "layer is True; give a whole number"),
        ({"window": 8.5}, "window is 8.5; give a whole number"),
        ({"aggregation": "max"}, "unknown aggregation 'max'; use last, first, average"),
        ({"dtype": "int8"}, "unknown dtype 'int8'; use float32, float16, bfloat16"),
        ({"batch_tokens": 0}, "batch_tokens is 0; give at least 1"),
    ],
)
def test_bad_options(bert, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        extract(bert, CORPUS, tmp_path / "s.h5", **options)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dtype_rounds_what_float32_keeps(bert, tmp_path, dtype):
    store = extract(bert, CORPUS, tmp_path / "s.h5", dtype=dtype)

    exact = torch.from_numpy(by_hand(bert, SENTENCES))
    tolerance = {"float16": 2**-10, "bfloat16": 2**-7}[dtype]
    np.testing.assert_allclose(layers_of(store), exact, rtol=tolerance, atol=1e-5)
    assert store.metadata["dtype"] == dtype


def test_an_existing_output_is_refused_and_untouched(bert, tmp_path):
    (tmp_path / "s.h5").write_text("old")

    with pytest.raises(InputError, match=r"s\.h5: exists already"):
        extract(bert, CORPUS, tmp_path / "s.h5")
    assert (tmp_path / "s.h5").read_text() == "old"

    assert extract(bert, CORPUS, tmp_path / "s.h5", overwrite=True).n_rows == CORPUS.n_words


# Sentences longer than the model takes.

LONG = [["cat"], ["zebra", *["dog"] * 20, "bark"], ["bark"], ["see"] * 30]


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_sentence_longer_than_the_model_is_refused_by_default(loaded, tmp_path):
    length = len(pieces_of(loaded, LONG[1])[0])
    limit = 16 - pieces_of(loaded, LONG[1])[2]
    ends = [word[-1] for words in LONG for word in pieces_of(loaded, words)[1]]
    lost = sum(end >= limit for end in ends)
    with pytest.raises(
        InputError,
        match=rf"^long\.txt: 2 sentences are longer than the 16 subwords .*sentence 2 "
        rf"with {length}\).* {lost} words without activations.*allow_missing=True",
    ):
        extract(loaded, TaggedCorpus(LONG, source="long.txt"), tmp_path / "s.h5")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["bert"])
def test_a_dry_run_says_once_which_words_are_lost(loaded, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        estimate(loaded, TaggedCorpus(LONG * 3), tmp_path / "s.h5", allow_missing=True)

    said = [r.message for r in caplog.records if "without activations" in r.message]
    assert len(said) == 1 and "6 sentences are longer" in said[0]


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_words_beyond_the_limit_are_nan_and_the_others_those_of_the_cut_sentence(
    loaded, tmp_path, caplog
):
    with caplog.at_level(logging.WARNING):
        store = extract(loaded, TaggedCorpus(LONG), tmp_path / "s.h5", allow_missing=True)

    expected = []
    for words in LONG:
        ids, positions, n_end = pieces_of(loaded, words)
        keep = 16 - n_end
        cut = ids if len(ids) <= 16 else ids[:keep] + ids[len(ids) - n_end :]
        limit = len(ids) if cut is ids else keep
        with torch.no_grad():
            hidden = loaded.model(torch.tensor([cut]), output_hidden_states=True).hidden_states
        expected += [
            torch.stack([h[0, word[-1]] for h in hidden])
            if word[-1] < limit
            else torch.full((3, 8), torch.nan)
            for word in positions
        ]
    expected = torch.stack(expected, dim=1).numpy()
    lost = np.flatnonzero(np.isnan(expected[0, :, 0]))
    assert 0 < len(lost) < len(expected[0])
    np.testing.assert_allclose(layers_of(store), expected, atol=1e-5)
    assert store.missing.tolist() == lost.tolist()
    assert store.metadata["n_truncated_words"] == len(lost)
    assert store.metadata["n_dropped_words"] == 0
    assert "2 sentences are longer" in caplog.text


def test_half_a_word_is_no_activation(bert, tmp_path):
    words = ["."] * 12 + ["catdogcatdog"]
    _, positions, _ = pieces_of(bert, words)
    assert positions[-1][0] == 13 < 15 <= positions[-1][-1]  # position 15 is [SEP]'s

    corpus = TaggedCorpus([words])
    store = extract(bert, corpus, tmp_path / "s.h5", aggregation="first", allow_missing=True)

    assert store.missing.tolist() == [12]
    assert np.isfinite(layers_of(store)[:, :12]).all()


def test_a_model_without_a_limit_takes_any_length(make_model, tmp_path):
    loaded = load_model(str(make_model("t5")), device="cpu")
    long = [["dog"] * 700, ["cat"]]

    store = extract(loaded, TaggedCorpus(long), tmp_path / "s.h5", batch_tokens=100)

    assert np.isfinite(layers_of(store)).all()


# Words that the tokenizer drops.

DROPPED = [["cat", "\u200b", "bark"], ["\x07"], ["dog"]]


def test_dropped_words_are_refused_by_default(bert, tmp_path):
    with pytest.raises(
        InputError,
        match=r"^odd\.txt: the tokenizer drops 2 words \(the first is '\\u200b' in sentence 1\)"
        r".*allow_missing=True",
    ):
        extract(bert, TaggedCorpus(DROPPED, source="odd.txt"), tmp_path / "s.h5")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("aggregation", ["last", "average"])
@pytest.mark.parametrize("batch_tokens", [1, 4096])
def test_dropped_words_are_nan_and_the_others_unchanged(bert, tmp_path, aggregation, batch_tokens):
    store = extract(
        bert,
        TaggedCorpus(DROPPED),
        tmp_path / "s.h5",
        allow_missing=True,
        aggregation=aggregation,
        batch_tokens=batch_tokens,
    )

    expected = by_hand(bert, [["cat", "bark"], ["dog"]], aggregation)
    np.testing.assert_allclose(layers_of(store)[:, [0, 2, 4]], expected, atol=1e-5)
    assert np.isnan(layers_of(store)[:, [1, 3]]).all()
    assert store.missing.tolist() == [1, 3]
    assert store.metadata["n_dropped_words"] == 2
    assert store.metadata["n_truncated_words"] == 0


def test_every_word_may_be_lost(bert, tmp_path):
    corpus = TaggedCorpus([["\u200b"], ["\x07", "\x07"]])

    store = extract(bert, corpus, tmp_path / "s.h5", allow_missing=True)

    assert store.missing.tolist() == [0, 1, 2]
    assert np.isnan(layers_of(store)).all()


def test_a_sentence_of_no_subwords_at_all(bert, tmp_path):
    bert.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="$A")
    corpus = TaggedCorpus([["\x07"], ["cat"]])

    store = extract(bert, corpus, tmp_path / "s.h5", allow_missing=True)

    assert store.missing.tolist() == [0]
    assert np.isfinite(store.layer(2)[1:]).all()


# Models that cannot be used as they are.


def test_nan_weights_leave_no_file(make_model, tmp_path):
    def spoil(model):
        model.encoder.layer[1].output.dense.weight.data[0] = torch.nan

    folder = changed_copy(make_model("bert"), tmp_path / "model", spoil)

    with pytest.raises(InputError, match=r"layer 2, unit 0, sentence 1: .* NaN or infinite"):
        extract(folder, CORPUS, tmp_path / "out" / "s.h5")
    assert not list((tmp_path / "out").iterdir())


def test_an_overflow_is_told_with_its_sentence_in_the_corpus(make_model, tmp_path, monkeypatch):
    """Not with its number in the shard, which nobody knows."""
    monkeypatch.setattr(job_module, "SHARD_BYTES", 6 * 3 * 8 * 4)  # 6 words
    monkeypatch.setattr(job_module, "MIN_SHARD_WORDS", 1)
    folder = make_model("bert")
    word = "dogs"
    sentences = [["the", "cat"]] * 9 + [["the", word]]
    subword = load_model(str(folder)).tokenizer.convert_tokens_to_ids(word)

    def spoil(model):
        model.embeddings.word_embeddings.weight.data[subword] = torch.nan

    spoilt = changed_copy(folder, tmp_path / "model", spoil)
    with pytest.raises(InputError, match="layer 0, unit 0, sentence 10: "):
        extract(spoilt, TaggedCorpus(sentences), tmp_path / "s.h5")


def test_a_model_that_fails_leaves_no_file(bert, tmp_path, monkeypatch):
    forward = bert.model.encoder.layer[1].forward

    def fail(*args, **kwargs):
        if in_dry_run():
            return forward(*args, **kwargs)
        raise RuntimeError("a bug")

    bert.model.encoder.layer[1].forward = fail
    with pytest.raises(RuntimeError, match="a bug"):
        extract(bert, CORPUS, tmp_path / "s.h5")

    assert not list(tmp_path.iterdir())


def test_training_mode_is_refused(bert, tmp_path):
    bert.model.encoder.layer[1].train()

    with pytest.raises(InputError, match=r"training mode.*call model\.eval\(\)"):
        extract(bert, CORPUS, tmp_path / "s.h5")


def with_wordpiece(model, tokenizers_by_kind):
    torch.manual_seed(0)
    return LoadedModel(model.eval(), tokenizers_by_kind["wordpiece"], "tiny", "")


def test_layers_may_differ_in_width(tokenizers_by_kind, tmp_path):
    config = tf.OPTConfig(
        vocab_size=200,
        hidden_size=16,
        word_embed_proj_dim=8,
        num_hidden_layers=2,
        ffn_dim=8,
        num_attention_heads=2,
        max_position_embeddings=30,
    )
    loaded = with_wordpiece(tf.OPTModel(config), tokenizers_by_kind)

    store = extract(loaded, CORPUS, tmp_path / "s.h5")

    assert store.space.widths == (16, 16, 8)
    with torch.no_grad():
        ids, positions, _ = pieces_of(loaded, SENTENCES[0])
        hidden = loaded.model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    np.testing.assert_allclose(
        store.matrix()[:2],
        torch.cat([h[0, [w[-1] for w in positions]] for h in hidden], 1),
        atol=1e-5,
    )


def test_a_model_that_padding_changes_is_refused_unless_unbatched(tokenizers_by_kind, tmp_path):
    config = tf.FNetConfig(
        vocab_size=200,
        hidden_size=8,
        num_hidden_layers=1,
        intermediate_size=8,
        max_position_embeddings=30,
        initializer_range=0.5,
    )
    loaded = with_wordpiece(tf.FNetModel(config), tokenizers_by_kind)

    with pytest.raises(InputError, match=r"padding changes the activations of layer 1.*batch_tok"):
        extract(loaded, CORPUS, tmp_path / "s.h5")
    store = extract(loaded, CORPUS, tmp_path / "s.h5", batch_tokens=1)

    np.testing.assert_allclose(layers_of(store), by_hand(loaded, SENTENCES), atol=1e-5)


def test_layers_of_another_length_are_refused(tokenizers_by_kind, tmp_path):
    config = tf.FunnelConfig(vocab_size=200, block_sizes=[1, 1], d_model=8, n_head=2, d_inner=8)
    loaded = with_wordpiece(tf.FunnelBaseModel(config), tokenizers_by_kind)

    with pytest.raises(
        InputError, match=r"was taken for a block but is not called; .* or extract modules by name"
    ):
        extract(loaded, CORPUS, tmp_path / "s.h5")


def test_the_tokenizer_of_another_model_is_refused(bert, tokenizers_by_kind, tmp_path):
    other = LoadedModel(bert.model, tokenizers_by_kind["byte_bpe"], "tiny", "")

    with pytest.raises(InputError, match=r"sentence \d: the tokenizer gives subword \d+, but"):
        extract(other, TaggedCorpus([["internationalisation", "👩‍👩‍👧"]]), tmp_path / "s.h5")


def test_a_merging_tokenizer_is_refused_with_the_sentence(bert, tmp_path):
    bert.tokenizer.add_tokens(["cats bark"])
    bert.model.resize_token_embeddings(len(bert.tokenizer))

    with pytest.raises(InputError, match=r"words\.txt: sentence 1: subword 'cats bark' spans"):
        extract(bert, CORPUS, tmp_path / "s.h5")
