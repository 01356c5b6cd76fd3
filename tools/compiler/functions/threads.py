"""Loops of kernels that come scheduled: blocks of threads on a GPU, plain loops on a CPU."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from tvm.script import tirx as T  # noqa: N812
from tvm.target import Target

MAX_THREADS = 256
"""Threads of a block on a GPU; every GPU that TVM knows allows as many."""


@dataclasses.dataclass(frozen=True)
class ThreadLoops:
    """What TVMScript is given in place of loops, so that one text makes both kinds of kernel.

    Attributes:
        blocks: The outer loop, over blocks.
        threads: The inner loop, over the threads of a block.
        count: Number of the latter.
        shared: Storage scope of what the threads of a block share.
        barrier: Waits for the threads of a block.
    """

    blocks: Callable
    threads: Callable
    count: int
    shared: str
    barrier: Callable


def thread_loops(target: Target) -> ThreadLoops:
    """Returns the loops for `target`."""
    if target.kind.name == "llvm":
        return ThreadLoops(T.serial, T.serial, 1, "global", lambda: T.evaluate(0))
    return ThreadLoops(
        functools.partial(T.thread_binding, thread="blockIdx.x"),
        functools.partial(T.thread_binding, thread="threadIdx.x"),
        MAX_THREADS,
        "shared",
        lambda: T.tvm_storage_sync("shared"),
    )
