"""Writes model.safetensors of a llama with random weights, in place of a model of the Hub."""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path


def shapes(config: dict) -> dict[str, list[int]]:
    """Returns names and shapes of the tensors of a llama with tied embeddings."""
    size, inner = config["hidden_size"], config["intermediate_size"]
    groups = size // config["num_attention_heads"] * config["num_key_value_heads"]
    layer = {
        "input_layernorm": [size],
        "mlp.down_proj": [size, inner],
        "mlp.gate_proj": [inner, size],
        "mlp.up_proj": [inner, size],
        "post_attention_layernorm": [size],
        "self_attn.k_proj": [groups, size],
        "self_attn.o_proj": [size, size],
        "self_attn.q_proj": [size, size],
        "self_attn.v_proj": [groups, size],
    }
    result = {
        f"model.layers.{number}.{name}.weight": shape
        for number in range(config["num_hidden_layers"])
        for name, shape in layer.items()
    }
    embedding = [config["vocab_size"], size]
    return {"model.embed_tokens.weight": embedding, **result, "model.norm.weight": [size]}


def main() -> None:
    """Reads config.json, writes the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    generator = random.Random(0)
    header = {}
    data = bytearray()
    for name, shape in shapes(json.loads(args.config.read_text())).items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        # bfloat16: a random sign and mantissa, and the exponent of 1/16, or that of 1 for norms.
        exponent = 0x3F80 if len(shape) == 1 else 0x3D80
        sign = 0 if len(shape) == 1 else 0x8000
        first = len(data)
        for bits in generator.randbytes(2 * count)[::2]:
            value = exponent | (bits & 0x7F) | (sign if bits & 0x80 else 0)
            data += value.to_bytes(2, "little")
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [first, len(data)]}
    text = json.dumps(header).encode()
    args.output.write_bytes(len(text).to_bytes(8, "little") + text + data)


if __name__ == "__main__":
    main()
