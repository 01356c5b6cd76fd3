"""q4f16_1 and its kind: groups of a row share a scale, elements are packed into words.

An element is an unsigned integer of `bits` bits; ``bits`` 4 and 32-bit words give 8 to a word, the
first in the lowest bits. Its value is ``(integer - (2 ** (bits - 1) - 1)) * scale of its group``.
Groups run along the row (the ``NK`` layout of upstream's ``_1`` names).
"""

from __future__ import annotations

from tvm import tirx
from tvm.relax.frontend import nn

from tools.compiler.quantization.base import Quantization


class GroupQuantization(Quantization):
    """``q_weight``: packed words; ``q_scale``: one scale of the model's dtype a group.

    Attributes:
        bits: Bits of an element.
        group_size: Elements that share a scale; a multiple of the elements in a word.
        storage_dtype: dtype of a word, for example ``uint32``.
    """

    decodes = True

    def __init__(
        self,
        name: str,
        model_dtype: str,
        compute_dtype: str,
        bits: int,
        group_size: int,
        storage_dtype: str,
    ) -> None:
        super().__init__(name, model_dtype, compute_dtype)
        self.bits = bits
        self.group_size = group_size
        self.storage_dtype = storage_dtype
        self.elements_per_word = int(storage_dtype.removeprefix("uint")) // bits

    def parameters(self, rows, columns):
        groups = -(-columns // self.group_size)
        words = groups * (self.group_size // self.elements_per_word)
        return {
            "q_weight": nn.Parameter((rows, words), self.storage_dtype),
            "q_scale": nn.Parameter((rows, groups), self.model_dtype),
        }

    def element(self, stored, row, column):
        words, scales = stored
        shift = (column % self.elements_per_word * self.bits).astype(self.storage_dtype)
        mask = tirx.const((1 << self.bits) - 1, self.storage_dtype)
        word = words[row, column // self.elements_per_word]
        integer = tirx.bitwise_and(tirx.shift_right(word, shift), mask)
        zero = tirx.const((1 << (self.bits - 1)) - 1, self.compute_dtype)
        scale = scales[row, column // self.group_size].astype(self.compute_dtype)
        # By way of int32: x86-64-v3 has no conversion from unsigned integers to floats.
        return (integer.astype("int32").astype(self.compute_dtype) - zero) * scale
