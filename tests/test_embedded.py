"""The committed models and corpora keep what data/README.md promises."""

import gzip
import json
import re

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

import neurox_lite.models.lstm  # noqa: F401 (registers the LSTM)
from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError

MODELS = ("lstm-0", "lstm-1", "lstm-2", "bert", "gpt2")
SENTENCE = "The athlete behind the bikes probably admires"


def load(name):
    folder = embedded_path(f"models/{name}")
    auto = AutoModelForMaskedLM if name == "bert" else AutoModelForCausalLM
    return AutoTokenizer.from_pretrained(folder), auto.from_pretrained(folder).eval()


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(InputError, match=r"no 'models/lstm-9'; there is: .*models/lstm-0") as error:
        embedded_path("models/lstm-9")
    assert "\n" not in str(error.value)


def test_embedded_paths_exist():
    assert embedded_path("lexicon.yaml").is_file()
    assert embedded_path("corpora/english-train.conllu.gz").is_file()
    assert embedded_path("models").is_dir()


def test_the_data_stay_below_twelve_megabytes():
    root = embedded_path("lexicon.yaml").parent
    files = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in files) < 12e6


@pytest.mark.parametrize("name", MODELS)
def test_a_model_folder_is_transformers_own_and_holds_nothing_else(name):
    folder = embedded_path(f"models/{name}")
    names = {path.name for path in folder.iterdir()} - {"generation_config.json"}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    for path in folder.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        json.loads(text)
        assert not re.search(r'"(/|[A-Za-z]:\\|~)[^"]*[/\\]|/(home|work|tmp|root|Users)/', text)


@pytest.mark.parametrize("name", MODELS)
def test_offsets_are_the_words(name):
    tokenizer, _ = load(name)
    encoded = tokenizer(SENTENCE, return_offsets_mapping=True)
    spans = [SENTENCE[start:end] for start, end in encoded["offset_mapping"] if end > start]
    assert spans == SENTENCE.split()


@pytest.mark.parametrize("name", MODELS)
def test_every_word_the_grammar_writes_is_one_token(name):
    tokenizer, _ = load(name)
    corpus = Grammar().corpus(4000, seed=31)
    texts = [corpus.text(row) for row in range(len(corpus))]
    for words, ids in zip(corpus.sentences, tokenizer(texts)["input_ids"], strict=True):
        inside = ids[1:-1] if name == "bert" else ids[1:]
        assert len(inside) == len(words)
        assert tokenizer.unk_token_id is None or tokenizer.unk_token_id not in inside


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_agreement_across_attractors_is_at_least_98_percent(name):
    tokenizer, model = load(name)
    pairs = [
        pair
        for pair in read_pairs(embedded_path("corpora/number-pairs.tsv"))
        if pair.template != "conjunction" and len(set(pair.condition.split("_"))) == 2
    ]
    assert len(pairs) >= 500
    masked = name == "bert"
    # Padding on the right, since GPT-2 counts positions from the left edge of the batch.
    gap = ["[MASK]"] if masked else []
    texts = [" ".join([*pair.prefix, *gap, *(pair.suffix if masked else ())]) for pair in pairs]
    encoded = tokenizer(texts, padding=True, return_tensors="pt")
    logits = model(**encoded).logits
    every = torch.arange(len(pairs))
    at_mask = encoded["input_ids"] == tokenizer.mask_token_id
    last = encoded["attention_mask"].sum(1) - 1
    rows = logits[at_mask] if masked else logits[every, last]
    right, wrong = (
        torch.tensor([tokenizer(f"The {word}")["input_ids"][2] for word in words])
        for words in ([pair.right for pair in pairs], [pair.wrong for pair in pairs])
    )
    assert (rows[every, right] > rows[every, wrong]).float().mean() >= 0.98


def test_the_corpus_files_hold_distinct_labelled_sentences():
    seen = []
    for split, size in (("train", 2000), ("dev", 300), ("test", 300)):
        path = embedded_path(f"corpora/english-{split}.conllu.gz")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            blocks = file.read().strip().split("\n\n")
        assert len(blocks) == size
        for block in blocks:
            comments = [line for line in block.split("\n") if line.startswith("#")]
            rows = [line.split("\t") for line in block.split("\n") if not line.startswith("#")]
            assert all(len(row) == 10 for row in rows)
            assert [row[0] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
            text = " ".join(row[1] for row in rows)
            assert comments[0].startswith(f"# sent_id = {split}-")
            assert comments[1] == f"# text = {text}"
            assert all(re.fullmatch(r"Depth=\d", row[9]) for row in rows)
            seen.append(text)
    assert len(set(seen)) == len(seen)
