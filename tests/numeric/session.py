"""Runs a library for the machine's CPU as MLC LLM's runtime does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tvm
from tvm.runtime.vm import VirtualMachine

PAGE_SIZE = 16


class Session:
    """A loaded library with weights and a KV cache.

    Args:
        module: The loaded library.
    """

    def __init__(self, module: tvm.runtime.Module) -> None:
        self.device = tvm.cpu()
        self.machine = VirtualMachine(module, self.device)
        self.metadata = json.loads(self.function("_metadata")())
        self.parameters: list[tvm.runtime.Tensor] = []
        self.cache = None

    def function(self, name: str) -> Callable:
        """A function of the byte code, or a kernel that the runtime calls itself."""
        return self.machine.module.get_function(name, query_imports=True)

    def set_weights(self, arrays: Sequence[np.ndarray]) -> None:
        self.parameters = [self.tensor(array) for array in arrays]

    def clear(self) -> None:
        """Makes a new, empty cache."""
        window, tokens = self.metadata["sliding_window_size"], self.metadata["context_window_size"]
        if window != -1:
            tokens = (window + self.metadata["prefill_chunk_size"]) * self.metadata[
                "max_batch_size"
            ]
        sizes = (
            self.metadata["max_batch_size"],
            tokens,
            self.metadata["prefill_chunk_size"],
            PAGE_SIZE,
            int(window != -1),
        )
        create = self.function("create_tir_paged_kv_cache")
        self.cache = create(*[tvm.runtime.ShapeTuple([size]) for size in sizes])

    def add_sequence(self, sequence: int) -> None:
        tvm.get_global_func("vm.builtin.kv_state_add_sequence")(self.cache, sequence)

    def slide_sequence(self, sequence: int, sink: int) -> None:
        """Gives a sequence the model's window, and a sink of the given size."""
        enable = "vm.builtin.attention_kv_cache_enable_sliding_window_for_seq"
        window = self.metadata["sliding_window_size"]
        tvm.get_global_func(enable)(self.cache, sequence, window, sink)

    def fork_sequence(self, parent: int, child: int, position: int = -1) -> None:
        """Makes a sequence that shares another's first tokens, or all of them."""
        fork = tvm.get_global_func("vm.builtin.kv_state_fork_sequence")
        fork(self.cache, parent, child, position)

    def tensor(self, array: np.ndarray | Sequence[int]) -> tvm.runtime.Tensor:
        array = np.asarray(array)
        return tvm.runtime.tensor(array.astype(np.int32) if array.dtype == np.int64 else array)

    def call(self, name: str, *arguments, parameters: bool = True):
        """Calls a function; numpy arrays become tensors, the weights come last."""
        tensors = [self.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
        return self.function(name)(*tensors, *([self.parameters] if parameters else []))

    def forward(
        self,
        name: str,
        sequences: dict[int, Sequence[int]],
        *,
        one_token_each: bool = False,
        logit_positions: Sequence[int] | None = None,
        token_tree: Sequence[int] | None = None,
    ) -> np.ndarray:
        """Calls a function that appends tokens to the cache.

        Args:
            name: For example ``batch_prefill``.
            sequences: Sequence's number to its new tokens.
            one_token_each: Whether the embeddings are ``(batch, 1, size)``, not ``(1, n, size)``.
            logit_positions: Further argument of ``batch_prefill``.
            token_tree: Where the new tokens are trees, the parent of each, or -1.

        Returns:
            The function's first result.
        """
        tokens = np.concatenate([np.asarray(tokens) for tokens in sequences.values()])
        embeddings = self.call("embed", tokens).numpy()
        shape = (len(tokens), 1, -1) if one_token_each else (1, len(tokens), -1)
        arguments = [embeddings.reshape(shape)]
        if logit_positions is not None:
            arguments.append(np.asarray(logit_positions))
        lengths = [len(tokens) for tokens in sequences.values()]
        trees = [] if token_tree is None else [token_tree]
        with self._forward(list(sequences), lengths, *trees):
            result, _ = self.call(name, *arguments, self.cache)
        return result.numpy()

    @contextlib.contextmanager
    def _forward(self, *shapes: Sequence[int]) -> Iterator[None]:
        begin = tvm.get_global_func("vm.builtin.kv_state_begin_forward")
        begin(self.cache, *map(tvm.runtime.ShapeTuple, shapes))
        yield
        tvm.get_global_func("vm.builtin.kv_state_end_forward")(self.cache)
