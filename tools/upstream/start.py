"""Run the command line of mlc_llm without its engine: as ``python -m mlc_llm``, but for `__init__`.

Run with the interpreter of upstream's environment; it uses the standard library. The package's
``__init__`` would import the engine, and with it a native library that sources have not, and
packages that no compile needs.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys


def leave_out_engine() -> None:
    """Makes mlc_llm a package whose ``__init__`` is not run."""
    spec = importlib.util.find_spec("mlc_llm")
    assert spec is not None, "the environment was probed for it"
    sys.modules["mlc_llm"] = importlib.util.module_from_spec(spec)


if __name__ == "__main__":
    # The directory of this file, whose modules are not upstream's.
    del sys.path[0]
    leave_out_engine()
    runpy.run_module("mlc_llm.__main__", run_name="__main__", alter_sys=True)
