"""The body that the families share: an embedding, layers, a final norm and an output layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.functions.kv_cache import KVCacheConfig
from tools.compiler.layers.attention import AttentionConfig
from tools.compiler.layers.elementwise import add
from tools.compiler.layers.linear import Embedding, Linear
from tools.compiler.quantization.base import Quantization


class DecoderConfig(AttentionConfig, Protocol):
    """What `Decoder` reads of a family's config, as fields or as properties.

    Attributes:
        num_hidden_layers: Number of layers.
    """

    num_hidden_layers: int


@dataclasses.dataclass(frozen=True)
class Names:
    """Attribute names, of which the parameters' names are made.

    Attributes:
        body: All but the output layer; with a dot, a module in a module.
        embedding: Of tokens, in the body.
        positions: The embedding of positions, in the body of a family that has one.
        layers: In the body.
        norm: The final one, in the body.
        head: The output layer.
    """

    body: str = "model"
    embedding: str = "embed_tokens"
    positions: str = "wpe"
    layers: str = "layers"
    norm: str = "norm"
    head: str = "lm_head"


class Decoder(CausalLM):
    """Base of the families.

    Args:
        config: The model's sizes.
        quantization: How the weights are stored.
        layer: Makes a layer of these two: a module that is called with ``(x, cache, layer_id)``.
        norm: The final norm; None where it is part of `head`.
        head: The output layer; where None, a linear one without a bias.
        tied: Whether the output layer shares the embedding's weight.
        num_embeddings: Entries of the embedding; a string names a dynamic size.
        num_outputs: Rows of the linear output layer; a string names a dynamic size.
        num_positions: Entries of the embedding of positions; None where there is none.
        kv_cache: Fields of `KVCacheConfig` besides the numbers of layers and heads and the dtype.

    Attributes:
        names: A family with other names has its own.
    """

    names = Names()

    def __init__(
        self,
        config: DecoderConfig,
        quantization: Quantization,
        *,
        layer: Callable[[Any, Quantization], nn.Module],
        norm: nn.Module | None,
        head: nn.Module | None = None,
        tied: bool = False,
        num_embeddings: int | str = "vocab_size",
        num_outputs: int | str = "vocab_size",
        num_positions: int | None = None,
        **kv_cache: Any,
    ) -> None:
        cache = KVCacheConfig(
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            dtype=quantization.model_dtype,
            **kv_cache,
        )
        size, names = config.hidden_size, self.names
        super().__init__(size, quantization.model_dtype, cache)
        body: nn.Module = self
        for name in names.body.split("."):
            setattr(body, name, nn.Module())
            body = getattr(body, name)
        setattr(body, names.embedding, Embedding(quantization, num_embeddings, size))
        if num_positions is not None:
            setattr(body, names.positions, Embedding(quantization, num_positions, size))
        layers = [layer(config, quantization) for _ in range(config.num_hidden_layers)]
        setattr(body, names.layers, nn.ModuleList(layers))
        if norm is not None:
            setattr(body, names.norm, norm)
        if not tied:
            head = head or Linear(quantization, size, num_outputs, out_dtype="float32")
            setattr(self, names.head, head)

    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        return getattr(self._body(), self.names.embedding)(input_ids)

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        body, names = self._body(), self.names
        positions = getattr(body, names.positions, None)
        if positions is not None:
            # Where each row is in its sequence is the cache's state, like the sequences themselves.
            x = add(x, positions(paged_kv_cache.get_query_positions(x.shape[0])))
        for layer_id, layer in enumerate(getattr(body, names.layers)):
            x = layer(x, paged_kv_cache, layer_id)
        norm = getattr(body, names.norm, None)
        return x if norm is None else norm(x)

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        head = getattr(self, self.names.head, None)
        if head is None:
            return getattr(self._body(), self.names.embedding).lm_head_forward(hidden_states)
        return head(hidden_states)

    def _body(self) -> nn.Module:
        body: nn.Module = self
        for name in self.names.body.split("."):
            body = getattr(body, name)
        return body
