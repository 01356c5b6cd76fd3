"""The running sum of every row, on any device."""

from __future__ import annotations

from tvm import tirx
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.functions.threads import ThreadLoops


def running_sums(loops: ThreadLoops) -> tirx.PrimFunc:
    """Returns the kernel ``(probs, sums)``, both float32 ``(batch_size, vocab_size)``.

    It stands in for TVM's, which relies on 32 threads that run in lockstep. Here threads wait for
    each other at a barrier. A row is a block's: each thread adds up a part of it, then the parts
    before its own, and goes through its part again.

    However it rounds, a row of ``sums`` does not fall, and rises at no probability that is 0: a
    search in it finds none of those.

    Args:
        loops: Where the kernel runs.
    """
    count, barrier = loops.count, loops.barrier

    @T.prim_func(private=True, s_tir=True)
    def running_sums(probs_handle: T.handle, sums_handle: T.handle):
        T.func_attr({"tirx.is_scheduled": True, "tirx.noalias": True})
        batch_size, vocab_size = T.int32(), T.int32()
        probs = T.match_buffer(probs_handle, (batch_size, vocab_size), "float32")
        sums = T.match_buffer(sums_handle, (batch_size, vocab_size), "float32")
        with T.sblock("root"):
            parts = T.sblock_alloc_buffer((count,), "float32", scope=loops.shared)
            total = T.sblock_alloc_buffer((1,), "float32", scope="local")
            end = T.sblock_alloc_buffer((1,), "float32", scope="local")
            # The last element of a thread's part that is not 0, after which its sum is complete.
            last = T.sblock_alloc_buffer((1,), "int32", scope="local")
            for block in loops.blocks(batch_size):
                for thread in loops.threads(count):
                    with T.sblock("add"):
                        row = T.axis.spatial(batch_size, block)
                        lane = T.axis.spatial(count, thread)
                        T.reads(probs[row, 0:vocab_size])
                        T.writes(sums[row, 0:vocab_size])
                        part: T.let[T.int32] = (vocab_size + (count - 1)) // count
                        total[0] = T.float32(0)
                        last[0] = -1
                        for i in T.serial(part):
                            if lane * part + i < vocab_size and probs[
                                row, lane * part + i
                            ] != T.float32(0):
                                total[0] = total[0] + probs[row, lane * part + i]
                                last[0] = i
                        parts[lane] = total[0]
                        barrier()
                        total[0] = T.float32(0)
                        for i in T.serial(lane):
                            total[0] = total[0] + parts[i]
                        end[0] = total[0] + parts[lane]
                        for i in T.serial(part):
                            if lane * part + i < vocab_size:
                                total[0] = T.min(total[0] + probs[row, lane * part + i], end[0])
                                if i >= last[0]:
                                    total[0] = end[0]
                                sums[row, lane * part + i] = total[0]

    return running_sums
