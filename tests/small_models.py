"""Small random models of every architecture in transformers that reads token ids."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import torch
import transformers as tf
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

VOCABULARY = 200
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
_HYBRID = {"layer_types": ["linear_attention", "full_attention"] * 2}
_MAMBA = {"n_groups": 1, "num_heads": N_HEADS, "head_dim": 16, "state_size": 8}
_SECTIONS = (
    "glm4v_moe_text",
    "glm4v_text",
    "glm_image_text",
    "glm_ocr_text",
    "hunyuan_vl_text",
    "paddleocr_vl_text",
    "qwen2_5_vl_text",
    "qwen2_vl_text",
)
# What the sizes above do not go together with.
_MORE: dict[str, dict[str, Any]] = {
    "axk2": _ALL_HEADS,
    "bailing_hybrid": _HYBRID,
    "bamba": {"attn_layer_indices": [1, 3]},
    "blt": {"encoder_hash_byte_group_vocab": 50},
    "chameleon": {"vocabulary_map": {"<image>": VOCABULARY - 1}},
    "codegen": {"rotary_dim": 4},
    "cohere_compass_text": {
        "rope_parameters": {
            "full_attention": {"rope_theta": 1e4, "rope_type": "default"},
            "sliding_attention": {"rope_theta": 1e4, "rope_type": "default"},
        }
    },
    "cosmos3_edge_text": {"rope_parameters": {"rope_theta": 1e4, "mrope_section": [4, 2, 2]}},
    "dbrx": {"attn_config": {"rope_theta": 1e4, "kv_n_heads": 2, "clip_qkv": 8}, "max_seq_len": 64},
    "dots1": {"n_shared_experts": 1, "num_experts_per_tok": 2, "n_routed_experts": N_EXPERTS},
    "dots3_note_text": _ALL_HEADS,
    "ernie4_5_vl_moe_text": {"moe_intermediate_size": [EXPERT, EXPERT]},
    "emu3": {"vocabulary_map": {"<image>": VOCABULARY - 1}},
    "esm": {"pad_token_id": 1, "mask_token_id": 2},
    "esmc": {**_ALL_HEADS, "head_dim": 8},
    "falcon_h1": {"mamba_d_ssm": 64},
    "fsmt": {"langs": ["en", "de"]},
    "funnel": {"block_sizes": [2, 2], "architectures": ["FunnelModel"]},
    "gemma3n_text": {"num_kv_shared_layers": 0},
    "gemma4_text": {"num_kv_shared_layers": 0, "global_head_dim": 16},
    "gemma4_unified_text": {"num_kv_shared_layers": 0, "global_head_dim": 16},
    "glm5_next_text": {**_ALL_HEADS, "qk_rope_head_dim": 0},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "gptj": {"rotary_dim": 4},
    "granitemoehybrid": _HYBRID,
    "helium": {"head_dim": 8},
    "kimi_linear": _HYBRID,
    "layoutlmv3": {"coordinate_size": 6, "shape_size": 4},
    "led": {"attention_window": 8},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "lilt": {"hidden_size": 48},
    "longformer": {"attention_window": 8},
    "mamba2": _MAMBA,
    "nemotron_h": {"n_groups": 1, "mamba_head_dim": 16, "ssm_state_size": 8},
    "nllb-moe": {"encoder_sparse_step": 2, "decoder_sparse_step": 2},
    "qwen2_vl_vision": {"embed_dim": HIDDEN},
    "reformer": {"axial_pos_embds_dim": [8, 24], "axial_pos_shape": [8, 8]},
    "step3p7_text": {"sliding_window": 8},
    "step3p7": {"sliding_window": 8},
    "xmod": {"default_language": "en_XX"},
    "zamba": {"n_mamba_heads": 2, **_ALL_HEADS, "num_hidden_layers": 6, "attn_layer_period": 3},
    "zamba2": {"layers_block_type": ["linear_attention", "hybrid"] * 2, **_ALL_HEADS},
    "zaya": {"num_experts_per_tok": 1},
}


def model_types() -> list[str]:
    """All that transformers has a base model for."""
    return sorted(MODEL_MAPPING_NAMES)


def small_config(model_type: str, **more: Any) -> tf.PreTrainedConfig:
    """A configuration with every size that it has made small."""
    return _shrunk(CONFIG_MAPPING[model_type], **more)


def _shrunk(config_class: type[Any], **more: Any) -> tf.PreTrainedConfig:
    fields = {field.name: field.default for field in dataclasses.fields(config_class)}
    arguments: dict[str, Any] = {
        name: _SMALL[name]
        for name, default in fields.items()
        if name in _SMALL and not isinstance(default, list | tuple)
    }
    if "qk_rope_head_dim" in fields:
        # Latent attention: the part of a head that turns, and no grouped heads.
        arguments |= {"head_dim": arguments["qk_rope_head_dim"], "num_key_value_heads": N_HEADS}
    for name, default in fields.items():
        is_token = name.endswith(("_token_id", "_token_index", "_idx", "_index"))
        if is_token and type(default) is int and default >= VOCABULARY:
            arguments[name] = VOCABULARY - 1
    try:
        usual = config_class()
    except Exception:  # some need arguments, and the checks of others raise errors of their own
        usual = None
    for name in config_class.sub_configs:
        part = getattr(usual, name, None)
        if isinstance(part, tf.PreTrainedConfig):
            arguments[name] = _shrunk(type(part)).to_dict()
    arguments.update(_MORE.get(config_class.model_type, {}))
    config = config_class(**{**arguments, **more})
    _shrink_rotary_sections(config)
    return config


def _shrink_rotary_sections(config: tf.PreTrainedConfig) -> None:
    """Positions in images have sections of their own in a head, which sum to half of what turns."""
    rope = getattr(config, "rope_parameters", None)
    if isinstance(rope, dict) and (rope.get("mrope_section") or config.model_type in _SECTIONS):
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        half = int(head * rope.get("partial_rotary_factor", 1)) // 2
        rope["mrope_section"] = [half - 2 * (half // 3), half // 3, half // 3]


def small_model(model_type: str, auto_class: str = "AutoModel", **more: Any) -> tf.PreTrainedModel:
    """A random model in evaluation mode."""
    torch.manual_seed(0)
    model = getattr(tf, auto_class).from_config(small_config(model_type, **more)).eval()
    with torch.no_grad():
        for weights in model.parameters():
            # Some begin training with projections of zeros, through which nothing passes.
            if weights.dim() > 1 and not weights.is_meta and not weights.any():
                weights.normal_(std=0.1)
    return model


def reads_token_ids(model: tf.PreTrainedModel) -> bool:
    return "input_ids" in inspect.signature(model.forward).parameters
