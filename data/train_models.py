"""Write the embedded corpora, train the embedded models on CPU, and measure them.

One command makes everything in this folder except the lexicon (about an hour on one core):

    python data/train_models.py [--number-agreement DIR]

The option is that of measure_models.py.
"""

from __future__ import annotations

import gzip
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import measure_models
import torch
from measure_models import DATA, MODELS, held_out_pairs, read_sentences
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE, WordLevel, WordPiece
from tokenizers.trainers import BpeTrainer, WordPieceTrainer
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.pair_files import write_pairs
from neurox_lite.corpora.pair_templates import gender_pairs, number_pairs
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.models.lstm import LSTMConfig, LSTMForCausalLM

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
    (folder / "model.safetensors").chmod(0o644)
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


def main() -> None:
    """Write, train, measure."""
    torch.set_num_threads(1)
    grammar = Grammar()
    write_corpora(grammar)
    sentences = training_sentences(grammar)
    for name in MODELS:
        train(name, sentences)
    measure_models.main()


if __name__ == "__main__":
    main()
