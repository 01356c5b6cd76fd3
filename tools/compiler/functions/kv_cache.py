"""The function that creates the paged KV cache, with the attention kernels it carries."""

from __future__ import annotations

import dataclasses
from typing import Any

from tvm import relax, tirx
from tvm.relax.frontend.nn.llm.kv_cache import RopeMode, TIRPagedKVCache
from tvm.target import Target

from tools.compiler.functions import cpu_attention, cpu_rotary
from tools.compiler.functions.attention_scores import (
    AttentionScores,
    has_scores,
    with_scores,
)
from tools.compiler.functions.decode_heads import cover_all_heads
from tools.compiler.functions.longrope import longrope_split_rotary
from tools.compiler.functions.merge_state import merge_state


@dataclasses.dataclass(frozen=True)
class KVCacheConfig:
    """What a model needs of its KV cache.

    Attributes:
        num_hidden_layers: Number of layers that have an entry in the cache.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
        dtype: dtype of keys and values.
        rope_theta: Base of the rotary embedding.
        rope_scaling: As in the model's config; None where positions are not scaled.
        rotary_dim: How many of a head's dimensions, the first ones, are rotated: all of them where
            None; 0 where the model has no rotary embedding.
        enable_disaggregation: Whether the cache is for disaggregated prefill and decode.
        scores: What is done to the attention's scores besides scaling; None for nothing.
    """

    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    dtype: str
    rope_theta: float = 10000
    rope_scaling: dict[str, Any] | None = None
    rotary_dim: int | None = None
    enable_disaggregation: bool = False
    scores: AttentionScores | None = None

    def bytes_per_token(self) -> int:
        """Returns the size of a token's keys and values in all layers."""
        item = int(self.dtype.removeprefix("b").removeprefix("float")) // 8
        return 2 * self.num_hidden_layers * self.num_key_value_heads * self.head_dim * item


SIZES = (
    "max_batch_size",
    "max_total_seq_len",
    "prefill_chunk_size",
    "page_size",
    "support_sliding_window",
)
"""Parameters of the function: shapes of one element, known when the function is called."""


def kv_cache_interface() -> tuple[list[relax.Var], relax.Type]:
    """Returns the function's parameters and the type of what it returns, which no model changes."""
    sizes = [tirx.Var(size, "int64") for size in SIZES]
    parameters = [relax.Var(f"{size.name}_", relax.ShapeType([size])) for size in sizes]
    return parameters, relax.AnyType()


def add_kv_cache_function(
    builder: relax.BlockBuilder,
    name: str,
    config: KVCacheConfig,
    target: Target,
    *,
    has_window: bool = False,
) -> None:
    """Adds the function ``name(*SIZES) -> cache``.

    Args:
        builder: Where the function and its kernels go.
        name: ``create_tir_paged_kv_cache`` in a library.
        config: What the model needs.
        target: Chooses and shapes the kernels.
    """
    parameters, _ = kv_cache_interface()
    sizes = [parameter.ty.values[0] for parameter in parameters]
    # The cache gets a kernel of ours for it, and TVM's cache is not to make its own.
    is_longrope = (config.rope_scaling or {}).get("rope_type") == "longrope"
    rope_scaling = {} if is_longrope else config.rope_scaling or {}
    rotary_dim = config.rotary_dim or config.head_dim
    with builder.function(name, parameters):
        cache = TIRPagedKVCache(
            "mha",
            *sizes,
            layer_partition=relax.ShapeExpr([0, config.num_hidden_layers]),
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            qk_head_dim=config.head_dim,
            v_head_dim=config.head_dim,
            mla_original_qk_head_dim=0,
            mla_original_v_head_dim=0,
            rope_mode=RopeMode.NONE if config.rotary_dim == 0 else RopeMode.NORMAL,
            rope_scale=1,
            rope_theta=int(config.rope_theta),
            rope_scaling=rope_scaling,
            rope_ext_factors=_factors(config.rope_scaling) if is_longrope else relax.prim_value(0),
            rotary_dim=rotary_dim,
            enable_disaggregation=config.enable_disaggregation,
            dtype=config.dtype,
            target=target,
        )
        # What is replaced here is not used, and vanishes.
        created = _with_constant_dtype(builder.lookup_binding(cache._expr), config.dtype)
        if target.kind.name == "llvm":
            created = _with_tree_kernels_in_order(created)
        builder.emit_func_output(created)
    if target.kind.name != "llvm":
        kernel = merge_state(config.num_attention_heads, config.head_dim, config.dtype)
        builder.update_func(builder.get().get_global_var("tir_attention_merge_state"), kernel)
        cover_all_heads(
            builder,
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
            config.dtype,
            rope_scaling,
            target,
        )
    elif (
        not has_window
        and config.scores is None
        and cpu_attention.can_attend(config.head_dim, config.dtype)
    ):
        heads = (config.num_attention_heads, config.num_key_value_heads, config.head_dim)
        for name, make_kernel in cpu_attention.KERNELS.items():
            kernel = make_kernel(*heads, config.dtype)
            builder.update_func(builder.get().get_global_var(name), kernel)
    if (
        target.kind.name == "llvm"
        and config.rotary_dim != 0
        and cpu_rotary.can_rotate(
            config.head_dim, rotary_dim, config.dtype, config.rope_scaling or {}
        )
    ):
        kernel = cpu_rotary.split_rotary(
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
            rotary_dim,
            int(config.rope_theta),
            config.dtype,
            rope_scaling,
        )
        builder.update_func(builder.get().get_global_var("tir_split_rotary"), kernel)
    if is_longrope:
        kernel = longrope_split_rotary(
            config.rope_theta,
            config.head_dim,
            rotary_dim,
            config.num_attention_heads,
            config.num_key_value_heads,
            config.dtype,
            config.rope_scaling,
        )
        builder.update_func(builder.get().get_global_var("tir_split_rotary"), kernel)
    if config.scores is not None:
        group_size = config.num_attention_heads // config.num_key_value_heads
        for var, function in builder.get().functions_items():
            if has_scores(var.name_hint):
                kernel = with_scores(var.name_hint, function, config.scores, group_size, target)
                builder.update_func(var, kernel)


def _with_constant_dtype(call: relax.Call, dtype: str) -> relax.Call:
    """Returns the call with a constant in place of the zero that says the dtype of the cache.

    TVM has it computed: by a kernel, or by one that it compiles for this machine to fold it.
    """
    arguments = [
        relax.const(0, dtype)
        if isinstance(argument.ty, relax.TensorType) and isinstance(argument, relax.Var)
        else argument
        for argument in call.args
    ]
    return relax.Call(call.op, arguments, call.attrs, call.ty_args)


def _with_tree_kernels_in_order(call: relax.Call) -> relax.Call:
    """Returns the call that creates the CPU's cache, with kernels for trees where they belong.

    The runtime takes the one whose keys are in the cache first, and TVM gives it second.
    """
    places = [
        place
        for place, argument in enumerate(call.args)
        if isinstance(argument, relax.Tuple) and "tree_mask" in str(argument)
    ]
    arguments = list(call.args)
    first, second = places
    if "paged" not in str(arguments[first]):
        arguments[first], arguments[second] = arguments[second], arguments[first]
    return relax.Call(call.op, arguments, call.attrs, call.ty_args)


def _factors(rope_scaling: dict[str, Any]) -> relax.Expr:
    """Returns what longrope divides the frequencies by: long factors, then short ones."""
    return relax.const([*rope_scaling["long_factor"], *rope_scaling["short_factor"]], "float32")
