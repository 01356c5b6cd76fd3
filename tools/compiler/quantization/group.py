"""q4f16_1 and its kind: groups of a row share a scale, elements are packed into words.

An element is an unsigned integer of `bits` bits; 32-bit words hold 8 of 4 bits, or 10 of 3 bits,
the first in the lowest bits. Its value is
``(integer - (2 ** (bits - 1) - 1)) * scale of its group``.

Words and groups run along the row of a weight, which they fill up to a whole group. Upstream's
names that end in ``_1`` store a row of words for a row of the weight (``NK``), those that end in
``_0`` store the transpose of that (``KN``).
"""

from __future__ import annotations

from tvm import tirx
from tvm.relax.frontend import nn

from tools.compiler.quantization.base import Quantization
from tools.compiler.quantization.integers import PackedIntegers
from tools.compiler.quantization.none import NoQuantization
from tools.compiler.quantization.vectors import PackedVectors, lanes_of


class GroupQuantization(Quantization):
    """``q_weight``: packed words; ``q_scale``: one scale of the model's dtype a group.

    Attributes:
        bits: Bits of an element.
        group_size: Elements that share a scale; a multiple of the elements in a word.
        storage_dtype: dtype of a word, for example ``uint32``.
        layout: ``NK`` or ``KN``.
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
        layout: str,
    ) -> None:
        super().__init__(name, model_dtype, compute_dtype, layout)
        self.bits = bits
        self.group_size = group_size
        self.storage_dtype = storage_dtype
        self.elements_per_word = int(storage_dtype.removeprefix("uint")) // bits

    def parameters(self, rows, columns):
        groups = -(-columns // self.group_size)
        words = self._stored(rows, self._words(columns))
        parameters = {
            "q_weight": nn.Parameter(words, self.storage_dtype),
            "q_scale": nn.Parameter(self._stored(rows, groups), self.model_dtype),
        }
        for parameter in parameters.values():
            parameter.attrs["layout"] = self.layout
        return parameters

    def of_embedding(self):
        return GroupQuantization(
            self.name,
            self.model_dtype,
            self.compute_dtype,
            self.bits,
            self.group_size,
            self.storage_dtype,
            "NK",
        )

    def of_router(self, experts):
        # Upstream leaves such small weights, on which so much depends, as they are.
        if experts > 256:
            return self
        return NoQuantization(self.name, self.model_dtype, self.compute_dtype)

    def row_vectors(self, columns, most_lanes):
        lanes = self._lanes(columns, most_lanes)
        if lanes is None:
            return None
        return PackedVectors(columns, self._words(columns), lanes, self._words_per_scale, self.bits)

    def integers(self, columns, most_lanes):
        lanes = self._lanes(columns, most_lanes)
        # Rounded to integers, float32 would lose bits; and a begun group has words of no columns.
        if lanes is None or self.model_dtype == "float32" or columns % self.group_size:
            return None
        return PackedIntegers(self._words(columns), lanes, self._words_per_scale, self.bits)

    @property
    def _words_per_scale(self) -> int:
        return self.group_size // self.elements_per_word

    def _words(self, columns: int) -> int:
        """Returns how many words a row has."""
        return -(-columns // self.group_size) * self._words_per_scale

    def _lanes(self, columns: int, most: int) -> int | None:
        """Returns how many words of a row are read at once; None where they have to be elements."""
        lanes = lanes_of(self._words(columns), most)
        if self.layout != "NK" or self.storage_dtype != "uint32" or lanes is None:
            return None
        return None if lanes % self._words_per_scale else lanes

    def element(self, stored, row, column):
        words, scales = stored
        shift = (column % self.elements_per_word * self.bits).astype(self.storage_dtype)
        mask = tirx.const((1 << self.bits) - 1, self.storage_dtype)
        word = words[self._stored(row, column // self.elements_per_word)]
        integer = tirx.bitwise_and(tirx.shift_right(word, shift), mask)
        zero = tirx.const((1 << (self.bits - 1)) - 1, self.compute_dtype)
        scale = scales[self._stored(row, column // self.group_size)].astype(self.compute_dtype)
        # By way of int32: x86-64-v3 has no conversion from unsigned integers to floats.
        return (integer.astype("int32").astype(self.compute_dtype) - zero) * scale

    def _stored(self, row, column) -> tuple:
        """Returns sizes, or indices, in the order of the layout."""
        return (column, row) if self.layout == "KN" else (row, column)
