"""What kernels for CPUs do with the lanes of a vector."""

from __future__ import annotations

import math
from collections.abc import Callable

from tvm import tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

_MIN_EXPONENT = -126.0


def everywhere(value: float | tirx.Expr, lanes: int, dtype: str = "float32") -> tirx.Expr:
    """Returns a vector of equal numbers; a number where it has one lane."""
    number = value if isinstance(value, tirx.Expr) else tirx.const(value, dtype)
    return number if lanes == 1 else tirx.Broadcast(number, lanes)


def neighbours(first: int | tirx.Expr, lanes: int) -> tirx.Expr | int:
    """Returns the index of a vector in a buffer; of an element where it has one lane."""
    return first if lanes == 1 else tirx.Ramp(first, 1, lanes)


def halved(vector: tirx.Expr, lanes: int, combine: Callable = tirx.Add) -> tirx.Expr:
    """Returns the lanes of a vector, a power of two, combined into one number."""
    while lanes > 1:
        vector = T.bind(vector)
        lanes //= 2
        low, high = range(lanes), range(lanes, 2 * lanes)
        vector = combine(tirx.Shuffle([vector], list(low)), tirx.Shuffle([vector], list(high)))
    return T.bind(vector)


def transposed(vectors: list[tirx.Expr]) -> list[tirx.Expr]:
    """Returns the columns of rows: as many vectors as each has lanes, a power of two."""
    lanes = len(vectors)
    vectors = [T.bind(vector) for vector in vectors]
    apart = lanes // 2
    while apart:
        for i in (i for i in range(lanes) if not i & apart):
            pair = [vectors[i], vectors[i + apart]]
            # Of the second vector, lanes are counted from the first's last.
            low = [lane + (lanes - apart if lane & apart else 0) for lane in range(lanes)]
            high = [lane + (lanes if lane & apart else apart) for lane in range(lanes)]
            vectors[i] = T.bind(tirx.Shuffle(pair, low))
            vectors[i + apart] = T.bind(tirx.Shuffle(pair, high))
        apart //= 2
    return vectors


def rounded_to_int16(x: tirx.Expr, lanes: int) -> tirx.Expr:
    """Returns the nearest integers, bound to a variable."""
    whole = tirx.floor(x + everywhere(0.5, lanes))
    count = "" if lanes == 1 else f"x{lanes}"
    return T.bind(whole.astype(f"int32{count}").astype(f"int16{count}"))


def exp2(x: tirx.Expr, lanes: int) -> tirx.Expr:
    """Returns 2 to the power of numbers of at most 0, with an error of 1e-7 of it.

    The power of the nearest integer is put together from its bits; that of the rest, which is at
    most a half, is a Taylor series.
    """
    x = T.bind(tirx.Max(x, everywhere(_MIN_EXPONENT, lanes)))
    whole = T.bind(tirx.floor(x + everywhere(0.5, lanes)))
    rest = T.bind(x - whole)
    series = everywhere(0, lanes)
    for power in reversed(range(8)):
        series = series * rest + everywhere(math.log(2) ** power / math.factorial(power), lanes)
    bits = whole.astype(f"int32x{lanes}") + everywhere(127, lanes, "int32")
    bits = tirx.shift_left(bits, everywhere(23, lanes, "int32"))
    return series * tirx.reinterpret(f"float32x{lanes}", bits)
