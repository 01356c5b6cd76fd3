"""Chat with a packaged model: streams text that continues a prompt.

    python -m examples.quickstart.chat --package DIR --prompt "Once upon a time"

The last line says how fast the prompt was read and the text was written. Ctrl-C ends the text.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from examples.quickstart import text
from examples.quickstart.package_models import find_model, read_json
from examples.quickstart.sampler import sample
from tools.cli import UserError, run

if TYPE_CHECKING:
    from examples.quickstart.engine import Engine


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """Reads the command line.

    Raises:
        UserError: an argument is unknown, missing or out of range.
    """
    parser = _Parser(
        prog="chat", description="Streams text that continues a prompt, from a packaged model."
    )
    parser.add_argument("--package", type=Path, required=True, help="folder of lib/ and bundle/")
    parser.add_argument("--model-id", help="which model (default: the package's first)")
    parser.add_argument("--prompt", required=True, help="the text to continue")
    parser.add_argument("--max-tokens", type=int, help="(default: up to the end of the context)")
    parser.add_argument("--temperature", type=float, help="0 or more (default: the model's)")
    parser.add_argument("--top-p", type=float, help="above 0, up to 1 (default: the model's)")
    parser.add_argument("--seed", type=int, help="equal seeds write equal text (default: random)")
    options = parser.parse_args(argv)
    if options.max_tokens is not None and options.max_tokens < 1:
        raise UserError(f"--max-tokens {options.max_tokens}: too small; expected 1 or more")
    if options.temperature is not None and not 0 <= options.temperature < float("inf"):
        raise UserError(f"--temperature {options.temperature}: out of range; expected 0 or more")
    if options.top_p is not None and not 0 < options.top_p <= 1:
        raise UserError(f"--top-p {options.top_p}: out of range; expected above 0 and up to 1")
    if options.seed is not None and options.seed < 0:
        raise UserError(f"--seed {options.seed}: negative; expected 0 or more")
    return options


@dataclasses.dataclass
class Speed:
    """How many tokens were read and written, in how many seconds."""

    prefill_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_tokens: int = 0
    decode_seconds: float = 0.0

    def __str__(self) -> str:
        prefill = self.prefill_tokens / max(self.prefill_seconds, 1e-9)
        decode = self.decode_tokens / max(self.decode_seconds, 1e-9)
        return (
            f"prefill: {self.prefill_tokens} tokens, {prefill:.1f} tokens/s;"
            f" decode: {self.decode_tokens} tokens, {decode:.1f} tokens/s"
        )


def generate(
    engine: Engine,
    prompt: Sequence[int],
    limit: int,
    draw: Callable[[np.ndarray], int],
    speed: Speed,
) -> Iterator[int]:
    """Yields up to `limit` tokens that follow the prompt.

    Args:
        engine: prompt and answer must fit its context.
        prompt: the ids to read first.
        limit: 1 or more.
        draw: takes a token from logits.
        speed: is kept up to date; drawing and printing tokens count as decoding.
    """
    started = time.perf_counter()
    logits = engine.prefill(prompt)
    speed.prefill_tokens, speed.prefill_seconds = len(prompt), time.perf_counter() - started
    token = draw(logits)
    yield token
    started = time.perf_counter()
    for _ in range(limit - 1):
        token = draw(engine.decode(token))
        speed.decode_tokens += 1
        speed.decode_seconds = time.perf_counter() - started
        yield token


def main(argv: list[str]) -> int:
    """Finds the model, reads the prompt, streams the answer; returns the exit status."""
    options = parse_arguments(argv)
    model = find_model(options.package, options.model_id)
    config = read_json(model.weights / "mlc-chat-config.json")
    tokenizer = text.load_tokenizer(model.weights)
    template = config["conv_template"]
    prompt = text.prompt_tokens(tokenizer, template, options.prompt)
    temperature = config["temperature"] if options.temperature is None else options.temperature
    top_p = config["top_p"] if options.top_p is None else options.top_p

    # Importing TVM takes a second: after everything that can be said without it.
    from examples.quickstart.engine import Engine

    engine = Engine(model)
    room = engine.context_window_size - len(prompt)
    if room < 1:
        raise UserError(
            f"--prompt: {len(prompt)} tokens leave no room to answer;"
            f" {model.model_id} has a context of {engine.context_window_size} tokens"
        )
    random = np.random.default_rng(options.seed)
    speed, stream, stops = Speed(), text.TextStream(tokenizer), text.stop_tokens(config)
    if text.templated(template, options.prompt) == options.prompt:
        print(options.prompt, end="", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        for token in generate(
            engine,
            prompt,
            min(room, options.max_tokens or room),
            lambda logits: sample(logits, temperature, top_p, random),
            speed,
        ):
            if token in stops:
                break
            print(stream.push(token), end="", flush=True)
    print(f"{stream.finish()}\n\n{speed}")
    return 0


if __name__ == "__main__":
    run(main)
