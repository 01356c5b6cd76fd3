"""Trains the quickstart's model on generated stories and writes its folder.

    python -m examples.quickstart.training.train --output examples/quickstart/model

Needs PyTorch, numpy and tokenizers; everything is drawn from `--seed`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from tokenizers import Tokenizer

from examples.quickstart.training import export, quantization, stories, tokenization
from examples.quickstart.training.llama import LlamaConfig, LlamaForCausalLM

SHARD_CAP = 1 << 20
VALIDATION_STORIES = 64
IGNORED = -100


def encode(texts: Sequence[str], tokenizer: Tokenizer, limit: int) -> torch.Tensor:
    """Token ids (texts, longest) of `<s> text </s>`, padded with -100 and cut at `limit`."""
    rows = [
        [tokenization.BOS_ID, *encoding.ids, tokenization.EOS_ID][: limit + 1]
        for encoding in tokenizer.encode_batch(texts)
    ]
    batch = torch.full((len(rows), max(map(len, rows))), IGNORED)
    for index, row in enumerate(rows):
        batch[index, : len(row)] = torch.tensor(row)
    return batch


def batches(tokenizer: Tokenizer, size: int, limit: int, seed: int) -> Iterator[torch.Tensor]:
    """Yields batches of new stories without end; each batch holds stories of similar length."""
    pool, series = 16 * size, 0
    order = torch.Generator().manual_seed(seed)
    while True:
        texts = sorted(stories.stories(pool, seed=1000 * seed + series), key=len)
        series += 1
        for start in torch.randperm(16, generator=order).tolist():
            yield encode(texts[start * size : (start + 1) * size], tokenizer, limit)


def loss_of(model: LlamaForCausalLM, batch: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy, in nats per token, of predicting each token from those before it."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(batch[:, :-1].clamp_min(0))
    return F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=IGNORED)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over 5 % of the steps, then a cosine down to 2 % of the peak."""
    warm_up = max(1, steps // 20)
    if step < warm_up:
        return peak * (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return peak * (0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2)


def optimize(
    model: LlamaForCausalLM, tokenizer: Tokenizer, options: argparse.Namespace
) -> LlamaForCausalLM:
    """Trains in place; the last `--quantized-share` of the steps sees 4-bit weights."""
    quantized_from = round(options.steps * (1 - options.quantized_share))
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.98),
    )
    limit = model.config.context_window_size
    source = batches(tokenizer, options.batch_size, limit, options.seed + 1)
    start, seen = time.monotonic(), 0
    for step in range(options.steps):
        if step == quantized_from:
            model.quantization_aware()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, options.steps, options.learning_rate)
        batch = next(source)
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += int((batch != IGNORED).sum())
        if step % 50 == 0 or step == options.steps - 1:
            seconds = time.monotonic() - start
            print(f"step {step} loss {loss.item():.4f} {seen / seconds:.0f} tokens/s", flush=True)
    if quantized_from < options.steps:
        model.plain()
    return model


@torch.no_grad()
def validate(model: LlamaForCausalLM, tokenizer: Tokenizer) -> float:
    """Mean loss, in nats per token, on stories that training never draws."""
    texts = list(stories.stories(VALIDATION_STORIES, seed=-1))
    return loss_of(model, encode(texts, tokenizer, model.config.context_window_size)).item()


@torch.no_grad()
def generate(model: LlamaForCausalLM, tokenizer: Tokenizer, prompt: str, temperature: float) -> str:
    """Continues `prompt` until the end of the story or of the context."""
    ids = [tokenization.BOS_ID, *tokenizer.encode(prompt).ids]
    while len(ids) < model.config.context_window_size:
        logits = model(torch.tensor([ids]))[0, -1]
        ids.append(int(torch.multinomial((logits / temperature).softmax(-1), 1)))
        if ids[-1] == tokenization.EOS_ID:
            break
    return tokenizer.decode(ids)


def numpy_weights(model: LlamaForCausalLM) -> dict[str, np.ndarray]:
    """Every parameter by name, float32, in the order of the model's definition."""
    return {name: value.detach().numpy() for name, value in model.named_parameters()}


def load_quantized(model: LlamaForCausalLM, weights: dict[str, np.ndarray]) -> None:
    """Puts the values that the stored 4-bit weights stand for into the model."""
    for name, parameter in model.named_parameters():
        value = weights[name]
        if value.ndim == 2:
            value = quantization.dequantize(*quantization.quantize(value))
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(value))


def main(argv: Sequence[str] | None = None) -> int:
    """Trains the model, writes it, and prints losses and sample stories."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--steps", type=int, default=1400)
    parser.add_argument("--batch-size", type=int, default=8, help="stories in a step")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="at its peak")
    parser.add_argument("--quantized-share", type=float, default=0.25, help="0 to 1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    config = LlamaConfig()
    tokenizer = tokenization.train(stories.stories(4000, options.seed), config.vocab_size)
    model = optimize(LlamaForCausalLM(config), tokenizer, options)
    print(f"validation loss {validate(model, tokenizer):.4f}")
    weights = {name: value.copy() for name, value in numpy_weights(model).items()}
    export.write_model(weights, config, tokenizer, options.output, SHARD_CAP)
    load_quantized(model, weights)
    print(f"validation loss {validate(model, tokenizer):.4f} with 4-bit weights")
    for _ in range(3):
        print("\n" + generate(model, tokenizer, "Once upon a time", 0.7))
    return 0


if __name__ == "__main__":
    sys.exit(main())
