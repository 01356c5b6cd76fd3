"""What a model exports: its parameters, and the signatures of its own functions."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import relax
from tvm.target import Target

from tools.compiler.families import create_model
from tools.compiler.functions.kv_cache import kv_cache_interface
from tools.compiler.layers.kernel import kernel_cache
from tools.compiler.metadata import parameter_shape
from tools.compiler.quantization import create_quantization
from tools.compiler.tvm_startup import fast_stack
from tools.config import CompileKey


def describe(key: CompileKey) -> dict[str, Any]:
    """Returns the model's interface, which no device changes.

    Returns:
        ``params``: ``[name, shape, dtype]`` of each, in order; a dynamic size is its name.
        ``functions``: name to ``params`` and ``ret``, the types as TVM prints them, without the
        tuple of parameters that most functions take last.
    """
    target = Target(key.tvm_target())
    model = create_model(
        key.model_type, key.model_config, create_quantization(key.quantization, target)
    )
    with target, fast_stack(), kernel_cache():
        mod, parameters = model.export_tvm(model.function_spec())
    functions = signatures(mod)
    # Without its kernels, which take TVM longer to parse than all the rest.
    functions["create_paged_kv_cache"] = _signature(*kv_cache_interface())
    return {
        "params": [
            [name, parameter_shape(parameter), str(parameter.dtype)]
            for name, parameter in parameters
        ],
        "functions": dict(sorted(functions.items())),
    }


def signatures(mod: tvm.IRModule) -> dict[str, dict[str, Any]]:
    """Returns what `describe` says of the functions of a module."""
    return {
        var.name_hint: _signature(_inputs(function), function.ret_ty)
        for var, function in mod.functions_items()
        if isinstance(function, relax.Function)
    }


def _inputs(function: relax.Function) -> list[relax.Var]:
    if function.attrs and "num_input" in function.attrs:
        return list(function.params[: int(function.attrs["num_input"])])
    return list(function.params)


def _signature(parameters: list[relax.Var], result: relax.Type) -> dict[str, Any]:
    return {"params": [str(parameter.ty) for parameter in parameters], "ret": str(result)}
