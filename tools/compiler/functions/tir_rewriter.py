"""Rewrites statements of a kernel that TVM has made."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from tvm import s_tir, tirx
from tvm.ir import Var

Scope = dict[str, Var]
"""Variables and buffers by name: those that a statement may use."""


def rewrite(
    kernel: tirx.PrimFunc, replace: Callable[[tirx.Stmt, Scope], tirx.Stmt]
) -> tirx.PrimFunc:
    """Returns the kernel with other statements.

    Args:
        kernel: What TVM has made, with blocks.
        replace: Takes a statement whose parts have been replaced, and what it may use; returns
            the statement in its place.
    """
    scope = {parameter.name: parameter for parameter in kernel.params}
    return kernel.with_body(_rewritten(kernel.body, scope, replace))


def _rewritten(statement: tirx.Stmt, scope: Scope, replace: Callable) -> tirx.Stmt:
    if isinstance(statement, tirx.SeqStmt):
        parts = []
        scope = dict(scope)
        for part in statement.seq:
            parts.append(_rewritten(part, scope, replace))
            if isinstance(part, tirx.Bind):
                scope[part.var.name] = part.var
        return replace(tirx.SeqStmt(parts, statement.span), scope)
    if isinstance(statement, tirx.IfThenElse):
        return replace(
            tirx.IfThenElse(
                statement.condition,
                _rewritten(statement.then_case, scope, replace),
                statement.else_case and _rewritten(statement.else_case, scope, replace),
                statement.span,
            ),
            scope,
        )
    if isinstance(statement, s_tir.SBlockRealize):
        block = _rewritten(statement.block, scope, replace)
        return s_tir.SBlockRealize(
            statement.iter_values, statement.predicate, block, statement.span
        )
    if not hasattr(statement, "body"):
        return replace(statement, scope)
    inner = dict(scope)
    if isinstance(statement, tirx.For):
        inner[statement.loop_var.name] = statement.loop_var
    if isinstance(statement, s_tir.SBlock):
        variables = [iterator.var for iterator in statement.iter_vars]
        inner |= {var.name: var for var in [*variables, *statement.alloc_buffers]}
    return replace(with_body(statement, _rewritten(statement.body, inner, replace)), scope)


def with_body(statement: tirx.Stmt, body: tirx.Stmt) -> tirx.Stmt:
    """Returns a loop or a block with another body."""
    names = list(inspect.signature(type(statement).__init__).parameters)[1:]
    fields = {name: getattr(statement, name) for name in names}
    return type(statement)(**{**fields, "body": body})
