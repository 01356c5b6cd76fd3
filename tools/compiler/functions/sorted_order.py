"""The order of every row's probabilities, on any device."""

from __future__ import annotations

from tvm import tirx
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.functions.threads import ThreadLoops


def sorted_order(loops: ThreadLoops) -> tirx.PrimFunc:
    """Returns the kernels ``(probs, orders)``; ``orders[0]`` gets indices, the greatest first.

    ``probs`` is float32 ``(batch_size, vocab_size)``, ``orders`` int32
    ``(2, batch_size, vocab_size)``; its second part is scratch. Equal probabilities stay in their
    order, and what is no number comes first or last: a row of the result has every index once.

    Each element counts which of a tile of a block's size come before it; then sorted runs are
    merged two by two, where each element finds its place in the other run by a binary search.
    Threads wait for each other but once, and the source is short. That of TVM's sort is unrolled:
    a browser takes more than an hour to compile it.

    Args:
        loops: Where the kernels run.
    """
    count, barrier = loops.count, loops.barrier
    # Each makes runs twice as long. No run is longer than an int32 can be.
    steps = (32 - count.bit_length()) // 2 * 2

    def tiles(size):
        return (size + (count - 1)) // count

    @T.prim_func(private=True, s_tir=True)
    def sorted_order(probs_handle: T.handle, orders_handle: T.handle):
        T.func_attr({"tirx.is_scheduled": True, "tirx.noalias": True})
        batch_size, vocab_size = T.int32(), T.int32()
        probs = T.match_buffer(probs_handle, (batch_size, vocab_size), "float32")
        orders = T.match_buffer(orders_handle, (2, batch_size, vocab_size), "int32")
        with T.sblock("root"):
            keys = T.sblock_alloc_buffer((count,), "int32", scope=loops.shared)
            rank = T.sblock_alloc_buffer((1,), "int32", scope="local")
            low = T.sblock_alloc_buffer((1,), "int32", scope="local")
            high = T.sblock_alloc_buffer((1,), "int32", scope="local")
            middle = T.sblock_alloc_buffer((1,), "int32", scope="local")
            for block in loops.blocks(batch_size * tiles(vocab_size)):
                for thread in loops.threads(count):
                    with T.sblock("rank"):
                        T.reads(probs[0:batch_size, 0:vocab_size])
                        T.writes(orders[0, 0:batch_size, 0:vocab_size])
                        row: T.let[T.int32] = T.truncdiv(block, tiles(vocab_size))
                        first: T.let[T.int32] = T.truncmod(block, tiles(vocab_size)) * count
                        # Bits of numbers that are not negative have the order of the numbers.
                        if first + thread < vocab_size:
                            keys[thread] = T.reinterpret("int32", probs[row, first + thread])
                        barrier()
                        if first + thread < vocab_size:
                            rank[0] = 0
                            for i in T.serial(T.min(count, vocab_size - first)):
                                rank[0] = rank[0] + T.Cast(
                                    "int32",
                                    keys[i] > keys[thread]
                                    or (keys[i] == keys[thread] and i < thread),
                                )
                            orders[0, row, first + rank[0]] = first + thread
            for step in T.serial(steps):
                # Of two steps both are made, and the last leaves its result in the first part.
                if T.shift_left(count, T.bitwise_and(step, -2)) < vocab_size:
                    for block in loops.blocks(batch_size * tiles(vocab_size)):
                        for thread in loops.threads(count):
                            with T.sblock("merge"):
                                T.reads(
                                    probs[0:batch_size, 0:vocab_size],
                                    orders[0:2, 0:batch_size, 0:vocab_size],
                                )
                                T.writes(orders[0:2, 0:batch_size, 0:vocab_size])
                                row: T.let[T.int32] = T.truncdiv(block, tiles(vocab_size))
                                at: T.let[T.int32] = (
                                    T.truncmod(block, tiles(vocab_size)) * count + thread
                                )
                                if at < vocab_size:
                                    width: T.let[T.int32] = T.shift_left(count, step)
                                    start: T.let[T.int32] = T.truncdiv(at, 2 * width) * (2 * width)
                                    border: T.let[T.int32] = T.min(start + width, vocab_size)
                                    end: T.let[T.int32] = T.min(border + width, vocab_size)
                                    key: T.let[T.int32] = T.reinterpret(
                                        "int32", probs[row, orders[T.bitwise_and(step, 1), row, at]]
                                    )
                                    low[0] = T.if_then_else(at < border, border, start)
                                    high[0] = T.if_then_else(at < border, end, border)
                                    while low[0] < high[0]:
                                        middle[0] = (low[0] + high[0]) // 2
                                        other: T.let[T.int32] = T.reinterpret(
                                            "int32",
                                            probs[
                                                row, orders[T.bitwise_and(step, 1), row, middle[0]]
                                            ],
                                        )
                                        if other > key or (other == key and at >= border):
                                            low[0] = middle[0] + 1
                                        else:
                                            high[0] = middle[0]
                                    orders[
                                        1 - T.bitwise_and(step, 1), row, at - border + low[0]
                                    ] = orders[T.bitwise_and(step, 1), row, at]

    return sorted_order
