"""Public rule: a compiler of model libraries, for the toolchain type `mlc_compiler`."""

load("//rules/private:compiler.bzl", _mlc_compiler = "mlc_compiler")

mlc_compiler = _mlc_compiler
