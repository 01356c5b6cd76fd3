"""Computes the logits in data/ with transformers, which is not used otherwise.

    pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 numpy
    PYTHONPATH=. python tests/golden/make_golden.py [CASE...]

Run it by hand after a change of cases.py or checkpoints.py.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import load_file, save_file

from tests.golden import checkpoints, other_names
from tests.golden.cases import CASES, Case

DATA = Path(__file__).parent / "data"
_GROUP = 32


def shapes_of(name: str) -> dict[str, list[int]]:
    """Returns names and shapes of the tensors that transformers saves for a model."""
    case = CASES[name]
    if name in other_names.SHAPES:
        return other_names.SHAPES[name](case.config)
    config = transformers.AutoConfig.for_model(**case.reference_config)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        tensors = load_file(Path(directory) / "model.safetensors")
    return {tensor: list(tensors[tensor].shape) for tensor in sorted(tensors)}


def dequantized(name: str, values: np.ndarray, model_type: str) -> np.ndarray:
    """Returns what a q4f16_1 library computes with: float16, or 15 multiples of a float16."""
    half = values.astype(np.float16)
    # Norms, biases, and what chooses experts.
    if half.ndim == 1 or name.endswith("gate.weight"):
        return half.astype(np.float32)
    # The linear layers of gpt2 are saved transposed.
    transposed = model_type == "gpt2" and any(part in name for part in (".attn.", ".mlp."))
    axis = 0 if transposed else 1
    rows = np.moveaxis(half, axis, -1)
    result = np.zeros(rows.shape, np.float32)
    for first in range(0, rows.shape[-1], _GROUP):
        group = rows[..., first : first + _GROUP]
        scale = np.abs(group).max(-1, keepdims=True) / np.float16(7)
        steps = np.clip(np.rint(group / scale + np.float16(7)), 0, 14).astype(np.float32)
        result[..., first : first + _GROUP] = (steps - 7) * scale.astype(np.float32)
    return np.moveaxis(result, -1, axis)


def logits(case: Case, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns the last row of each call's logits, then that of each sequence of the batch."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "config.json").write_text(json.dumps(case.reference_config))
        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        save_file(contiguous, Path(directory, "model.safetensors"), {"format": "pt"})
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            directory,
            dtype=torch.float32,
            attn_implementation="eager",
            output_loading_info=True,
        )
    problems = {name: found for name, found in report.items() if found}
    assert not problems, problems
    model.eval()
    rows = []
    with torch.no_grad():
        text, cache = checkpoints.tokens(sum(case.calls), 1), None
        for count in case.calls:
            part, text = text[:count], text[count:]
            out = model(torch.tensor([part]), past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            rows.append(out.logits[0, -1].numpy())
        for seed, count in enumerate(case.batch, 2):
            out = model(torch.tensor([checkpoints.tokens(count, seed)]))
            rows.append(out.logits[0, -1].numpy())
    return np.stack(rows)


def main(names: list[str]) -> None:
    """Writes the files of cases; of all where none is named."""
    for name in names or CASES:
        case = CASES[name]
        shapes = shapes_of(name)
        tensors = checkpoints.weights(case, shapes)
        half = {
            tensor: dequantized(tensor, values, case.config["model_type"])
            for tensor, values in tensors.items()
        }
        as_known = other_names.OF_TRANSFORMERS.get(name, dict)
        results = {
            "q0f32": logits(case, as_known(tensors)),
            "q4f16_1": logits(case, as_known(half)),
        }
        lines = [f"  {json.dumps(each)}: {json.dumps(shape)}" for each, shape in shapes.items()]
        (DATA / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
        np.savez(DATA / f"{name}.npz", **results)
        print(
            name, {key: f"{value.min():.2f} to {value.max():.2f}" for key, value in results.items()}
        )


if __name__ == "__main__":
    main(sys.argv[1:])
