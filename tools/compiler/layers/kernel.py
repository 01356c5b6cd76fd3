"""Calls of kernels that are written as tensor expressions, each made once."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Hashable, Iterator, Sequence

from tvm import relax, te, tirx
from tvm.relax.frontend import nn

OUT_EWISE_FUSABLE = 4
"""TVM's ``OpPatternKind`` of a matrix product: element-wise consumers may be fused into it."""

OPAQUE = 8
"""TVM's ``OpPatternKind`` of a kernel that is not fused with others."""

_calls: contextvars.ContextVar[dict[Hashable, tuple[relax.Call, list]]]
_calls = contextvars.ContextVar("calls")


@contextlib.contextmanager
def kernel_cache() -> Iterator[None]:
    """Keeps the kernels that are made in this context, which is the export of one model.

    A model's layers are alike. Making the TIR of every call anew, to find that it is the TIR of
    the layer before, is most of the time that a deep model would take to compile.
    """
    token = _calls.set({})
    try:
        yield
    finally:
        _calls.reset(token)


def call_kernel(
    compute: Callable[..., te.Tensor],
    name: str,
    arguments: Sequence[nn.Tensor],
    *,
    key: Hashable = (),
    op_pattern: int | None = None,
    is_scheduled: bool = False,
) -> nn.Tensor:
    """Emits a call of the kernel `compute` on `arguments`.

    Args:
        compute: Takes the arguments as tensor expressions, returns the result as one. Sizes are
            read from its arguments' shapes.
        name: Name of the TIR function.
        arguments: Tensors.
        key: Everything but the arguments' shapes and dtypes that `compute` depends on.
        op_pattern: Of the TIR function, where TVM's own analysis is to be overruled.
        is_scheduled: Whether the kernel is made of loops that are to stay as they are.
    """
    calls = _calls.get()
    expressions = [argument._expr for argument in arguments]
    shapes = [expression.ty.shape.values for expression in expressions]
    # A size is an object of TVM, whose hash is its identity: one function's variables.
    cache_key = (
        name,
        key,
        tuple(
            (str(e.ty.dtype), *map(_size_key, s)) for e, s in zip(expressions, shapes, strict=True)
        ),
    )
    builder = relax.BlockBuilder.current()
    if cache_key in calls:
        made, _ = calls[cache_key]
        arguments = [made.args[0], relax.Tuple(expressions), *made.args[2:]]
        call = relax.Call(made.op, arguments, made.attrs, made.ty_args)
    else:
        attributes = {} if op_pattern is None else {"op_pattern": op_pattern}
        if is_scheduled:
            attributes["tirx.is_scheduled"] = True
        call = builder.call_te(
            compute, *expressions, primfunc_name_hint=name, primfunc_attrs=attributes
        )
        # The shapes are kept so that no other variable gets the identity of one of theirs.
        calls[cache_key] = call, shapes
    return nn.Tensor(_expr=builder.emit(call, name_hint=name))


def _size_key(size: tirx.Expr) -> Hashable:
    return int(size) if isinstance(size, tirx.IntImm) else ("expression", hash(size))
