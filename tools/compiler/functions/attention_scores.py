"""Attention whose scores are capped, or that in some layers sees no more than a window.

TVM's kernels know neither. Here they are made to: where a kernel stores a score, it stores another.
The KV cache tells its kernels nothing of a layer but the scale of its scores; a scale that is
negative marks a layer with a window.

The cache is created as one without a window, and keeps all tokens of all layers: the window is in
the kernels alone, by the positions of tokens, and so also holds inside a prefill chunk and for
sequences that were forked.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from collections.abc import Callable

from tvm import tirx
from tvm.ir import Expr, TensorLoad, Var
from tvm.target import Target

from tools.compiler.functions import query_positions
from tools.compiler.functions.tir_rewriter import Scope, rewrite, with_body

MASKED = -5e4
"""What TVM's kernels take for minus infinity."""


@dataclasses.dataclass(frozen=True)
class AttentionScores:
    """What is done to scores besides scaling them and the causal mask.

    Attributes:
        softcap: Scores become ``softcap * tanh(score / softcap)``; None where they stay.
        window: How many tokens, itself among them, a token sees in a layer whose scale is
            negative; None where there is no such layer.
    """

    softcap: float | None = None
    window: int | None = None


def has_scores(name: str) -> bool:
    """Returns whether the kernel of that name, in the module of `TIRPagedKVCache`, has scores.

    Those for a cache that has a window itself do not count: they are never called.
    """
    return name in _KERNELS


def with_scores(
    name: str, kernel: tirx.PrimFunc, scores: AttentionScores, group_size: int, target: Target
) -> tirx.PrimFunc:
    """Returns the kernel with other scores.

    Args:
        name: One that `has_scores`.
        kernel: TVM's.
        scores: What becomes of the scores.
        group_size: How many query heads share a key head.
        target: What the kernel is for.
    """
    parameters = {parameter.name: parameter for parameter in kernel.params}
    scale = parameters["sm_scale"]
    layer_scale = Var("layer_scale", "float32")
    is_full = scores.window is not None and query_positions.must_be_left(name, target)
    rules = (_GPUFull if is_full else _KERNELS[name])(scores, layer_scale < 0, group_size)
    kernel = rewrite(kernel, rules.replace)
    if not rules.done:
        raise ValueError(f"{name}: no score was found in TVM's kernel")
    root = kernel.body.block
    absolute = tirx.Bind(scale, tirx.max(layer_scale, -layer_scale))
    before = [query_positions.leave(parameters)] if is_full else []
    root = with_body(root, tirx.SeqStmt([absolute, *before, root.body]))
    body = type(kernel.body)(kernel.body.iter_values, kernel.body.predicate, root)
    parameters = [
        layer_scale if parameter.same_as(scale) else parameter for parameter in kernel.params
    ]
    return tirx.PrimFunc(parameters, body, kernel.ret_type, kernel.attrs)


class _Rules(abc.ABC):
    """Finds the scores of one form of kernel.

    Args:
        scores: What becomes of them.
        slides: Whether the layer has a window.
        group_size: How many query heads share a key head.

    Attributes:
        done: Whether a score was found.
    """

    def __init__(self, scores: AttentionScores, slides: Expr, group_size: int) -> None:
        self.scores = scores
        self.slides = slides
        self.group_size = group_size
        self.done = False

    @abc.abstractmethod
    def replace(self, statement: tirx.Stmt, scope: Scope) -> tirx.Stmt:
        """Returns a statement's replacement."""

    def capped(self, score: Expr) -> Expr:
        """Returns a score, which kernels have in units of ``log(2)``, capped.

        ``tanh(x)`` is ``1 - 2 / (1 + exp(2 * x))``, which is right for all numbers on all devices.
        """
        self.done = True
        cap = self.scores.softcap
        if cap is None:
            return score
        limit = tirx.const(cap * math.log2(math.e), "float32")
        exponential = tirx.exp2(score * tirx.const(2 / cap, "float32"))
        return limit - 2 * limit / (1 + exponential)

    def hidden(self, distance: Expr) -> Expr:
        """Returns whether a key, so many positions before the query, is outside the window."""
        if self.scores.window is None:
            return tirx.const(False, "bool")
        return tirx.all(self.slides, distance >= self.scores.window)


class _CPUPaged(_Rules):
    """Loops over the rows of the cache; rows outside the window are passed over."""

    def replace(self, statement: tirx.Stmt, scope: Scope) -> tirx.Stmt:
        if isinstance(statement, tirx.For) and statement.loop_var.name == "row_idx":
            sequence = scope["b_idx"] if "b_idx" in scope else scope["b"]
            row = scope.get("curl_q", sequence)
            distance = _at(scope["q_rope_position"], row) - (
                _at(scope["k_rope_pos_offset"], sequence) + statement.loop_var
            )
            seen = tirx.Not(self.hidden(distance))
            return with_body(statement, tirx.IfThenElse(seen, statement.body, None))
        if _stores(statement, "S_val", tirx.Mul):
            return _with_value(statement, self.capped(statement.value))
        return statement


class _CPURagged(_Rules):
    """Queries and keys are rows of the same call."""

    def replace(self, statement: tirx.Stmt, scope: Scope) -> tirx.Stmt:
        if not _stores(statement, "attention_score", tirx.Mul):
            return statement
        if isinstance(statement.value.a, tirx.FloatImm):
            return statement
        return _with_value(statement, self.score(statement.value, scope))

    def score(self, value: Expr, scope: Scope) -> Expr:
        """Returns the score in place of `value`."""
        hidden = self.hidden(scope["q_idx"] - scope["k_idx"])
        return tirx.if_then_else(hidden, tirx.const(MASKED, "float32"), self.capped(value))


class _CPUTree(_CPURagged):
    """A tree of draft tokens is less deep than a window."""

    def score(self, value: Expr, scope: Scope) -> Expr:
        return self.capped(value)


class _GPUTile(_Rules):
    """Works on tiles of scores in shared memory."""

    def replace(self, statement: tirx.Stmt, scope: Scope) -> tirx.Stmt:
        if not _stores(statement, "S_smem", TensorLoad):
            return statement
        row, column = statement.indices
        hidden = self.hidden(self.distance(row, scope["L_kv_start"] + column, scope))
        value = tirx.if_then_else(
            hidden, tirx.const(MASKED, "float32"), self.capped(statement.value)
        )
        return _with_value(statement, value)

    def distance(self, row: Expr, column: Expr, scope: Scope) -> Expr:
        """Returns the positions between a row of the tile and a key, rows of the same call."""
        return (scope["LH_start"] + row) // self.group_size - column


class _GPUTree(_GPUTile):
    """A tree of draft tokens is less deep than a window."""

    def hidden(self, distance: Expr) -> Expr:
        return tirx.const(False, "bool")


class _GPUPaged(_GPUTile):
    """Keys are in the cache; the rows of a tile may be of several sequences that share them."""

    def distance(self, row: Expr, column: Expr, scope: Scope) -> Expr:
        sequence = scope["b_idx"]
        first, end = (_at(scope["q_indptr"], sequence + i) for i in (0, 1))
        query = tirx.min(first + (scope["LH_start"] + row) // self.group_size, end - 1)
        key = _at(scope["k_rope_pos_offset"], sequence) + column
        return _at(scope["q_rope_position"], query) - key


class _GPUFull(_GPUPaged):
    """The same where the positions of queries and first keys have no buffer of their own."""

    def distance(self, row: Expr, column: Expr, scope: Scope) -> Expr:
        first, end = (_at(scope["q_indptr"], scope["b_idx"] + i) for i in (0, 1))
        # Rows of the tile after the last one are not used.
        place = tirx.min(scope["LH_start"] + row, (end - first) * self.group_size - 1)
        query = first + place // self.group_size
        head = scope["by"] * self.group_size + place % self.group_size
        return query_positions.left(scope, query, head) - column


class _GPUDecode(_Rules):
    """One query a sequence; tiles of keys that it does not see are passed over."""

    def replace(self, statement: tirx.Stmt, scope: Scope) -> tirx.Stmt:
        if isinstance(statement, tirx.For) and statement.loop_var.name == "iterator":
            # The extent is a number of rows over those of a tile.
            last = (statement.loop_var + 1) * statement.extent.b - 1
            seen = tirx.Not(self.hidden(self.distance(last, scope)))
            seen = tirx.call_intrin("bool", "tirx.tvm_thread_invariant", seen)
            return with_body(statement, tirx.IfThenElse(seen, statement.body, None))
        if not isinstance(statement, tirx.IfThenElse):
            return statement
        store = statement.then_case
        if not _stores(store, "S_local", TensorLoad):
            return statement
        seen = tirx.Not(self.hidden(self.distance(statement.condition.a, scope)))
        return tirx.IfThenElse(
            tirx.all(statement.condition, seen), _with_value(store, self.capped(store.value)), None
        )

    def distance(self, column: Expr, scope: Scope) -> Expr:
        """Returns the positions between the query and a key in the cache."""
        sequence = scope["batch_idx"]
        key = _at(scope["k_rope_pos_offset"], sequence) + column
        return _at(scope["q_rope_position"], sequence) - key


def _stores(statement: tirx.Stmt, buffer: str, value: type) -> bool:
    return (
        isinstance(statement, tirx.BufferStore)
        and statement.buffer.name == buffer
        and isinstance(statement.value, value)
    )


def _with_value(store: tirx.BufferStore, value: Expr) -> tirx.BufferStore:
    return tirx.BufferStore(store.buffer, value, store.indices, store.span)


def _at(buffer: Var, index: Expr) -> Expr:
    return tirx.BufferLoad(buffer, [index])


_KERNELS: dict[str, Callable[[AttentionScores, Expr, int], _Rules]] = {
    "tir_attention_decode": _GPUDecode,
    "tir_attention_decode_cpu": _CPUPaged,
    "tir_attention_prefill": _GPUPaged,
    "tir_attention_prefill_cpu": _CPUPaged,
    "tir_attention_prefill_ragged": _GPUTile,
    "tir_attention_prefill_ragged_cpu": _CPURagged,
    "tir_attention_prefill_with_tree_mask": _GPUTree,
    "tir_attention_prefill_with_tree_mask_cpu": _CPUTree,
    "tir_attention_prefill_with_tree_mask_with_paged_kv_cache": _GPUPaged,
    "tir_attention_prefill_with_tree_mask_with_paged_kv_cache_cpu": _CPUPaged,
}
