"""How a CPU's products of integers read a row of a packed weight.

A half of a 32-bit word is a lane of 16 bits, and a mask yields what all halves have at a position:
digits, as vectors of int16. An instruction multiplies such vectors and adds up neighbours, which
are the halves of a word; so a word has a sum of its own, and groups of words share a scale.
"""

from __future__ import annotations

from tvm import tirx


class PackedIntegers:
    """Rows of 32-bit words, the first of whose elements is in the lowest bits, and of scales.

    An element is ``(digit - zero) * scale``.

    Args:
        words: Words of a row, all elements of which count.
        lanes: Words that are read at once.
        words_per_scale: Words that share a scale.
        bits: Bits of an element.

    Attributes:
        chunks: Parts of a row, `lanes` words each.
        positions: Digits of half a word.
        lanes: Words, and sums, of a chunk.
        words_per_scale: Words that share a scale.
        scales: Scales of a chunk.
        bits: Bits of a digit.
        zero: The digit that stands for 0.
    """

    def __init__(self, words: int, lanes: int, words_per_scale: int, bits: int) -> None:
        self.chunks = words // lanes
        self.positions = 32 // bits // 2
        self.lanes = lanes
        self.words_per_scale = words_per_scale
        self.scales = lanes // words_per_scale
        self.bits = bits
        self.zero = (1 << (bits - 1)) - 1

    @property
    def steps(self) -> int:
        """Vectors of a row."""
        return self.chunks * self.positions

    @property
    def elements(self) -> int:
        """Elements of a chunk."""
        return 2 * self.lanes * self.positions

    def columns(self, position: int) -> list[int]:
        """Returns the columns of a position's digits, counted from the chunk's first."""
        return [lane * self.positions + position for lane in range(2 * self.lanes)]

    def pairs(self) -> list[int]:
        """Returns the same of a word after another: at each position those of its halves."""
        return [
            (2 * word + half) * self.positions + position
            for word in range(self.lanes)
            for position in range(self.positions)
            for half in range(2)
        ]

    def words(self, stored: list, row: tirx.Expr, chunk: tirx.Expr) -> tirx.Expr:
        """Returns the words of a chunk."""
        return stored[0][row, tirx.Ramp(chunk * self.lanes, 1, self.lanes)]

    def halves(self, words: tirx.Expr) -> tirx.Expr:
        """Returns the halves of words, each with its digits from the lowest bit on."""
        used = self.positions * self.bits
        if used < 16:
            # The second half begins in the first, which it leaves.
            low = words & self._words(0xFFFF >> (16 - used))
            words = low | ((words << self._words(16 - used)) & self._words(0xFFFF0000))
        return tirx.reinterpret(f"uint16x{2 * self.lanes}", words)

    def digits(self, halves: tirx.Expr, position: int, first_bit: int) -> tirx.Expr:
        """Returns the digits at a position times ``2 ** first_bit``, as int16."""
        shift = first_bit - position * self.bits
        lanes = 2 * self.lanes
        if shift:
            by = tirx.Broadcast(tirx.const(abs(shift), "uint16"), lanes)
            halves = halves << by if shift > 0 else halves >> by
        mask = tirx.const(((1 << self.bits) - 1) << first_bit, "uint16")
        return tirx.reinterpret(f"int16x{lanes}", halves & tirx.Broadcast(mask, lanes))

    def scales_from(self, stored: list, row: tirx.Expr, first: tirx.Expr, count: int) -> tirx.Expr:
        """Returns some scales of a row, from chunk `first` on, as float32."""
        index = first * self.scales
        if count > 1:
            return stored[1][row, tirx.Ramp(index, 1, count)].astype(f"float32x{count}")
        return stored[1][row, index].astype("float32")

    def of_lanes(self, scales: tirx.Expr, chunk: int, count: int, lanes: int) -> tirx.Expr:
        """Returns the scales of a chunk, each for its share of a vector's lanes.

        Args:
            scales: Of some chunks.
            chunk: Which of them.
            count: How many scales there are.
            lanes: Of the result.
        """
        if count == 1:
            return tirx.Broadcast(scales, lanes)
        share = lanes // self.scales
        # A shuffle has no more lanes than what it takes.
        copies = [scales] * -(-lanes // count)
        return tirx.Shuffle(copies, [chunk * self.scales + lane // share for lane in range(lanes)])

    def _words(self, value: int) -> tirx.Expr:
        return tirx.Broadcast(tirx.const(value, "uint32"), self.lanes)
