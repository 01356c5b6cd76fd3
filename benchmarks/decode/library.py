"""Our compiler's library for the machine's CPU, run on random weights as MLC LLM's runtime does."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tvm

from tests.numeric.session import Session
from tools import config
from tools.compiler.compile import compile_library


class Library:
    """A compiled model with random weights.

    Args:
        chat_config: mlc-chat-config.json.
        target: Attributes of the device's TVM target to replace.
        linker: A program that takes the arguments of ld.lld.
        directory: Where the library is written.
        clock: Returns seconds.

    Attributes:
        bytes_per_token: How many bytes of weights a token's decoding reads.
    """

    def __init__(
        self,
        chat_config: dict,
        target: dict,
        linker: Path,
        directory: Path,
        clock: Callable[[], float],
    ) -> None:
        self.clock = clock
        device = f"cpu:{platform.machine()}-{platform.system().lower()}"
        key = config.build_key(chat_config, device, target=target)
        path = directory / f"{key.quantization}.so"
        compile_library(key, path, None, path.with_suffix(".log"), linker=linker)
        self.vocab_size = chat_config["vocab_size"]
        self.session = Session(tvm.runtime.load_module(str(path)))
        names = [parameter["name"] for parameter in self.session.metadata["params"]]
        arrays = [self._random(**parameter) for parameter in self.session.metadata["params"]]
        self.session.set_weights(arrays)
        is_tied = not any(name.startswith("lm_head") for name in names)
        self.bytes_per_token = sum(
            array.nbytes
            for name, array in zip(names, arrays, strict=True)
            if is_tied or "embed_tokens" not in name
        )

    def _random(self, name: str, shape: list, dtype: str, **_) -> np.ndarray:
        shape = [size if isinstance(size, int) else self.vocab_size for size in shape]
        random = np.random.default_rng(0)
        if dtype == "uint32":
            return random.integers(1 << 32, size=shape, dtype=dtype)
        if len(shape) == 1:
            return np.ones(shape, dtype)
        # Values of a usual size: packed ones are -7 to 8 times their scale.
        largest = 1 / 64 if name.endswith("scale") else 1 / 16
        return (random.random(shape, np.float32) * largest).astype(dtype)

    def measure(self, prompt: int, tokens: int) -> tuple[float, float]:
        """Returns the seconds of a prompt's prefill, and of as many steps of decoding as said.

        Args:
            prompt: Its number of tokens.
            tokens: How many are decoded after it, each the most likely one.
        """
        session = self.session
        session.clear()
        session.add_sequence(0)
        start = self.clock()
        logits = session.forward("prefill", {0: np.arange(prompt) % self.vocab_size})
        prefilled = self.clock()
        for _ in range(tokens):
            logits = session.forward("decode", {0: [int(logits.argmax())]}, one_token_each=True)
        return prefilled - start, self.clock() - prefilled
