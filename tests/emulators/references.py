"""Libraries for the CPU that kernels for GPUs are compared with.

Bazel makes those that several tests need: ``references.py MODEL-QUANTIZATION LIBRARY LINKER``. What
it has not made, a test compiles itself.
"""

from __future__ import annotations

import contextlib
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from tvm.relax.frontend import nn
from tvm.target import Target

from tests.emulators.models import RANDOM_MODELS, Model, shared_library
from tests.emulators.quickstart import QUICKSTART_LAYERS
from tools.compiler.functions import cpu_attention
from tools.compiler.functions.samplers import ALL, SAMPLERS_OF_TARGET
from tools.compiler.layers import grouped_product, mixture, mlp
from tools.compiler.layers.kernel import call_kernel
from tools.compiler.quantization.group import GroupQuantization
from tools.compiler.quantization.none import NoQuantization


def cpu_device() -> str:
    """Returns the device whose code this machine runs."""
    return f"cpu:{platform.machine()}-{platform.system().lower()}"


def path(model: Model, quantization: str) -> Path:
    """Returns where Bazel puts a library, among the runfiles."""
    return Path("tests", "emulators", "libraries", f"{model.name}-{quantization}.so").absolute()


@contextlib.contextmanager
def gpu_kernels() -> Iterator[None]:
    """Makes libraries for the CPU of the kernels that those for GPUs have, to compare them.

    CPUs have products, gates and attention of their own, and functions that sample are for some
    GPUs alone. OpenCL's libraries get the latter, too, so that they are executed. Products of
    experts stay the CPU's, but take what a GPU's do.
    """
    replaced = [
        (quantization, read, lambda *_: None)
        for quantization in (GroupQuantization, NoQuantization)
        for read in ("integers", "row_vectors")
    ]
    replaced += [
        (cpu_attention, "can_attend", lambda *_: False),
        (mlp, "MOST_LANES", 0),
        (mixture, "plan_groups", gpu_plan),
        (grouped_product, "_gpu", grouped_product_of(grouped_product._gpu)),
    ]
    with contextlib.ExitStack() as stack:
        for holder, name, value in replaced:
            stack.enter_context(mock.patch.object(holder, name, value))
        stack.enter_context(mock.patch.dict(SAMPLERS_OF_TARGET, llvm=ALL, opencl=ALL))
        yield


def gpu_plan(first_rows: nn.Tensor) -> list[nn.Tensor]:
    """Returns what a GPU's products of experts take, whatever the target."""
    ends = call_kernel(grouped_product.block_ends, "route_block_ends", [first_rows])
    return [first_rows, ends]


def grouped_product_of(gpu: Callable[..., None]) -> Callable[..., None]:
    """Returns a function with the arguments of `gpu` that writes the target's kernel."""

    def kernel(x, first_rows, block_ends, *others) -> None:
        if Target.current().kind.name == "llvm":
            grouped_product._cpu(x, first_rows, *others)
        else:
            gpu(x, first_rows, block_ends, *others)

    return kernel


def main(name: str, library: str, linker: str) -> None:
    """Compiles."""
    models = {model.name: model for model in (QUICKSTART_LAYERS, *RANDOM_MODELS.values())}
    model_name, quantization = name.split("-")
    key = models[model_name].compile_key(cpu_device(), quantization)
    with gpu_kernels():
        shared_library(key, Path(library), Path(linker).absolute())


if __name__ == "__main__":
    main(*sys.argv[1:])
