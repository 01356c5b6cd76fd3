"""Products with a weight on a CPU, of one row and of many.

The lanes of a vector run along the sum. So a row of the weight is read as it is stored and decoded
in registers, as whole vectors (`tools.compiler.quantization.vectors`), and lanes are added up once,
at the end of a sum.
"""

from __future__ import annotations

from tvm import te, tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812
from tvm.target import Target
from tvm.target.codegen import llvm_cpu_has_features

from tools.compiler.layers.epilogue import NOTHING, Epilogue
from tools.compiler.layers.lanes import everywhere, halved
from tools.compiler.layers.loops import loops, only_if
from tools.compiler.quantization.vectors import RowVectors

ONE_ROW_LANES = 16
"""Lanes that a product of one row sums side by side: two AVX2 vectors, to hide latency."""

TILE_ROWS = 4
"""Rows of the left side that a product of many rows multiplies side by side."""

TILE_COLUMNS = 3
"""Rows of the weight of the same: 4 x 3 sums, 3 weights and a left side are 16 registers."""

DECODED = 1 << 16
"""About how many elements of the weight are decoded at once: 256 KB, which caches hold."""

MOST_DECODED_ROWS = 30
"""Of the weight, at once; with more, threads would get too few parts."""


def lanes_of_register(target: Target) -> int:
    """Returns how many float32 lie in a register of a CPU, by its declared features."""
    if llvm_cpu_has_features("avx512f", target):
        return 16
    return 8 if llvm_cpu_has_features("avx2", target) else 4


def cpu_product(
    x: te.Tensor,
    stored: list[te.Tensor],
    vectors: RowVectors,
    out_dtype: str,
    epilogue: Epilogue = NOTHING,
) -> te.Tensor:
    """Returns ``x @ weight.T``, multiplied and summed in float32, and what follows.

    Args:
        x: ``(rows, columns)``; the number of rows is 1 or dynamic.
        stored: The tensors that hold the weight, and those of the epilogue.
        vectors: How its rows are read from them.
        out_dtype: dtype of the result.
        epilogue: What follows the product.
    """
    rows, out_features = x.shape[0], stored[0].shape[0]
    is_one = isinstance(rows, tirx.IntImm)
    padded = rows if is_one else tirx.ceildiv(rows, TILE_ROWS) * TILE_ROWS
    # After a row's vectors come what the weight's zero adds to the sum of a chunk.
    positions = vectors.positions + 1 if is_one else vectors.positions
    left = te.extern(
        [(padded, vectors.chunks, positions, vectors.lanes)],
        [x],
        loops(lambda inputs, outputs: _in_order(*inputs, *outputs, vectors)),
        dtype=["float32"],
        name="left",
    )
    kernel = _one_row if is_one else _many_rows
    return te.extern(
        [(rows, out_features)],
        [left, *stored],
        loops(lambda inputs, outputs: kernel(inputs[0], inputs[1:], *outputs, vectors, epilogue)),
        dtype=[out_dtype],
        name="cpu_product",
    )


def _in_order(x: tirx.Buffer, left: tirx.Buffer, vectors: RowVectors) -> None:
    """Puts the elements of `x` into the order of the weight's, multiplied by their factors.

    Rows and columns beyond the last are one of the former, and zeros.
    """
    has_sums = left.shape[2] != vectors.positions
    loop = T.serial if has_sums else T.parallel
    is_full = vectors.chunks * vectors.positions * vectors.lanes == vectors.columns
    with (
        loop(0, left.shape[0]) as padded_row,
        T.serial(0, vectors.chunks) as chunk,
        T.vectorized(0, vectors.lanes) as lane,
    ):
        row = 0 if has_sums else tirx.min(padded_row, x.shape[0] - 1)
        elements = []
        for position in range(vectors.positions):
            column = vectors.column(chunk, position, lane)
            if is_full:
                element = x[row, column].astype("float32")
            else:
                inside = x[row, tirx.min(column, vectors.columns - 1)].astype("float32")
                element = tirx.Select(column < vectors.columns, inside, T.float32(0))
            T.buffer_store(left, element, [padded_row, chunk, position, lane])
            elements.append(left[padded_row, chunk, position, lane])
        if has_sums:
            total = sum(elements[1:], elements[0]) * T.float32(-vectors.zero)
            T.buffer_store(left, total, [padded_row, chunk, vectors.positions, lane])
        for position, element in enumerate(elements):
            factor = vectors.factor(position)
            if factor != 1:
                indices = [padded_row, chunk, position, lane]
                T.buffer_store(left, element * T.float32(factor), indices)


def _one_row(
    left: tirx.Buffer, stored: list, out: tirx.Buffer, vectors: RowVectors, epilogue: Epilogue
) -> None:
    """Each thread reads a range of rows of the weight, one after another, as they lie in memory.

    Two rows side by side would be twice as many streams, half as long: the prefetchers of CPUs
    lose more than is won.
    """
    lanes, ramp = vectors.lanes, tirx.Ramp(0, 1, vectors.lanes)
    with T.parallel(0, out.shape[1]) as row:
        total = T.alloc_buffer([lanes], "float32")
        part = T.alloc_buffer([lanes], "float32")
        T.buffer_store(total, everywhere(0, lanes), [ramp])
        with T.serial(0, vectors.chunks) as chunk:
            T.buffer_store(part, left[0, chunk, vectors.positions, ramp], [ramp])
            for position in range(vectors.positions):
                digits = vectors.digits(stored, row, chunk, position)
                product = digits * left[0, chunk, position, ramp]
                T.buffer_store(part, part[ramp] + product, [ramp])
            scaled = vectors.scaled(part[ramp], stored, row, chunk)
            T.buffer_store(total, total[ramp] + scaled, [ramp])
        result = epilogue.finish(halved(total[ramp], lanes), stored, row)
        T.buffer_store(out, result.astype(out.dtype), [0, row])


def _many_rows(
    left: tirx.Buffer, stored: list, out: tirx.Buffer, vectors: RowVectors, epilogue: Epilogue
) -> None:
    """Each thread decodes some rows of the weight once, and runs over the rows of the left side."""
    rows, out_features = out.shape
    lanes, ramp = vectors.lanes, tirx.Ramp(0, 1, vectors.lanes)
    fitting = DECODED // (vectors.chunks * vectors.positions * lanes) // TILE_COLUMNS
    tiles = max(1, min(MOST_DECODED_ROWS // TILE_COLUMNS, fitting))
    places = [(r, c) for r in range(TILE_ROWS) for c in range(TILE_COLUMNS)]
    with T.parallel(0, tirx.ceildiv(out_features, tiles * TILE_COLUMNS)) as block:
        shape = [tiles, vectors.chunks, vectors.positions, TILE_COLUMNS, lanes]
        decoded = T.alloc_buffer(shape, "float32")
        first = T.bind(block * (tiles * TILE_COLUMNS))
        with T.serial(0, tiles) as tile, T.serial(0, vectors.chunks) as chunk:
            for c in range(TILE_COLUMNS):
                # Rows beyond the last are computed as it is, and not stored.
                row = T.bind(tirx.min(first + tile * TILE_COLUMNS + c, out_features - 1))
                for position in range(vectors.positions):
                    zero = vectors.zero / vectors.factor(position)
                    digits = vectors.digits(stored, row, chunk, position)
                    digits = digits - everywhere(zero, lanes)
                    scaled = vectors.scaled(digits, stored, row, chunk)
                    T.buffer_store(decoded, scaled, [tile, chunk, position, c, ramp])
        with (
            T.serial(0, tirx.ceildiv(rows, TILE_ROWS)) as row_tile,
            T.serial(0, tiles) as tile,
        ):
            sums = T.alloc_buffer([TILE_ROWS, TILE_COLUMNS, lanes], "float32")
            for r, c in places:
                T.buffer_store(sums, everywhere(0, lanes), [r, c, ramp])
            with T.serial(0, vectors.chunks) as chunk:
                for position in range(vectors.positions):
                    weights = [
                        T.bind(decoded[tile, chunk, position, c, ramp]) for c in range(TILE_COLUMNS)
                    ]
                    for r, c in places:
                        factors = left[row_tile * TILE_ROWS + r, chunk, position, ramp]
                        T.buffer_store(sums, sums[r, c, ramp] + factors * weights[c], [r, c, ramp])
            for r, c in places:
                row, column = row_tile * TILE_ROWS + r, first + tile * TILE_COLUMNS + c
                with only_if(row < rows, column < out_features):
                    total = halved(sums[r, c, ramp], lanes)
                    result = epilogue.finish(total, stored, column)
                    T.buffer_store(out, result.astype(out.dtype), [row, column])
