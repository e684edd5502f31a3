"""Small random models of every architecture in transformers that reads token ids."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import torch
import transformers as tf
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

VOCABULARY = 120
HIDDEN, N_HEADS, FEED_FORWARD, DECODER_FEED_FORWARD = 32, 4, 56, 40
EXPERT, SHARED_EXPERT, N_EXPERTS = 20, 24, 4
N_LAYERS, N_ENCODER_LAYERS, N_DECODER_LAYERS = 4, 2, 3

_SIZES: dict[str, int] = {
    "hidden_size d_model n_embd emb_dim dim word_embed_proj_dim embedding_size": HIDDEN,
    "intermediate_size ffn_dim d_ff n_inner dff d_inner hidden_dim dim_ff": FEED_FORWARD,
    "ffn_hidden_size encoder_ffn_dim feed_forward_size true_hidden_size": FEED_FORWARD,
    "decoder_ffn_dim": DECODER_FEED_FORWARD,
    "moe_intermediate_size expert_ffn_hidden_size": EXPERT,
    "shared_expert_intermediate_size shared_intermediate_size": SHARED_EXPERT,
    "num_hidden_layers num_layers n_layer n_layers": N_LAYERS,
    "encoder_layers": N_ENCODER_LAYERS,
    "decoder_layers num_decoder_layers": N_DECODER_LAYERS,
    "num_attention_heads num_heads n_head n_heads encoder_attention_heads": N_HEADS,
    "decoder_attention_heads linear_num_value_heads mamba_n_heads mamba_num_heads": N_HEADS,
    "num_experts num_local_experts n_routed_experts moe_num_experts": N_EXPERTS,
    "num_key_value_heads num_experts_per_tok moe_k moe_top_k linear_num_key_heads moe_topk": 2,
    "index_n_heads zero_expert_num attn_layer_period depth v_num_hidden_layers": 2,
    "n_group topk_group first_k_dense_replace attn_layer_offset num_dense_layers": 1,
    "head_dim d_kv swa_head_dim kv_lora_rank q_lora_rank index_head_dim adapter_rank": 16,
    "linear_key_head_dim linear_value_head_dim linear_head_dim mamba_d_head": 16,
    "hidden_size_per_layer_input laurel_rank router_hidden_size attention_head_size": 16,
    "global_head_dim mamba_d_state entity_emb_size dim_head": 16,
    "qk_rope_head_dim qk_nope_head_dim": 8,
    "v_head_dim": 12,
    "max_position_embeddings n_positions max_seq_len entity_vocab_size": 64,
    "num_position_embeddings": 64,
    "vocab_size vocab_size_per_layer_input src_vocab_size tgt_vocab_size": VOCABULARY,
}
_SMALL = {name: size for names, size in _SIZES.items() for name in names.split()}

_ALL_HEADS = {"num_key_value_heads": N_HEADS}
_HYBRID = ["linear_attention", "full_attention"] * 2
_MROPE = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 2, 2]}
# What the sizes above do not go together with.
_MORE: dict[str, dict[str, Any]] = {
    "axk2": _ALL_HEADS,
    "bamba": {"attn_layer_indices": [1, 3]},
    "blt": {"encoder_hash_byte_group_vocab": 50},
    "cohere_compass_text": {"layer_types": ["full_attention"] * 4},
    "cosmos3_edge_text": {"rope_parameters": _MROPE},
    "dots1": {"n_shared_experts": 1, "num_experts_per_tok": 2, "n_routed_experts": N_EXPERTS},
    "dots3_note_text": _ALL_HEADS,
    "esmc": _ALL_HEADS,
    "ernie4_5_vl_moe_text": {"moe_intermediate_size": [EXPERT, EXPERT]},
    "fsmt": {"langs": ["en", "de"]},
    "funnel": {"block_sizes": [2, 2]},
    "gemma3n_text": {"num_kv_shared_layers": 0},
    "gemma4_text": {"num_kv_shared_layers": 0},
    "gemma4_unified_text": {"num_kv_shared_layers": 0},
    "glm5_next_text": _ALL_HEADS,
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "longformer": {"attention_window": 8},
    "led": {"attention_window": 8},
    "mimo_v2_flash": {},
    "reformer": {"axial_pos_embds_dim": [8, 24], "axial_pos_shape": [8, 8]},
    "zamba": {"n_mamba_heads": 2, **_ALL_HEADS, "num_hidden_layers": 6, "attn_layer_period": 3},
    "zamba2": {
        "layers_block_type": ["linear_attention", "hybrid"] * 2,
        **_ALL_HEADS,
    },
    "zaya": {"num_experts_per_tok": 1},
}


def model_types() -> list[str]:
    """All that transformers has a base model for."""
    return sorted(MODEL_MAPPING_NAMES)


def small_config(model_type: str, **more: Any) -> tf.PreTrainedConfig:
    """A configuration with every size that it has made small."""
    return _shrunk(CONFIG_MAPPING[model_type], **more)


def _shrunk(config_class: type[Any], **more: Any) -> tf.PreTrainedConfig:
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):
        if field.name in _SMALL and not isinstance(field.default, list | tuple):
            arguments[field.name] = _SMALL[field.name]
        elif field.name.endswith(("_token_id", "_token_index", "_idx", "_index")):
            is_beyond = isinstance(field.default, int) and field.default >= VOCABULARY
            if is_beyond:
                arguments[field.name] = VOCABULARY - 1
    for name, part in _parts(config_class).items():
        arguments[name] = _shrunk(part).to_dict()
    arguments.update(_MORE.get(config_class.model_type, {}))
    return config_class(**{**arguments, **more})


def _parts(config_class: type[Any]) -> dict[str, type[Any]]:
    """The classes of the configurations that one is made of."""
    try:
        default = config_class()
    except (
        Exception
    ):  # some cannot be made without arguments; strict ones raise errors of their own
        return {}
    parts = {name: getattr(default, name, None) for name in config_class.sub_configs}
    return {n: type(part) for n, part in parts.items() if isinstance(part, tf.PreTrainedConfig)}


def small_model(model_type: str, auto_class: str = "AutoModel", **more: Any) -> tf.PreTrainedModel:
    """A random model in evaluation mode."""
    torch.manual_seed(0)
    return getattr(tf, auto_class).from_config(small_config(model_type, **more)).eval()


def reads_token_ids(model: tf.PreTrainedModel) -> bool:
    return "input_ids" in inspect.signature(model.forward).parameters
