"""Source of kernels on its way from TVM's code generators into a library."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

import tvm_ffi

_DECLARATION = re.compile(r"^__kernel void \w+\([^;{}]*\);\n", re.MULTILINE)


@contextlib.contextmanager
def edit_source(kind: str, edit: Callable[[str], str]) -> Iterator[None]:
    """Puts what `edit` returns in place of the source that TVM generates in this context.

    Args:
        kind: ``cuda`` or ``opencl``.
        edit: Takes the source: of a library's kernels for CUDA, of one kernel for OpenCL.
    """
    name = f"tvm_callback_{kind}_postproc"
    tvm_ffi.register_global_func(name, lambda source, _target: edit(source), override=True)
    try:
        yield
    finally:
        tvm_ffi.registry.remove_global_func(name)


def without_declarations(source: str) -> str:
    """Returns an OpenCL kernel's source without the declarations of kernels.

    TVM begins it with those of all kernels of the library, though no kernel calls another; with
    forty of them that is half of what a library carries and a driver reads.
    """
    return _DECLARATION.sub("", source)
