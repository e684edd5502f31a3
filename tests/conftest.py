"""Tiny real tokenizers and tiny random models, made once per session, without a network."""

import gc
import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do: threads that spin while they wait make a busy machine several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# `make test` has a process per core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import sentencepiece
import torch
import transformers as tf
from hypothesis import settings
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from neurox_lite.models.lstm import LSTMConfig

# A busy machine is no fault: no test is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

TEXT = [
    "the old cat sees the dogs that bark at her .",
    "dogs bark at cats , and the internationalisation of cats continues",
    "naïve straße Zürich 东京 مرحبا 👩‍👩‍👧 x1000 it's",
] * 5
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
SMALL = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
CONFIGS = {
    "bert": lambda: tf.BertConfig(
        **SMALL, intermediate_size=16, max_position_embeddings=16, initializer_range=0.5
    ),
    "roberta": lambda: tf.RobertaConfig(
        **SMALL,
        intermediate_size=16,
        max_position_embeddings=18,
        pad_token_id=1,
        initializer_range=0.5,
    ),
    "gpt2": lambda: tf.GPT2Config(
        n_embd=8, n_layer=2, n_head=2, n_positions=64, initializer_range=0.5
    ),
    "lstm": lambda: LSTMConfig(hidden_size=8, num_hidden_layers=2, initializer_range=0.5),
    "t5": lambda: tf.T5Config(d_model=8, d_kv=4, d_ff=16, num_layers=2, num_heads=2),
    "llama": lambda: tf.LlamaConfig(
        **SMALL, intermediate_size=16, max_position_embeddings=64, initializer_range=0.5
    ),
}
TOKENIZER_OF = {
    "bert": "wordpiece",
    "roberta": "prefixed_bpe",
    "gpt2": "byte_bpe",
    "t5": "unigram",
    "llama": "metaspace_bpe",
    "lstm": "wordpiece",
}


def framed(tokenizer, start, end):
    special = [(t, tokenizer.token_to_id(t)) for t in (start, end) if t]
    return processors.TemplateProcessing(single=f"{start} $A {end}".strip(), special_tokens=special)


def train_wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = framed(tokenizer, "[CLS]", "[SEP]")
    return tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]")


def train_byte_bpe(prefixed):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefixed)
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = (
        processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
        if prefixed
        else processors.ByteLevel(trim_offsets=False)
    )
    return tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def train_unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=110, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = framed(tokenizer, "", "</s>")
    return tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>")


def train_metaspace_bpe():
    """BPE in the manner of SentencePiece, with bytes for unknown characters, as Llama's."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=460,
        special_tokens=[*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = framed(tokenizer, "<s>", "")
    return tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>")


def make_characters():
    """One token per character, spaces included, as models of characters have."""
    characters = sorted(set("".join(TEXT)))
    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", *characters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(?m)."), "isolated")
    tokenizer.post_processor = framed(tokenizer, "[CLS]", "")
    return tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]")


def train_sentencepiece(folder):
    """The tokenizer of Marian, which has no character offsets: a SentencePiece model per side."""
    (folder / "text").write_text("\n".join(TEXT))
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            input=str(folder / "text"),
            model_prefix=str(folder / side),
            vocab_size=90 if side == "source" else 80,
            model_type="unigram",
            hard_vocab_limit=False,
            minloglevel=2,
        )
    pieces = set()
    for side in ("source", "target"):
        model = sentencepiece.SentencePieceProcessor(str(folder / f"{side}.model"))
        pieces |= {model.id_to_piece(i) for i in range(model.get_piece_size())}
    vocabulary = ["</s>", "<unk>", *sorted(pieces - {"</s>", "<unk>"}), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(vocabulary)}))
    return tf.MarianTokenizer(
        source_spm=str(folder / "source.model"),
        target_spm=str(folder / "target.model"),
        vocab=str(folder / "vocab.json"),
    )


@pytest.fixture(scope="session")
def tokenizers_by_kind(tmp_path_factory):
    """Real tokenizers of the families models use, by name."""
    return {
        "metaspace_bpe": train_metaspace_bpe(),
        "characters": make_characters(),
        "bytes": tf.ByT5Tokenizer(),
        "sentencepiece": train_sentencepiece(tmp_path_factory.mktemp("sentencepiece")),
        "wordpiece": train_wordpiece(),
        "byte_bpe": train_byte_bpe(prefixed=False),
        "prefixed_bpe": train_byte_bpe(prefixed=True),
        "unigram": train_unigram(),
    }


@pytest.fixture(scope="session")
def make_model(tokenizers_by_kind, tmp_path_factory):
    """Save a tiny random model with its tokenizer, once per kind; gives its folder."""
    folders = {}

    def make(kind):
        if kind not in folders:
            folders[kind] = tmp_path_factory.mktemp(kind)
            tokenizer = tokenizers_by_kind[TOKENIZER_OF[kind]]
            config = CONFIGS[kind]()
            config.vocab_size = len(tokenizer)
            torch.manual_seed(0)
            tf.AutoModel.from_config(config).save_pretrained(folders[kind])
            tokenizer.save_pretrained(folders[kind])
        return folders[kind]

    return make


@pytest.fixture(scope="session")
def cluster():
    """A Ray cluster of two workers."""
    import ray

    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: no use in looking through them again and again."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The heavy tests first, so that no process ends long after the other.

    Before them those of Ray, one after the other, so that the same process has them.
    """

    def place(item: pytest.Item) -> tuple[bool, bool]:
        return "cluster" not in item.fixturenames, item.get_closest_marker("heavy") is None

    items.sort(key=place)
