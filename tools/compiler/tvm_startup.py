"""Spares a compilation what TVM does on starting and parsing that it has no use for.

Neither changes what is compiled. Both act on Python's own machinery rather than on TVM, and go
with the pinned version of TVM.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator

_TENSOR_INTRINSICS = "tvm.s_tir.tensor_intrin"


def skip_unused_tensor_intrinsics() -> None:
    """Makes importing one target's tensor intrinsics import that target's alone.

    The package's ``__init__`` parses those of all targets, which takes ten times as long as
    compiling a model for a GPU that needs one of them. Calling this again does nothing.
    """
    if _TENSOR_INTRINSICS not in sys.modules:
        spec = importlib.util.find_spec(_TENSOR_INTRINSICS)
        sys.modules[_TENSOR_INTRINSICS] = importlib.util.module_from_spec(spec)


@contextlib.contextmanager
def fast_stack() -> Iterator[None]:
    """Replaces `inspect.stack` and `inspect.getouterframes`, while the context lasts.

    TVMScript's parser calls them for every function and macro, to find names in the callers'
    frames. The standard ones also find and read the source file of every frame, which searches
    all loaded modules; the parser uses that for classes only, of which there are none here.
    """
    stack, getouterframes = inspect.stack, inspect.getouterframes
    inspect.stack = lambda context=1: _frames(sys._getframe(1))
    inspect.getouterframes = lambda frame, context=1: _frames(frame)
    try:
        yield
    finally:
        inspect.stack, inspect.getouterframes = stack, getouterframes


def _frames(frame) -> list[inspect.FrameInfo]:
    frames = []
    while frame is not None:
        code = frame.f_code
        frames.append(
            inspect.FrameInfo(frame, code.co_filename, frame.f_lineno, code.co_name, None, None)
        )
        frame = frame.f_back
    return frames
