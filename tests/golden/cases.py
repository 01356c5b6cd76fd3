"""Small models, each a config.json as the Hub has them, and what is computed with them."""

from __future__ import annotations

import dataclasses
from typing import Any

VOCAB_SIZE = 120


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, and the calls that are made.

    Attributes:
        config: Its config.json, read by transformers, too.
        prefills: Tokens of the calls that precede eight of one token each.
        batch: Tokens of sequences that are computed in one call.
        reference: Fields of config.json that are other for transformers.
        checkpoint: ``safetensors`` or ``sharded``: in several files.
        reference_of: The case whose config.json transformers gets in place of this one, with the
            tensors under its names.
    """

    config: dict[str, Any]
    prefills: tuple[int, ...] = (21, 13)
    batch: tuple[int, ...] = (5, 26, 1)
    reference: dict[str, Any] = dataclasses.field(default_factory=dict)
    checkpoint: str = "safetensors"
    reference_of: str | None = None

    @property
    def calls(self) -> list[int]:
        """Tokens of each call on the one sequence."""
        return [*self.prefills, *[1] * 8]

    @property
    def reference_config(self) -> dict[str, Any]:
        """config.json as transformers gets it."""
        fields = CASES[self.reference_of].config if self.reference_of else self.config
        return {**fields, **self.reference}


_SIZES = {"vocab_size": VOCAB_SIZE, "bos_token_id": 1, "eos_token_id": 2}

_DECODER = {
    **_SIZES,
    "hidden_size": 128,
    # The last group of a row is not full.
    "intermediate_size": 176,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
}

_MOE = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 96,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
}

_GEMMA3 = {
    **_DECODER,
    "num_hidden_layers": 3,
    "num_key_value_heads": 1,
    "head_dim": 64,
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
    "query_pre_attn_scalar": 48,
    "sliding_window": 9,
    "sliding_window_pattern": 3,
    "rope_theta": 100000.0,
    "rope_local_base_freq": 1000.0,
    "rope_scaling": {"rope_type": "linear", "factor": 4.0},
}

CASES: dict[str, Case] = {
    "gemma": Case(
        {
            **_DECODER,
            "model_type": "gemma",
            "num_key_value_heads": 1,
            "head_dim": 64,
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_activation": "gelu_pytorch_tanh",
            "tie_word_embeddings": True,
        }
    ),
    # The window ends in each of the calls.
    "gemma2": Case(
        {
            **_DECODER,
            "model_type": "gemma2",
            "num_key_value_heads": 2,
            "head_dim": 64,
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_activation": "gelu_pytorch_tanh",
            "tie_word_embeddings": True,
            "attn_logit_softcapping": 2.0,
            "final_logit_softcapping": 3.0,
            "query_pre_attn_scalar": 48,
            "sliding_window": 9,
        }
    ),
    # Its part that reads and writes text is a gemma3_text.
    "gemma3": Case(
        {"model_type": "gemma3", "text_config": {**_GEMMA3, "model_type": "gemma3_text"}},
        reference_of="gemma3_text",
    ),
    "gemma3_text": Case({**_GEMMA3, "model_type": "gemma3_text"}),
    "gpt_bigcode": Case(
        {
            **_SIZES,
            "model_type": "gpt_bigcode",
            "n_embd": 128,
            "n_inner": 176,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 128,
            "layer_norm_epsilon": 1e-5,
            "activation_function": "gelu",
            "multi_query": True,
        }
    ),
    # Transformers has no code for it; its llama computes the same with other names.
    "internlm2": Case(
        {
            **_DECODER,
            "model_type": "internlm2",
            "num_key_value_heads": 2,
            "bias": False,
            "use_cache": True,
            "pad_token_id": 2,
        },
        reference={"model_type": "llama", "pad_token_id": None},
    ),
    "gpt2": Case(
        {
            **_SIZES,
            "model_type": "gpt2",
            "n_embd": 128,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 128,
            "layer_norm_epsilon": 1e-5,
            "activation_function": "gelu_new",
        }
    ),
    "gpt_neox": Case(
        {
            **_DECODER,
            "model_type": "gpt_neox",
            "rotary_pct": 0.25,
            "rotary_emb_base": 10000,
            "layer_norm_eps": 1e-5,
            "hidden_act": "gelu",
            "use_parallel_residual": True,
        }
    ),
    "gpt_neox_sequential": Case(
        {
            **_DECODER,
            "model_type": "gpt_neox",
            "rotary_pct": 1.0,
            "rotary_emb_base": 10000,
            "layer_norm_eps": 1e-5,
            "hidden_act": "gelu",
            "use_parallel_residual": False,
        }
    ),
    "llama": Case(
        {
            **_DECODER,
            "model_type": "llama",
            "num_key_value_heads": 2,
            "tie_word_embeddings": True,
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64,
            },
        },
        checkpoint="sharded",
    ),
    # In TVM's cache a token sees the window and itself; in transformers it is a part of it.
    "mistral": Case(
        {
            **_DECODER,
            "model_type": "mistral",
            "num_key_value_heads": 2,
            "head_dim": 32,
            "sliding_window": 32,
        },
        prefills=(20, 9),
        reference={"sliding_window": 33},
    ),
    "mixtral": Case(
        {
            **_DECODER,
            "model_type": "mixtral",
            "num_key_value_heads": 2,
            "head_dim": 32,
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
            "sliding_window": None,
        }
    ),
    "olmo2": Case({**_DECODER, "model_type": "olmo2"}),
    "phi": Case(
        {
            **_DECODER,
            "model_type": "phi",
            "layer_norm_eps": 1e-5,
            "hidden_act": "gelu_new",
            "partial_rotary_factor": 0.5,
        }
    ),
    # Transformers has no code for it; its phi computes the same with other names.
    "phi_msft": Case(
        {
            **_SIZES,
            "model_type": "phi-msft",
            "n_embd": 128,
            "n_inner": 176,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 128,
            "rotary_dim": 16,
            "layer_norm_epsilon": 1e-5,
            "activation_function": "gelu_new",
        },
        reference_of="phi",
    ),
    # The second call passes the original length.
    "phi3": Case(
        {
            **_DECODER,
            "model_type": "phi3",
            "num_key_value_heads": 2,
            "original_max_position_embeddings": 32,
            "sliding_window": None,
            "pad_token_id": 0,
            "rope_scaling": {
                "type": "longrope",
                "short_factor": [1.0 + i / 16 for i in range(16)],
                "long_factor": [1.0 + i for i in range(16)],
            },
        },
        batch=(5, 45, 1),
    ),
    "qwen2": Case({**_DECODER, "model_type": "qwen2", "rope_theta": 1000000.0}),
    "qwen2_moe": Case(
        {
            **_DECODER,
            **_MOE,
            "model_type": "qwen2_moe",
            "num_key_value_heads": 2,
            "shared_expert_intermediate_size": 160,
            "norm_topk_prob": False,
        }
    ),
    "qwen3_moe": Case(
        {
            **_DECODER,
            **_MOE,
            "model_type": "qwen3_moe",
            "num_key_value_heads": 2,
            "head_dim": 32,
            "norm_topk_prob": True,
            "attention_bias": False,
        }
    ),
    "qwen3": Case(
        {
            **_DECODER,
            "model_type": "qwen3",
            "num_key_value_heads": 2,
            "head_dim": 64,
            "rope_theta": 1000000.0,
            "tie_word_embeddings": True,
            "attention_bias": False,
        }
    ),
    "stablelm": Case(
        {
            **_DECODER,
            "model_type": "stablelm",
            "num_key_value_heads": 2,
            "layer_norm_eps": 1e-5,
            "partial_rotary_factor": 0.25,
            "use_qkv_bias": True,
        }
    ),
    "starcoder2": Case(
        {
            **_DECODER,
            "model_type": "starcoder2",
            "num_key_value_heads": 2,
            "norm_epsilon": 1e-5,
            "hidden_act": "gelu_pytorch_tanh",
            "use_bias": True,
            "use_cache": True,
            "sliding_window": None,
            "tie_word_embeddings": True,
        }
    ),
}
