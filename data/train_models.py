"""Write the embedded corpora, train the embedded models on CPU, and measure them.

One command makes everything in this folder except the lexicon (about an hour on one core):

    python data/train_models.py [--number-agreement DIR]

``--number-agreement`` also evaluates the templates of Lakretz et al. (2019) in DIR, which are not
part of this repository; ``--skip-training`` measures the models that are there.
"""

from __future__ import annotations

import argparse
import gzip
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE, WordLevel, WordPiece
from tokenizers.trainers import BpeTrainer, WordPieceTrainer
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.minimal_pairs import (
    MinimalPair,
    gender_pairs,
    number_pairs,
    read_number_agreement,
    read_pairs,
    write_pairs,
)
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.models.lstm import LSTMConfig, LSTMForCausalLM

DATA = Path(__file__).resolve().parent
MODELS = ("lstm-0", "lstm-1", "lstm-2", "bert", "gpt2")
SPLIT_SIZES = {"train": 2000, "dev": 300, "test": 300}
PAIRS_PER_CONDITION = 50
CORPUS_SEED, PAIR_SEED, TRAINING_SEED = 1, 2, 3
N_TRAINING_SENTENCES = 250_000
EPOCHS = {"lstm": 4, "bert": 3, "gpt2": 2}
LEARNING_RATE = {"lstm": 4e-3, "bert": 1.5e-3, "gpt2": 1.5e-3}
TOKENS_PER_BATCH = 1536
WIDTH = 128
LONGEST = 64


# --- corpora -----------------------------------------------------------------------------------


def write_corpora(grammar: Grammar) -> None:
    """Write the labelled sentences and the minimal pairs."""
    folder = DATA / "corpora"
    folder.mkdir(exist_ok=True)
    corpus = grammar.corpus(2 * sum(SPLIT_SIZES.values()), CORPUS_SEED)
    distinct = list({tuple(words): row for row, words in enumerate(corpus.sentences)}.values())
    start = 0
    for split, size in SPLIT_SIZES.items():
        path = folder / f"english-{split}.conllu.gz"
        text = "\n".join(
            conllu(corpus, row, f"{split}-{number}")
            for number, row in enumerate(distinct[start : start + size], start=1)
        )
        with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(f"{text}\n".encode())
        start += size
    write_pairs(folder / "number-pairs.tsv", number_pairs(grammar, PAIRS_PER_CONDITION, PAIR_SEED))
    write_pairs(folder / "gender-pairs.tsv", gender_pairs(grammar, PAIRS_PER_CONDITION, PAIR_SEED))


def conllu(corpus: TaggedCorpus, row: int, sentence_id: str) -> str:
    """One sentence as CoNLL-U, with the depth in the column MISC."""
    lines = [f"# sent_id = {sentence_id}", f"# text = {corpus.text(row)}"]
    for number, word in enumerate(corpus.sentences[row], start=1):
        label = {layer: rows[row][number - 1] for layer, rows in corpus.tags.items()}
        features = [f"{key}={label[key]}" for key in ("Gender", "Number", "Tense") if label[key]]
        columns = [str(number), word, "_", label["upos"], "_", "|".join(features) or "_"]
        lines.append("\t".join([*columns, "_", "_", "_", f"Depth={label['Depth']}"]))
    return "\n".join([*lines, ""])


def read_sentences(split: str) -> list[str]:
    """The sentences of an embedded split as plain text."""
    with gzip.open(DATA / "corpora" / f"english-{split}.conllu.gz", "rt", encoding="utf-8") as file:
        return [line[9:-1] for line in file if line.startswith("# text = ")]


def held_out_pairs() -> dict[str, list[MinimalPair]]:
    """The embedded minimal pairs."""
    folder = DATA / "corpora"
    return {name: read_pairs(folder / f"{name}-pairs.tsv") for name in ("number", "gender")}


def training_sentences(grammar: Grammar) -> list[str]:
    """Sentences that are not in the embedded corpora and do not start like an embedded pair."""
    held_out = {text for split in SPLIT_SIZES for text in read_sentences(split)}
    prefixes = {pair.prefix for pairs in held_out_pairs().values() for pair in pairs}
    corpus = grammar.corpus(N_TRAINING_SENTENCES, TRAINING_SEED)
    return [
        " ".join(words)
        for words in corpus.sentences
        if " ".join(words) not in held_out
        and not any(tuple(words[:end]) in prefixes for end in range(1, len(words)))
    ]


# --- tokenizers --------------------------------------------------------------------------------


def word_tokenizer(sentences: Iterable[str]) -> PreTrainedTokenizerFast:
    """One token per word; ``<s>`` in front."""
    words = sorted({word for sentence in sentences for word in sentence.split()})
    vocabulary = {word: i for i, word in enumerate(["<pad>", "<unk>", "<s>", "</s>", *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return with_first_token(tokenizer, "<s>", unk_token="<unk>", eos_token="</s>")


def byte_tokenizer(sentences: Iterable[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE in which every word of the lexicon is one token; ``<s>`` in front."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=2000,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return with_first_token(tokenizer, "<s>", eos_token="</s>", model_max_length=LONGEST)


def with_first_token(tokenizer: Tokenizer, first: str, **options: Any) -> PreTrainedTokenizerFast:
    """Put a token in front of every text, and leave spaces out of the character offsets."""
    template = processors.TemplateProcessing(
        single=f"{first} $A",
        pair=f"{first} $A $B",
        special_tokens=[(first, tokenizer.token_to_id(first))],
    )
    if isinstance(tokenizer.model, BPE):
        trim = processors.ByteLevel(trim_offsets=True)
        tokenizer.post_processor = processors.Sequence([trim, template])
    else:
        tokenizer.post_processor = template
    return fast_tokenizer(tokenizer, bos_token=first, pad_token="<pad>", **options)


def wordpiece_tokenizer(sentences: Iterable[str]) -> PreTrainedTokenizerFast:
    """Cased WordPiece in which every word of the lexicon is one token."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = WordPieceTrainer(vocab_size=2000, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    # The trainer numbers the pieces differently on every run; which ones there are is the same.
    pieces = sorted(set(tokenizer.get_vocab()) - set(special))
    vocabulary = {piece: i for i, piece in enumerate([*special, *pieces])}
    tokenizer.model = WordPiece(vocabulary, unk_token="[UNK]")
    tokenizer.decoder = decoders.WordPiece()
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    options = dict(zip(names, special, strict=True))
    return fast_tokenizer(tokenizer, **options, model_max_length=LONGEST)


def fast_tokenizer(tokenizer: Tokenizer, **options: Any) -> PreTrainedTokenizerFast:
    """Wrap a tokenizer for transformers."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
        **options,
    )


# --- training ----------------------------------------------------------------------------------


def new_model(kind: str, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """An untrained model of a kind; without dropout, since no sentence is seen often."""
    n_words = len(tokenizer)
    if kind == "lstm":
        tokens = {
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        }
        return LSTMForCausalLM(LSTMConfig(vocab_size=n_words, hidden_size=WIDTH, **tokens))
    if kind == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=n_words,
                n_positions=LONGEST,
                n_embd=WIDTH,
                n_layer=3,
                n_head=4,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                pad_token_id=tokenizer.pad_token_id,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
        )
    return BertForMaskedLM(
        BertConfig(
            vocab_size=n_words,
            max_position_embeddings=LONGEST,
            hidden_size=WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=4 * WIDTH,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def train(name: str, sentences: Sequence[str]) -> None:
    """Train one of `MODELS` from scratch and save it with its tokenizer."""
    kind, _, number = name.partition("-")
    seed = int(number or 0)
    make_tokenizer = {
        "lstm": word_tokenizer,
        "bert": wordpiece_tokenizer,
        "gpt2": byte_tokenizer,
    }[kind]
    tokenizer = make_tokenizer(sentences)
    if kind == "bert":
        sentences = with_fragments(sentences, seed)
    by_length = defaultdict(list)
    for ids in tokenizer(list(sentences))["input_ids"]:
        by_length[len(ids)].append(ids)
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = new_model(kind, tokenizer)
    steps = EPOCHS[kind] * len(batches(by_length, rng))
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE[kind], weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE[kind], steps + EPOCHS[kind], pct_start=0.05
    )
    start, step, running = time.time(), 0, 0.0
    for _ in range(EPOCHS[kind]):
        for batch in batches(by_length, rng):
            inputs, labels = masked(batch, tokenizer) if kind == "bert" else (batch, batch)
            loss = model(input_ids=inputs, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            running += loss.item()
            if step % 200 == 0:
                progress = f"{name}: step {step}/{steps}, loss {running / 200:.3f}"
                print(f"{progress}, {time.time() - start:.0f} s", flush=True)
                running = 0.0
    folder = DATA / "models" / name
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def batches(by_length: dict[int, list[list[int]]], rng: random.Random) -> list[torch.Tensor]:
    """Shuffled batches of sentences of equal length, so that nothing is padded."""
    result = []
    for length in sorted(by_length):
        rows = rng.sample(by_length[length], len(by_length[length]))
        size = max(1, TOKENS_PER_BATCH // length)
        result += [torch.tensor(rows[i : i + size]) for i in range(0, len(rows), size)]
    rng.shuffle(result)
    return result


def with_fragments(sentences: Sequence[str], seed: int) -> list[str]:
    """Cut every fifth sentence short, so that the model knows fragments without a full stop."""
    rng = random.Random(seed)
    texts = []
    for sentence in sentences:
        words = sentence.split()
        end = rng.randrange(2, len(words)) if rng.random() < 0.2 and len(words) > 2 else len(words)
        texts.append(" ".join(words[:end]))
    return texts


def masked(
    batch: torch.Tensor, tokenizer: PreTrainedTokenizerFast
) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose a quarter of the words to predict: 80 % masked, 10 % random, 10 % as they are."""
    chosen = torch.rand(batch.shape) < 0.25
    chosen[:, 0] = chosen[:, -1] = False
    chosen[:, 1] |= ~chosen.any(1)
    labels = batch.masked_fill(~chosen, -100)
    fate = torch.rand(batch.shape)
    inputs = batch.masked_fill(chosen & (fate < 0.8), tokenizer.mask_token_id)
    at_random = chosen & (fate >= 0.9)
    inputs[at_random] = torch.randint(len(tokenizer), batch.shape)[at_random]
    return inputs, labels


# --- measuring ---------------------------------------------------------------------------------


@torch.no_grad()
def measure(name: str, number_agreement: Path | None) -> dict[str, float]:
    """Everything the table says about a model."""
    folder = DATA / "models" / name
    masked_model = name == "bert"
    auto = AutoModelForMaskedLM if masked_model else AutoModelForCausalLM
    model = auto.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    row = {
        "parameters": float(model.num_parameters()),
        "MB": sum(file.stat().st_size for file in folder.iterdir()) / 1e6,
    }
    test = [text for split in ("dev", "test") for text in read_sentences(split)]
    row["perplexity"], row["masked word accuracy"] = word_prediction(model, tokenizer, test)
    pairs = held_out_pairs()
    right = dict(zip(pairs["number"], judgements(model, tokenizer, pairs["number"]), strict=True))
    row["number: all"] = share(right.values())
    row["number: attractors"] = share(right[pair] for pair in right if has_attractor(pair))
    for template in dict.fromkeys(pair.template for pair in right):
        row[f"number: {template}"] = share(right[p] for p in right if p.template == template)
    right = dict(zip(pairs["gender"], judgements(model, tokenizer, pairs["gender"]), strict=True))
    for condition in dict.fromkeys(pair.condition for pair in right):
        row[f"gender: {condition}"] = share(right[p] for p in right if p.condition == condition)
    for path in sorted(number_agreement.glob("*.txt")) if number_agreement else []:
        row[f"Lakretz: {path.stem}"] = share(
            judgements(model, tokenizer, read_number_agreement(path))
        )
    return row


def has_attractor(pair: MinimalPair) -> bool:
    """Whether a noun between the subject and the verb has the other number."""
    subject, *others = pair.condition.split("_")
    return pair.template != "conjunction" and any(other != subject for other in others)


def share(right: Iterable[bool]) -> float:
    """Percentage that is true."""
    values = list(right)
    return 100 * sum(values) / len(values)


def judgements(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, pairs: Sequence[MinimalPair]
) -> list[bool]:
    """Per pair, whether the right word is more probable than the wrong one."""
    mask = tokenizer.mask_token
    texts = [
        " ".join([*pair.prefix, mask, *pair.suffix] if mask else pair.prefix) for pair in pairs
    ]
    right = []
    for start in range(0, len(pairs), 256):
        encoded = tokenizer(texts[start : start + 256], padding=True, return_tensors="pt")
        logits = model(**encoded).logits
        if mask:
            column = (encoded["input_ids"] == tokenizer.mask_token_id).int().argmax(1)
        else:
            column = encoded["attention_mask"].sum(1) - 1
        for pair, row in zip(
            pairs[start : start + 256], logits[torch.arange(len(column)), column], strict=True
        ):
            right.append(
                bool(row[word_id(tokenizer, pair.right)] > row[word_id(tokenizer, pair.wrong)])
            )
    return right


def word_id(tokenizer: PreTrainedTokenizerFast, word: str) -> int:
    """The token of a word inside of a sentence; every word of the lexicon is one token."""
    return tokenizer(f". {word}", add_special_tokens=False)["input_ids"][1]


def word_prediction(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]
) -> tuple[float, float]:
    """Perplexity per word, and the share of words predicted exactly.

    A masked model predicts one word at a time from both sides (pseudo-perplexity).
    """
    loss, n_right, n_words = 0.0, 0, 0
    for sentence in sentences:
        ids = tokenizer(sentence, return_tensors="pt")["input_ids"]
        if tokenizer.mask_token:
            positions = torch.arange(1, ids.shape[1] - 1)
            rows = ids.repeat(len(positions), 1)
            rows[torch.arange(len(positions)), positions] = tokenizer.mask_token_id
            logits = model(input_ids=rows).logits[torch.arange(len(positions)), positions]
            labels = ids[0, positions]
        else:
            logits, labels = model(input_ids=ids).logits[0, :-1], ids[0, 1:]
        loss += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        n_right += int((logits.argmax(1) == labels).sum())
        n_words += len(labels)
    return math.exp(loss / n_words), 100 * n_right / n_words


def table(rows: dict[str, dict[str, float]]) -> str:
    """The results as a Markdown table, one column per model."""
    lines = [f"| | {' | '.join(rows)} |", f"|---|{'---:|' * len(rows)}"]
    for key in next(iter(rows.values())):
        if key == "parameters":
            values = [f"{row[key]:,.0f}" for row in rows.values()]
        else:
            values = [f"{row[key]:.2f}" for row in rows.values()]
        unit = " (%)" if ": " in key or "accuracy" in key else ""
        lines.append(f"| {key}{unit} | {' | '.join(values)} |")
    return "\n".join(lines)


def main() -> None:
    """Write, train, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number-agreement", type=Path, metavar="DIR")
    parser.add_argument("--skip-training", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.skip_training:
        grammar = Grammar()
        write_corpora(grammar)
        sentences = training_sentences(grammar)
        for name in MODELS:
            train(name, sentences)
    result = table({name: measure(name, options.number_agreement) for name in MODELS})
    readme = DATA / "README.md"
    before, marker, _ = readme.read_text(encoding="utf-8").partition("<!-- measured -->\n")
    readme.write_text(f"{before}{marker}\n{result}\n", encoding="utf-8")
    print(result)


if __name__ == "__main__":
    main()
