"""The functions that every decoder-only language model exports, on top of its own layers."""

from __future__ import annotations

import abc
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import spec
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.functions.kv_cache import KVCacheConfig
from tools.compiler.layers.shape import last_row, reshape, take_rows

_WITH_PARAMETERS = {"param_mode": "packed", "effect_mode": "none"}
_WITHOUT_PARAMETERS = {"param_mode": "none", "effect_mode": "none"}


class CausalLM(nn.Module, abc.ABC):
    """Base of language models; a subclass defines `embed`, `run_layers` and `get_logits`.

    The names of functions and parameters, and the order and the shapes of the latter, are those
    that MLC LLM's runtime calls.

    Args:
        hidden_size: Length of a token's vector.
        model_dtype: dtype of activations.
        kv_cache: What the model needs of its KV cache.

    Attributes:
        exports_hidden_states: Whether ``get_logits`` and the ``*_to_last_hidden_states``
            functions, which speculative decoding uses, are exported.
    """

    exports_hidden_states = False

    def __init__(self, hidden_size: int, model_dtype: str, kv_cache: KVCacheConfig) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.model_dtype = model_dtype
        self.kv_cache = kv_cache

    @abc.abstractmethod
    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        """``(seq_len,) int32 -> (seq_len, hidden_size)``."""

    @abc.abstractmethod
    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        """All layers and the final norm: ``(tokens, hidden_size) -> (tokens, hidden_size)``."""

    @abc.abstractmethod
    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        """``(tokens, hidden_size) -> (tokens, vocab_size) float32``."""

    def prefill(self, input_embed: nn.Tensor, paged_kv_cache: PagedKVCache):
        """Logits of the last token of one sequence."""
        x = self.run_layers(self._rows(input_embed), paged_kv_cache)
        return self._matrices(self.get_logits(last_row(x)), 1, 1), paged_kv_cache

    def decode(self, input_embed: nn.Tensor, paged_kv_cache: PagedKVCache):
        """Logits of one token of one sequence."""
        return self._logits_of_all(input_embed, paged_kv_cache)

    def batch_prefill(
        self, input_embeds: nn.Tensor, logit_positions: nn.Tensor, paged_kv_cache: PagedKVCache
    ):
        """Logits of the tokens at `logit_positions`, one a sequence, of concatenated sequences."""
        x = self.run_layers(self._rows(input_embeds), paged_kv_cache)
        logits = self.get_logits(take_rows(x, logit_positions))
        return self._matrices(logits, 1, logit_positions.shape[0]), paged_kv_cache

    def batch_decode(self, input_embeds: nn.Tensor, paged_kv_cache: PagedKVCache):
        """Logits of one token of each sequence."""
        return self._logits_of_all(input_embeds, paged_kv_cache)

    def batch_verify(self, input_embeds: nn.Tensor, paged_kv_cache: PagedKVCache):
        """Logits of all tokens of concatenated sequences."""
        return self._logits_of_all(input_embeds, paged_kv_cache)

    def prefill_to_last_hidden_states(self, input_embed: nn.Tensor, paged_kv_cache: PagedKVCache):
        """Hidden states of all tokens of one sequence."""
        return self._states_of_all(input_embed, paged_kv_cache)

    def decode_to_last_hidden_states(self, input_embed: nn.Tensor, paged_kv_cache: PagedKVCache):
        """Hidden state of one token of one sequence."""
        return self._states_of_all(input_embed, paged_kv_cache)

    def batch_prefill_to_last_hidden_states(
        self, input_embeds: nn.Tensor, paged_kv_cache: PagedKVCache
    ):
        """Hidden states of all tokens of concatenated sequences."""
        return self._states_of_all(input_embeds, paged_kv_cache)

    def batch_decode_to_last_hidden_states(
        self, input_embeds: nn.Tensor, paged_kv_cache: PagedKVCache
    ):
        """Hidden state of one token of each sequence."""
        return self._states_of_all(input_embeds, paged_kv_cache)

    def batch_verify_to_last_hidden_states(
        self, input_embeds: nn.Tensor, paged_kv_cache: PagedKVCache
    ):
        """Hidden states of all tokens of concatenated sequences."""
        return self._states_of_all(input_embeds, paged_kv_cache)

    def batch_select_last_hidden_states(
        self, hidden_states: nn.Tensor, logit_positions: nn.Tensor
    ) -> nn.Tensor:
        """Rows `logit_positions` of ``(seq_len, hidden_size)``."""
        return take_rows(hidden_states, logit_positions)

    def _logits_of_all(self, input_embeds: nn.Tensor, paged_kv_cache: PagedKVCache):
        batch, tokens, _ = input_embeds.shape
        x = self.run_layers(self._rows(input_embeds), paged_kv_cache)
        return self._matrices(self.get_logits(x), batch, tokens), paged_kv_cache

    def _states_of_all(self, input_embeds: nn.Tensor, paged_kv_cache: PagedKVCache):
        batch, tokens, _ = input_embeds.shape
        x = self.run_layers(self._rows(input_embeds), paged_kv_cache)
        return self._matrices(x, batch, tokens), paged_kv_cache

    def _rows(self, x: nn.Tensor) -> nn.Tensor:
        """``(batch, tokens, size) -> (batch * tokens, size)``, the form that layers work on.

        One form for all functions also means that they share kernels.
        """
        batch, tokens, size = x.shape
        return reshape(x, batch * tokens, size)

    def _matrices(self, x: nn.Tensor, batch, tokens) -> nn.Tensor:
        return reshape(x, batch, tokens, x.shape[1])

    def function_spec(self) -> spec.ModuleSpec:
        """Returns the functions that `nn.Module.export_tvm` builds of this model."""
        size, dtype = self.hidden_size, self.model_dtype
        cache = spec.Object(object_type=PagedKVCache)
        one_sequence = {
            "input_embed": spec.Tensor([1, "seq_len", size], dtype),
            "paged_kv_cache": cache,
            "$": _WITH_PARAMETERS,
        }
        one_token = {
            "input_embed": spec.Tensor([1, 1, size], dtype),
            "paged_kv_cache": cache,
            "$": _WITH_PARAMETERS,
        }
        tokens = {
            "input_embeds": spec.Tensor([1, "seq_len", size], dtype),
            "paged_kv_cache": cache,
            "$": _WITH_PARAMETERS,
        }
        batch = {
            "input_embeds": spec.Tensor(["batch_size", 1, size], dtype),
            "paged_kv_cache": cache,
            "$": _WITH_PARAMETERS,
        }
        positions = spec.Tensor(["batch_size"], "int32")
        functions: dict[str, dict[str, Any]] = {
            "embed": {"input_ids": spec.Tensor(["seq_len"], "int32"), "$": _WITH_PARAMETERS},
            "prefill": one_sequence,
            "decode": one_token,
            "batch_prefill": {
                "input_embeds": tokens["input_embeds"],
                "logit_positions": positions,
                "paged_kv_cache": cache,
                "$": _WITH_PARAMETERS,
            },
            "batch_decode": batch,
            "batch_verify": tokens,
        }
        if self.exports_hidden_states:
            functions |= {
                "get_logits": {
                    "hidden_states": spec.Tensor(["seq_len", size], dtype),
                    "$": _WITH_PARAMETERS,
                },
                "batch_select_last_hidden_states": {
                    "hidden_states": spec.Tensor(["seq_len", size], dtype),
                    "logit_positions": positions,
                    "$": _WITHOUT_PARAMETERS,
                },
                "prefill_to_last_hidden_states": one_sequence,
                "decode_to_last_hidden_states": one_token,
                "batch_prefill_to_last_hidden_states": tokens,
                "batch_decode_to_last_hidden_states": batch,
                "batch_verify_to_last_hidden_states": tokens,
            }
        # Copies, because from_raw empties what it reads.
        functions = {name: dict(fields) for name, fields in functions.items()}
        return spec.ModuleSpec.from_raw(functions, self)
