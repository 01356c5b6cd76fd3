"""Provider: a compiler of model libraries."""

MlcCompilerInfo = provider(
    doc = "What the toolchain type `mlc_compiler` offers. Its version tuple is part of every library's identity.",
    fields = {
        "compiler": "str: `embedded`, or the name of another compiler.",
        "environment": "MlcPythonInfo or None: where another compiler is installed, if `tool` only starts it.",
        "linkers": "dict[str, struct]: form of a library (so, dylib, wasm) -> program (File), files (depset[File], what the program needs beside itself), options (list[str], in place of the usual ones) and inputs (list[File], linked too).",
        "nvcc": "struct or None: program (File) and files (depset[File]) of NVIDIA's compiler; None leaves CUDA's kernels as source.",
        "python": "MlcPythonInfo: the environment the compiler runs in.",
        "symbol_suffix": "str: what follows a library's prefix in its exported symbol, such as __tvm_ffi__library_bin.",
        "tool": "MlcToolInfo: the compiler's program.",
        "tvm": "str: the version of apache-tvm.",
        "tvm_ffi": "str: the version of apache-tvm-ffi.",
    },
)
