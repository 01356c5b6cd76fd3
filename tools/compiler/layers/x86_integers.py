"""Instructions of x86 that multiply vectors of 16-bit integers."""

from __future__ import annotations

from tvm import tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812
from tvm.target import Target
from tvm.target.codegen import llvm_cpu_has_features

_PAIRS = {
    4: "llvm.x86.sse2.pmadd.wd",
    8: "llvm.x86.avx2.pmadd.wd",
    16: "llvm.x86.avx512.pmaddw.d.512",
}


def most_sums(target: Target) -> int:
    """Returns how many 32-bit sums an instruction makes; 0 where a CPU has none worth using."""
    if target.kind.name != "llvm":
        return 0
    if llvm_cpu_has_features("avx512bw", target):
        return 16
    return 8 if llvm_cpu_has_features("avx2", target) else 0


def sums_of_pairs(left: tirx.Expr, right: tirx.Expr, sums: int) -> tirx.Expr:
    """Returns the products of int16 lanes, those of neighbours added up, as int32.

    Args:
        left: Twice as many lanes as there are sums.
        right: As many.
        sums: 4, 8 or 16.
    """
    return T.call_llvm_pure_intrin(f"int32x{sums}", _PAIRS[sums], left, right)
