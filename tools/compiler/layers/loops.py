"""What kernels that are written as loops have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tvm import tirx
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T  # noqa: N812


@contextlib.contextmanager
def only_if(*conditions: tirx.Expr) -> Iterator[None]:
    """Statements that are run where all conditions hold."""
    with T.If(tirx.all(*conditions)), T.Then():
        yield


def loops(emit: Callable) -> Callable:
    """Returns a function for ``te.extern`` whose statements `emit` emits, by TVM's builder."""

    def built(inputs: list[tirx.Buffer], outputs: list[tirx.Buffer]) -> tirx.Stmt:
        with IRBuilder() as builder:
            emit(list(inputs), list(outputs))
        return builder.get()

    return built
