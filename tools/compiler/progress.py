"""Where a compilation is: its stage, for the user; its pass, for an error."""

from __future__ import annotations

import sys
import time

import tvm


class Progress:
    """Follows the stages of one compilation.

    Args:
        verbose: Whether the time of each stage goes to stderr.
    """

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._stage: str | None = None
        self._began = 0.0
        self.instrument = _CurrentPass()

    def stage(self, name: str) -> None:
        """Begins the stage `name` and ends the one before."""
        self.finish()
        self._stage = name
        self._began = time.monotonic()

    def finish(self) -> None:
        """Ends the last stage."""
        if self._verbose and self._stage is not None:
            seconds = time.monotonic() - self._began
            print(f"{self._stage}: {seconds:.2f} s", file=sys.stderr)
        self._stage = None
        self.instrument.current = None

    def where(self) -> str:
        """Returns the stage and, inside one, the pass, in words."""
        if self.instrument.current is None:
            return f"stage {self._stage}"
        return f"stage {self._stage}, pass {self.instrument.current}"


@tvm.ir.instrument.pass_instrument
class _CurrentPass:
    """Knows the pass that began last."""

    def __init__(self) -> None:
        self.current: str | None = None

    def run_before_pass(self, _mod: tvm.IRModule, info: tvm.transform.PassInfo) -> None:
        self.current = str(info.name)
