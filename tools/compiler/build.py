"""From a model to the objects of its library."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path
from typing import Any

import tvm
from tvm import relax, tirx
from tvm.relax import vm_build

from tools import config
from tools.compiler.device_source import edit_source, without_declarations
from tools.compiler.families import create_model
from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.functions.embedding import add_alloc_embedding_tensor
from tools.compiler.functions.gather_scatter import (
    add_gather_scatter_hidden_states,
    add_gather_scatter_probs,
)
from tools.compiler.functions.kv_cache import add_kv_cache_function
from tools.compiler.functions.logit_processors import add_logit_processors
from tools.compiler.functions.samplers import SAMPLERS_OF_TARGET, add_samplers
from tools.compiler.functions.softmax import add_softmax_with_temperature
from tools.compiler.layers.kernel import kernel_cache
from tools.compiler.metadata import Parameters, library_metadata, memory_figures, size_bounds
from tools.compiler.nvcc import CudaCompiler
from tools.compiler.passes.prefix_symbols import PrefixSymbols
from tools.compiler.pipeline import relax_pipeline
from tools.compiler.progress import Progress
from tools.compiler.quantization import create_quantization
from tools.compiler.tvm_startup import fast_stack, skip_unused_tensor_intrinsics
from tools.config import CompileKey


@dataclasses.dataclass
class BuiltLibrary:
    """A library's objects, not yet packed.

    Attributes:
        objects: File name to contents: ``lib0.o`` has the functions, ``devc.o`` the data: the
            VM's byte code and the device's code.
        metadata: What the function ``_metadata`` returns.
        memory: See `memory_figures`.
    """

    objects: dict[str, bytes]
    metadata: dict[str, Any]
    memory: dict[str, int]


def build_library(
    key: CompileKey, *, system_library: bool, progress: Progress, nvcc: Path | None = None
) -> BuiltLibrary:
    """Compiles.

    Args:
        key: What to compile.
        system_library: Whether the symbols get a prefix (`symbol_prefix`) and register themselves
            when the program starts, so that libraries can be linked into one program.
        progress: Told of every stage and pass.
        nvcc: NVIDIA's compiler for a CUDA library's kernels; None leaves them as source.
    """
    progress.stage("model")
    target = tvm.target.Target(key.tvm_target())
    model = create_model(
        key.model_type, key.model_config, create_quantization(key.quantization, target)
    )
    mod, parameters = export_functions(key, model, target)
    progress.stage("lower")
    metadata = library_metadata(key, model, parameters)
    skip_unused_tensor_intrinsics()
    with _pass_context(progress, key), target, fast_stack():
        mod = relax_pipeline(target, size_bounds(key), metadata, key.optimizations)(mod)
    memory = memory_figures(key, model, parameters, metadata["memory_usage"])
    progress.stage("generate")
    prefix = symbol_prefix(key) if system_library else None
    architectures = key.architectures or (target.attrs.get("arch", "sm_").removeprefix("sm_"),)
    cuda = CudaCompiler(nvcc, architectures)
    opencl = edit_source("opencl", without_declarations)
    with _pass_context(progress, key), cuda.capture_source(), opencl:
        executable = generate(mod, target, prefix)
    progress.stage("objects")
    return BuiltLibrary(cuda.embed(_objects(executable)), metadata, memory)


def symbol_prefix(key: CompileKey) -> str:
    """Returns what the symbols of a system library begin with: ``<model_lib>_``.

    For WebAssembly that is nothing: a program has one model, which it does not look up by name.
    """
    return "" if config.device(key.device).object == "wasm" else f"{key.model_lib}_"


def export_functions(
    key: CompileKey, model: CausalLM, target: tvm.target.Target
) -> tuple[tvm.IRModule, Parameters]:
    """Returns a module of all functions of the library, and the model's parameters."""
    with target, fast_stack(), kernel_cache():
        mod, parameters = model.export_tvm(model.function_spec())
        builder = relax.BlockBuilder(mod)
        add_kv_cache_function(
            builder,
            "create_tir_paged_kv_cache",
            model.kv_cache,
            target,
            has_window=key.model_config["sliding_window_size"] != -1,
        )
        add_softmax_with_temperature(builder, key.model_config["active_vocab_size"])
        add_alloc_embedding_tensor(
            builder,
            key.model_config["prefill_chunk_size"],
            model.hidden_size,
            model.model_dtype,
        )
        add_logit_processors(builder, target)
        add_gather_scatter_probs(builder)
        add_samplers(builder, target, SAMPLERS_OF_TARGET.get(target.kind.name, ()))
        if model.exports_hidden_states:
            add_gather_scatter_hidden_states(builder, model.model_dtype)
        return builder.finalize(), parameters


def generate(
    mod: tvm.IRModule, target: tvm.target.Target, prefix: str | None
) -> relax.VMExecutable:
    """Generates the VM's byte code, the host's code and the device's.

    These are the steps of `relax.build`. That function is not used because it reads the module's
    ``system_lib_prefix`` through `IRModule.get_attr`, which cannot read strings under 8 bytes.
    """
    if prefix is not None:
        mod = PrefixSymbols(prefix)(mod)
    builder = relax.ExecBuilder()
    kernels = vm_build._filter_tir(vm_build._vmcodegen(builder, mod, "bytecode"))
    if prefix is not None:
        kernels = kernels.with_attr("system_lib_prefix", prefix)
    with target:
        library = tirx.build(kernels, target=target, pipeline="default")
    return relax.VMExecutable(vm_build._ffi_api.VMLink(builder, target, library, [], {}))


def _pass_context(progress: Progress, key: CompileKey) -> tvm.transform.PassContext:
    """Returns the options of all passes.

    Common subexpressions are left to LLVM and the device's compiler: TVM's own elimination fails
    on some attention kernels for Metal.
    """
    return tvm.transform.PassContext(
        opt_level=3,
        config={
            "relax.backend.use_cuda_graph": "cuda_graph" in key.optimizations,
            "tirx.disable_cse_tir": True,
        },
        instruments=[progress.instrument],
    )


def _objects(executable: relax.VMExecutable) -> dict[str, bytes]:
    """Returns the contents of the object files; LLVM writes them, no C compiler takes part."""
    objects: dict[str, bytes] = {}

    def collect(_output: str, files: list[str]) -> None:
        for file in files:
            name = "devc.o" if file.endswith("devc.o") else os.path.basename(file)
            objects[name] = Path(file).read_bytes()

    with tempfile.TemporaryDirectory() as directory:
        executable.export_library("library", fcompile=collect, workspace_dir=directory)
    return objects
