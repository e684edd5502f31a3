"""Tiny random models of every architecture in the matrix, from explicit configurations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers as tf

from neurox_lite.models.lstm import LSTMConfig

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "initializer_range": 0.3,
}
ROPE = {**SMALL, "intermediate_size": 24, "num_key_value_heads": 2, "max_position_embeddings": 512}
ENCODER = {**SMALL, "intermediate_size": 24, "max_position_embeddings": 512}
SEQ2SEQ = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 20,
    "max_position_embeddings": 512,
    "init_std": 0.3,
}
T5 = {
    "decoder_start_token_id": 0,
    "d_model": 16,
    "d_kv": 4,
    "d_ff": 24,
    "num_layers": 2,
    "num_heads": 2,
}


@dataclass(frozen=True)
class Architecture:
    """How a tiny model is made, and what is known about it.

    Attributes
    ----------
    config : function
        Keyword arguments (the size of the vocabulary above all) -> configuration.
    tokenizer : str
        Which kind of tokenizer this family uses.
    n_layers : int
        Number of blocks.
    mlp_width : int
        Width of the feed-forward layer, of all experts together.
    head : str
        The Auto class of the model with logits.
    decoder_layers, decoder_mlp_width : int
        Of the decoder of an encoder-decoder.
    without : tuple of str
        Sites this architecture does not have.
    """

    config: Callable[..., Any]
    tokenizer: str
    n_layers: int = 3
    mlp_width: int = 24
    head: str = "AutoModelForCausalLM"
    decoder_layers: int = 0
    decoder_mlp_width: int = 0
    without: tuple[str, ...] = ("lstm_cell",)


def masked(config: Callable[..., Any], tokenizer: str, **known: Any) -> Architecture:
    return Architecture(config, tokenizer, head="AutoModelForMaskedLM", **known)


def translating(config: Callable[..., Any], tokenizer: str, **known: Any) -> Architecture:
    return Architecture(config, tokenizer, n_layers=2, head="AutoModelForSeq2SeqLM", **known)


ARCHITECTURES: dict[str, Architecture] = {
    "bert": masked(lambda **v: tf.BertConfig(**ENCODER, **v), "wordpiece"),
    "roberta": masked(lambda **v: tf.RobertaConfig(**ENCODER, **v), "prefixed_bpe"),
    "distilbert": masked(
        lambda **v: tf.DistilBertConfig(
            dim=16, n_layers=3, n_heads=2, hidden_dim=24, initializer_range=0.3, **v
        ),
        "wordpiece",
    ),
    "albert": masked(lambda **v: tf.AlbertConfig(**ENCODER, embedding_size=8, **v), "unigram"),
    "electra": masked(lambda **v: tf.ElectraConfig(**ENCODER, embedding_size=8, **v), "wordpiece"),
    "deberta-v2": masked(
        lambda **v: tf.DebertaV2Config(
            **ENCODER,
            relative_attention=True,
            position_biased_input=False,
            pos_att_type=["p2c", "c2p"],
            **v,
        ),
        "unigram",
    ),
    "mpnet": masked(lambda **v: tf.MPNetConfig(**ENCODER, **v), "wordpiece"),
    "modernbert": masked(
        lambda **v: tf.ModernBertConfig(
            **ENCODER, initializer_cutoff_factor=2.0, local_attention=8, **v
        ),
        "byte_bpe",
    ),
    "xlnet": Architecture(
        lambda **v: tf.XLNetConfig(
            d_model=16, n_layer=3, n_head=2, d_inner=24, initializer_range=0.3, **v
        ),
        "unigram",
        head="XLNetLMHeadModel",
        without=("attention_heads", "lstm_cell"),
    ),
    "xlm-roberta": masked(lambda **v: tf.XLMRobertaConfig(**ENCODER, **v), "unigram"),
    "gpt2": Architecture(
        lambda **v: tf.GPT2Config(
            n_embd=16, n_layer=3, n_head=2, n_inner=24, initializer_range=0.3, **v
        ),
        "byte_bpe",
    ),
    "gpt_neo": Architecture(
        lambda **v: tf.GPTNeoConfig(
            hidden_size=16,
            num_layers=3,
            num_heads=2,
            intermediate_size=24,
            attention_types=[[["global", "local", "global"], 1]],
            initializer_range=0.3,
            **v,
        ),
        "byte_bpe",
    ),
    "gptj": Architecture(
        lambda **v: tf.GPTJConfig(
            n_embd=16, n_layer=3, n_head=2, n_inner=24, rotary_dim=4, initializer_range=0.3, **v
        ),
        "byte_bpe",
    ),
    "gpt_neox": Architecture(lambda **v: tf.GPTNeoXConfig(**ENCODER, **v), "byte_bpe"),
    "opt": Architecture(
        lambda **v: tf.OPTConfig(
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            ffn_dim=24,
            word_embed_proj_dim=16,
            init_std=0.3,
            **v,
        ),
        "byte_bpe",
    ),
    "bloom": Architecture(
        lambda **v: tf.BloomConfig(hidden_size=16, n_layer=3, n_head=2, initializer_range=0.3, **v),
        "byte_bpe",
        mlp_width=64,
    ),
    "falcon": Architecture(
        lambda **v: tf.FalconConfig(**SMALL, ffn_hidden_size=24, **v), "byte_bpe"
    ),
    "llama": Architecture(lambda **v: tf.LlamaConfig(**ROPE, **v), "metaspace_bpe"),
    "mistral": Architecture(
        lambda **v: tf.MistralConfig(**ROPE, sliding_window=8, **v), "metaspace_bpe"
    ),
    "mixtral": Architecture(
        lambda **v: tf.MixtralConfig(**ROPE, num_local_experts=4, num_experts_per_tok=2, **v),
        "metaspace_bpe",
        mlp_width=4 * 24,
    ),
    "qwen2": Architecture(lambda **v: tf.Qwen2Config(**ROPE, **v), "byte_bpe"),
    "qwen3": Architecture(lambda **v: tf.Qwen3Config(**ROPE, head_dim=8, **v), "byte_bpe"),
    "gemma2": Architecture(lambda **v: tf.Gemma2Config(**ROPE, head_dim=8, **v), "metaspace_bpe"),
    "gemma3": Architecture(
        lambda **v: tf.Gemma3TextConfig(**ROPE, head_dim=8, sliding_window=8, **v), "metaspace_bpe"
    ),
    "phi3": Architecture(lambda **v: tf.Phi3Config(**ROPE, **v), "metaspace_bpe"),
    "t5": translating(
        lambda **v: tf.T5Config(**T5, num_decoder_layers=3, **v),
        "unigram",
        decoder_layers=3,
        decoder_mlp_width=24,
    ),
    "t5-gated": translating(
        lambda **v: tf.T5Config(**T5, num_decoder_layers=3, feed_forward_proj="gated-gelu", **v),
        "unigram",
        decoder_layers=3,
        decoder_mlp_width=24,
    ),
    "bart": translating(
        lambda **v: tf.BartConfig(**SEQ2SEQ, **v),
        "prefixed_bpe",
        decoder_layers=3,
        decoder_mlp_width=20,
    ),
    "marian": translating(
        lambda **v: tf.MarianConfig(**SEQ2SEQ, decoder_start_token_id=1, **v),
        "sentencepiece",
        decoder_layers=3,
        decoder_mlp_width=20,
    ),
    "byt5": translating(
        lambda **v: tf.T5Config(**T5, num_decoder_layers=3, feed_forward_proj="gated-gelu", **v),
        "bytes",
        decoder_layers=3,
        decoder_mlp_width=24,
    ),
    "character-bert": masked(lambda **v: tf.BertConfig(**ENCODER, **v), "characters"),
    "lstm": Architecture(
        lambda **v: LSTMConfig(hidden_size=16, num_hidden_layers=3, initializer_range=0.3, **v),
        "wordpiece",
        without=("mlp", "attention_heads"),
    ),
}


def build(name: str, vocab_size: int, auto_class: str = "AutoModel") -> tf.PreTrainedModel:
    """A random model in evaluation mode, with the head of an Auto class where one is named."""
    config = ARCHITECTURES[name].config(
        vocab_size=vocab_size, pad_token_id=1 if "roberta" in name else 0, eos_token_id=None
    )
    torch.manual_seed(0)
    make = getattr(tf, auto_class)
    return (make.from_config if auto_class.startswith("Auto") else make)(config).eval()
