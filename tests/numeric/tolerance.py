"""How far a library's numbers may be from the reference's."""

from __future__ import annotations

import numpy as np

from tools import config

_OF_DTYPE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1.6e-1}

TOLERANCE = {
    name: _OF_DTYPE[config.quantization(name).model_dtype] for name in config.quantizations()
}
"""By quantization; bfloat16 has 3 bits less of mantissa than float16: 8 times its error."""


def check(result: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Compares logits; their differences are absolute."""
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= tolerance
    # The best token is the same, unless another is as good as it.
    second, best = np.moveaxis(np.sort(expected, -1)[..., -2:], -1, 0)
    assert ((result.argmax(-1) == expected.argmax(-1)) | (best - second <= tolerance)).all()
