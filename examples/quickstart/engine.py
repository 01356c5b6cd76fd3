"""Runs a packaged model on this machine's CPU through TVM's runtime."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import tvm
from tvm import relax

from examples.quickstart.package_models import PackagedModel
from tools.cli import UserError

PAGE_SIZE = 16
SEQUENCE = 0


class Engine:
    """One sequence of tokens in a model's paged KV cache.

    Attributes:
        context_window_size: how many tokens the sequence may hold.
        length: how many it holds.
    """

    def __init__(self, model: PackagedModel) -> None:
        """Loads library and weights.

        Raises:
            UserError: the library or the weights cannot be loaded.
        """
        self._device = tvm.cpu()
        try:
            library = tvm.runtime.load_module(str(model.library))
            self._vm = relax.VirtualMachine(library, self._device)
            metadata = json.loads(self._vm["_metadata"]())
            names = [parameter["name"] for parameter in metadata["params"]]
            self._parameters = _load_weights(str(model.weights), names, self._device)
        except (RuntimeError, ValueError, AttributeError) as error:
            reason = (str(error).strip().splitlines() or ["unknown"])[-1]
            raise UserError(f"{model.model_id}: cannot be loaded: {reason}") from error
        self.context_window_size: int = metadata["context_window_size"]
        self._chunk: int = min(metadata["prefill_chunk_size"], self.context_window_size)
        self._cache = self._vm["create_tir_paged_kv_cache"](
            *map(_shape, ([1], [self.context_window_size], [self._chunk], [PAGE_SIZE], [0]))
        )
        _function("vm.builtin.kv_state_add_sequence")(self._cache, SEQUENCE)
        self._begin = _function("vm.builtin.kv_state_begin_forward")
        self._end = _function("vm.builtin.kv_state_end_forward")
        self.length = 0

    def prefill(self, tokens: Sequence[int]) -> np.ndarray:
        """Appends tokens, in chunks of the library's prefill_chunk_size.

        Args:
            tokens: one or more ids; `length + len(tokens)` at most `context_window_size`.

        Returns:
            The logits after the last one, float32 (vocabulary,).
        """
        for start in range(0, len(tokens), self._chunk):
            logits = self._forward("prefill", tokens[start : start + self._chunk])
        return logits

    def decode(self, token: int) -> np.ndarray:
        """Appends one token; returns the logits after it, float32 (vocabulary,)."""
        return self._forward("decode", [token])

    def _forward(self, function: str, tokens: Sequence[int]) -> np.ndarray:
        ids = tvm.runtime.tensor(np.asarray(tokens, dtype=np.int32), self._device)
        embedding = self._vm["embed"](ids, self._parameters)
        count, hidden = embedding.shape
        embedding = _function("vm.builtin.reshape")(embedding, _shape([1, count, hidden]))
        self._begin(self._cache, _shape([SEQUENCE]), _shape([len(tokens)]))
        logits, _ = self._vm[function](embedding, self._cache, self._parameters)
        self._end(self._cache)
        self.length += len(tokens)
        return logits.numpy().reshape(-1)


def _function(name: str) -> tvm.runtime.PackedFunc:
    return tvm.get_global_func(name)


def _shape(values: Sequence[int]) -> tvm.runtime.ShapeTuple:
    return tvm.runtime.ShapeTuple(values)


def _load_weights(folder: str, names: list[str], device: tvm.runtime.Device) -> object:
    """The parameters `names`, in this order, as the library's functions take them."""
    _function("vm.builtin.tensor_cache.load")(folder, device.dlpack_device_type(), device.index)
    try:
        return _function("vm.builtin.param_array_from_cache_by_name")(names)
    finally:
        _function("vm.builtin.tensor_cache.clear")()
