"""Whether a tokenizer is there, knows the words, and belongs to the model."""

import json
import logging
import shutil

import pytest
import transformers as tf

from neurox_lite.errors import InputError
from neurox_lite.models.loading import _load_tokenizer, load_model
from neurox_lite.models.vocabulary import check_unknown, unknown_tokens


@pytest.fixture
def folder(make_model, tmp_path):
    """A copy of the tiny BERT that a test may damage."""
    return shutil.copytree(make_model("bert"), tmp_path / "model")


def remove_tokenizer(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


def leave_its_configuration(folder):
    (folder / "tokenizer.json").unlink()


def empty_vocabulary(folder):
    remove_tokenizer(folder)
    (folder / "vocab.txt").write_text("")


def only_special_tokens(folder):
    remove_tokenizer(folder)
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")


def empty_json(folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] = {"[UNK]": 1}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


MISSING = r"its tokenizer('s files are missing or damaged| knows no words, since its files are)"
DAMAGES = [
    remove_tokenizer,
    leave_its_configuration,
    empty_vocabulary,
    only_special_tokens,
    empty_json,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_model_without_a_vocabulary_is_refused(folder, damage):
    damage(folder)
    with pytest.raises(InputError, match=MISSING) as caught:
        load_model(folder, device="cpu")
    assert str(caught.value).startswith(str(folder)) and "\n" not in str(caught.value)


FAMILIES = [
    "bert",
    "mpnet",
    "roberta",
    "gpt2",
    "llama",
    "gemma",
    "qwen2",
    "t5",
    "mt5",
    "mbart",
    "xlnet",
    "albert",
    "deberta-v2",
    "camembert",
    "marian",
    "pegasus",
    "ctrl",
    "gpt_neox",
    "xglm",
    "splinter",
]


@pytest.mark.parametrize("kind", FAMILIES)
def test_transformers_invents_no_vocabulary_of_any_family(tmp_path, kind):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(InputError, match=MISSING):
        _load_tokenizer(str(tmp_path))


def test_a_vocabulary_of_all_bytes_needs_no_file(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "perceiver"}')
    assert _load_tokenizer(str(tmp_path))("the")["input_ids"]


def test_an_old_vocabulary_without_tokenizer_json(folder):
    vocabulary = load_model(folder).tokenizer.get_vocab()
    remove_tokenizer(folder)
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)))
    assert load_model(folder, device="cpu").tokenizer.get_vocab() == vocabulary


def test_no_word_for_a_complete_tokenizer(folder, caplog):
    with caplog.at_level(logging.WARNING, "neurox_lite"):
        load_model(folder, device="cpu")
    assert not caplog.records


@pytest.mark.parametrize("change", [20, -20])
def test_a_tokenizer_of_another_size_than_the_model_is_said(folder, caplog, change):
    config = tf.AutoConfig.from_pretrained(folder)
    config.vocab_size -= change
    tf.BertModel(config).save_pretrained(folder)
    with caplog.at_level(logging.WARNING, "neurox_lite"):
        load_model(folder, device="cpu")
    (record,) = caplog.records
    said = record.getMessage()
    assert f"has {config.vocab_size + change} tokens" in said
    assert f"embeddings for {config.vocab_size}; make sure" in said


UNKNOWN = {
    "wordpiece": ["[UNK]"],
    "characters": ["[UNK]"],
    "unigram": ["<unk>"],
    "metaspace_bpe": ["<unk>"],
    "sentencepiece": ["<unk>"],
    "bytes": ["<unk>"],
    "byte_bpe": [],
    "prefixed_bpe": [],
}


@pytest.mark.parametrize(("kind", "tokens"), UNKNOWN.items())
def test_the_unknown_token_of_each_family(tokenizers_by_kind, kind, tokens):
    """Also where transformers was not told of it, as in most of these."""
    tokenizer = tokenizers_by_kind[kind]
    assert list(unknown_tokens(tokenizer)) == tokenizer.convert_tokens_to_ids(tokens)
    assert list(unknown_tokens(tokenizer).values()) == tokens


@pytest.mark.parametrize(
    ("n_unknown", "outcome"),
    [(0, None), (49, None), (50, "warned"), (799, "warned"), (800, "refused"), (1000, "refused")],
)
def test_from_which_share_it_is_said_and_from_which_refused(caplog, n_unknown, outcome):
    said = f"a.txt: the tokenizer of m does not know {n_unknown:,} of 1,000 words"
    with caplog.at_level(logging.WARNING, "neurox_lite"):
        if outcome == "refused":
            with pytest.raises(InputError, match=said):
                check_unknown(n_unknown, 1000, "a.txt", "m")
        else:
            check_unknown(n_unknown, 1000, "a.txt", "m")
    assert [said in r.getMessage() for r in caplog.records] == [True] * (outcome == "warned")
