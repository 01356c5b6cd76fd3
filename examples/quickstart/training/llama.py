"""The llama architecture in PyTorch, with the parameter names of MLC LLM.

It computes what `LlamaForCausalLM` of Hugging Face and of MLC LLM compute: RMSNorm before attention
and before the SwiGLU feed-forward, rotary embedding on split halves, grouped-query attention, and
the embedding table as output layer. `qkv_proj` and `gate_up_proj` are stored fused, as in MLC LLM.
"""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.utils import parametrize

from examples.quickstart.training import quantization


@dataclasses.dataclass(frozen=True)
class LlamaConfig:
    """The architecture's sizes, named as in the `model_config` of mlc-chat-config.json.

    Every size that a matrix is multiplied along is a multiple of the quantization group, 32.
    """

    hidden_size: int = 256
    intermediate_size: int = 704
    num_attention_heads: int = 4
    num_hidden_layers: int = 5
    rms_norm_eps: float = 1e-5
    vocab_size: int = 2048
    tie_word_embeddings: bool = True
    position_embedding_base: int = 10000
    rope_scaling: None = None
    context_window_size: int = 512
    prefill_chunk_size: int = 256
    num_key_value_heads: int = 2
    head_dim: int = 64
    tensor_parallel_shards: int = 1
    pipeline_parallel_stages: int = 1
    max_batch_size: int = 4
    disaggregation: bool = False


def rotary_tables(config: LlamaConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and sine of every position's angles, each float32 of (context, head_dim)."""
    half = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    positions = torch.arange(config.context_window_size, dtype=torch.float32)
    angles = torch.outer(positions, config.position_embedding_base**-half).repeat(1, 2)
    return angles.cos(), angles.sin()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of x (..., positions, head_dim), pairing i with i + head_dim / 2."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Attention(nn.Module):
    """Causal grouped-query attention."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        heads = config.num_attention_heads + 2 * config.num_key_value_heads
        self.qkv_proj = nn.Linear(config.hidden_size, heads * config.head_dim, bias=False)
        self.o_proj = nn.Linear(
            config.num_attention_heads * config.head_dim, config.hidden_size, bias=False
        )

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        """Maps x (batch, positions, hidden) to the same shape."""
        batch, length, _ = x.shape
        query_heads, kv_heads = self.config.num_attention_heads, self.config.num_key_value_heads
        qkv = self.qkv_proj(x).view(batch, length, -1, self.config.head_dim).transpose(1, 2)
        query, key, value = qkv.split((query_heads, kv_heads, kv_heads), dim=1)
        query = rotate(query, cos, sin).to(value.dtype)
        key = rotate(key, cos, sin).to(value.dtype)
        key, value = (t.repeat_interleave(query_heads // kv_heads, dim=1) for t in (key, value))
        # Written out: on a CPU, PyTorch's fused attention is several times slower in bfloat16.
        scores = query @ key.transpose(-1, -2) * self.config.head_dim**-0.5
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        out = scores.masked_fill(future, -torch.inf).softmax(-1).to(value.dtype) @ value
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, -1))


class FeedForward(nn.Module):
    """SwiGLU: down(silu(gate(x)) * up(x))."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.gate_up_proj = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps x (..., hidden) to the same shape."""
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)


class DecoderLayer(nn.Module):
    """Attention and feed-forward, each on the normalized input and added to it."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = FeedForward(config)
        self.input_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        """Maps x (batch, positions, hidden) to the same shape."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaModel(nn.Module):
    """Embedding table, decoder layers and the last normalization."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        cos, sin = rotary_tables(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Maps token ids (batch, positions) to float32 logits (batch, positions, vocab)."""
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        weight = self.embed_tokens.weight
        x = F.embedding(ids, weight)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return F.linear(self.norm(x), weight).float()


class LlamaForCausalLM(nn.Module):
    """The language model; its parameters are in the order of MLC LLM's own definition."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.model = LlamaModel(config)
        residual_scale = (2 * config.num_hidden_layers) ** -0.5
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                last = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 * (residual_scale if last else 1.0))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Maps token ids (batch, positions) to float32 logits (batch, positions, vocab)."""
        return self.model(ids)

    def quantization_aware(self) -> None:
        """From now on every matrix is used as its 4-bit weights will be; gradients pass through."""
        for module in list(self.modules()):
            if isinstance(module, nn.Linear | nn.Embedding):
                parametrize.register_parametrization(module, "weight", _FakeQuantization())

    def plain(self) -> None:
        """Undoes `quantization_aware`, keeping the weights that the optimizer saw."""
        for module in list(self.modules()):
            if parametrize.is_parametrized(module):
                parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)


class _FakeQuantization(nn.Module):
    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            groups = weight.view(weight.shape[0], -1, quantization.GROUP_SIZE)
            scale = (groups.abs().amax(-1, keepdim=True) / quantization.MAX_INT).half().float()
            level = (groups / scale.clamp_min(1e-8)).round()
            level = level.clamp(-quantization.MAX_INT, quantization.MAX_INT)
            error = (level * scale).view_as(weight) - weight
        return weight + error
