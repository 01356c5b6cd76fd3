"""Sizes as the families that follow GPT-2's config spell them."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class GPTSizes:
    """Fields of a ``model_config``, and the names that `Decoder` knows them by.

    Attributes:
        n_embd: Length of a token's vector.
        n_layer: Number of layers.
        n_head: Number of query heads.
        n_inner: Length of the vector inside the feed-forward layer.
        head_dim: Length of a head.
    """

    n_embd: int
    n_layer: int
    n_head: int
    n_inner: int
    head_dim: int

    @property
    def hidden_size(self) -> int:
        return self.n_embd

    @property
    def num_hidden_layers(self) -> int:
        return self.n_layer

    @property
    def num_attention_heads(self) -> int:
        return self.n_head

    @property
    def intermediate_size(self) -> int:
        return self.n_inner
