"""Writes what upstream's library of a model offers; runs in upstream's environment."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from tools.upstream.start import leave_out_engine

leave_out_engine()

import tvm  # noqa: E402
from mlc_llm.compiler_pass import pipeline as passes  # noqa: E402
from mlc_llm.interface.compile import compile as compile_model  # noqa: E402
from mlc_llm.interface.compiler_flags import ModelConfigOverride, OptimizationFlags  # noqa: E402
from mlc_llm.model import MODELS  # noqa: E402
from mlc_llm.quantization import QUANTIZATION  # noqa: E402
from tvm import relax  # noqa: E402


class _DefinedError(Exception):
    """The model is defined; what follows is code."""


def _definition(chat_config: dict[str, Any]) -> tuple[tvm.IRModule, dict[str, Any]]:
    """Returns the model's functions, and the options of the passes that compile them."""
    defined: dict[str, Any] = {}

    def build(mod: tvm.IRModule, *_: Any, **__: Any) -> None:
        defined["mod"] = mod
        raise _DefinedError

    relax.get_pipeline = lambda _, **options: defined.update(options)
    with contextlib.suppress(_DefinedError):
        compile_model(
            config=chat_config,
            quantization=QUANTIZATION[chat_config["quantization"]],
            model_type=MODELS[chat_config["model_type"]],
            target=tvm.target.Target({"kind": "llvm"}),
            opt=OptimizationFlags.from_str("O0"),
            build_func=build,
            system_lib_prefix="",
            output=Path(),
            overrides=ModelConfigOverride(),
        )
    return defined.pop("mod"), defined


def _functions(mod: tvm.IRModule) -> dict[str, relax.Function]:
    found = {var.name_hint: each for var, each in mod.functions_items()}
    return {name: each for name, each in found.items() if isinstance(each, relax.Function)}


def _signature(function: relax.Function) -> dict[str, Any]:
    parameters = list(function.params)
    if function.attrs and "num_input" in function.attrs:
        parameters = parameters[: int(function.attrs["num_input"])]
    return {"params": [str(each.ty) for each in parameters], "ret": str(function.ret_ty)}


def main(chat_config: str, output: str) -> None:
    """Writes the interface.

    Args:
        chat_config: The mlc-chat-config.json.
        output: The JSON file to write: ``params`` and ``functions`` as ``tools.compiler describe``
            prints them, ``metadata`` without what these and memory say, and the names of all
            ``library_functions``.
    """
    mod, options = _definition(json.loads(Path(chat_config).read_text(encoding="utf-8")))
    target, metadata = options["target"], options["metadata"]
    parameters = metadata.pop("params")
    signatures = {name: _signature(each) for name, each in _functions(mod).items()}
    with target:
        library = tvm.transform.Sequential(
            [
                passes.DispatchKVCacheCreation(target, False, metadata),
                passes.AttachSoftmaxWithTemperature(target, metadata),
                passes.AttachLogitProcessFunc(target),
                passes.AttachAllocEmbeddingTensorFunc(metadata),
                passes.AttachGPUSamplingFunc(target, options["variable_bounds"]),
                passes.AttachSpecDecodeAuxFuncs(metadata["tensor_parallel_shards"]),
            ]
        )(mod)
    result = {
        "params": [[each["name"], each["shape"], each["dtype"]] for each in parameters],
        "functions": signatures,
        "metadata": metadata,
        "library_functions": sorted(_functions(library)),
    }
    Path(output).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
