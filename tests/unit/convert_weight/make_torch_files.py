"""Writes data/*.bin with PyTorch, which the tests do not need: ``python make_torch_files.py``.

pip install torch==2.13.0
"""

from __future__ import annotations

from pathlib import Path

import torch

DATA = Path(__file__).parent / "data"


def main() -> None:
    """Writes a file of every kind of tensor, one of another format, and one that runs code."""
    matrix = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8
    whole = torch.arange(20, dtype=torch.float16)
    tensors = {
        "float32": matrix,
        "transposed": matrix.T,
        "bfloat16": matrix.bfloat16(),
        "parameter": torch.nn.Parameter(matrix.half(), requires_grad=False),
        "first": whole[:5],
        "every_other": whole[5:][::2],
        "empty": torch.zeros(0, 4),
        "scalar": torch.tensor(0.5),
        "mask": torch.ones(2, 2, dtype=torch.bool),
    }
    module = torch.nn.Linear(2, 2)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        module.bias.copy_(torch.tensor([5.0, 6.0]))
    torch.save(tensors, DATA / "tensors.bin")
    # A state_dict is an OrderedDict with an attribute.
    torch.save(module.state_dict(), DATA / "state_dict.bin")
    torch.save(module.state_dict(), DATA / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(module, DATA / "module.bin")


if __name__ == "__main__":
    main()
