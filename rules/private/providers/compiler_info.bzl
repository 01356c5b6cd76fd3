"""Provider: a compiler of model libraries."""

MlcCompilerInfo = provider(
    doc = "What the toolchain type `mlc_compiler` offers. Its version tuple is part of every library's identity.",
    fields = {
        "compiler": "str: `embedded`, or the name of another compiler.",
        "environment": "MlcPythonInfo or None: where another compiler is installed, if `tool` only starts it.",
        "linker": "File or None: an ld.lld-compatible program; needed where libraries are shared objects.",
        "linker_files": "depset[File]: what the linker needs beside itself.",
        "python": "MlcPythonInfo: the environment the compiler runs in.",
        "symbol_suffix": "str: what follows a library's prefix in its exported symbol, such as __tvm_ffi__library_bin.",
        "tool": "MlcToolInfo: the compiler's program.",
        "tvm": "str: the version of apache-tvm.",
        "tvm_ffi": "str: the version of apache-tvm-ffi.",
    },
)
