"""The quantizations that the compiler knows, by the `kind` of their entry in tools/config.

A new quantization of a kind that exists is an entry there and nothing here; a new kind is one
module here and one line in `create_quantization`.
"""

from __future__ import annotations

from tvm.target import Target

from tools import config
from tools.cli import UserError
from tools.compiler.quantization.base import Quantization
from tools.compiler.quantization.group import GroupQuantization
from tools.compiler.quantization.none import NoQuantization


def create_quantization(name: str, target: Target) -> Quantization:
    """Returns the quantization `name` as the code for `target` computes with it.

    A CPU multiplies and sums in float32: it has no fast float16 arithmetic, and sums are more
    precise. A GPU computes in the model's dtype.

    Args:
        name: As in ``mlc-chat-config.json``, for example ``q4f16_1``.
        target: The target that is compiled for.

    Raises:
        UserError: `name` is not known, or this compiler has no code for its kind.
    """
    entry = config.quantization(name)
    compute_dtype = "float32" if target.kind.name == "llvm" else entry.model_dtype
    if entry.kind == "no-quant":
        return NoQuantization(name, entry.model_dtype, compute_dtype)
    if entry.kind == "group-quant":
        return GroupQuantization(
            name,
            entry.model_dtype,
            compute_dtype,
            entry.bits,
            entry.group_size,
            entry.storage_dtype,
            entry.layout,
        )
    raise UserError(
        f"quantization {name}: the compiler has no code for kind {entry.kind!r};"
        " expected no-quant or group-quant"
    )
