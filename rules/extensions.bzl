"""Module extension of rules_mlc.

`mlc` makes two repositories: `mlc_python`, the packages that actions run on, and `mlc_linker`, used for libraries of
the machine's own CPU. Both come from locks with hashes in this module; neither is fetched before a target needs it.
"""

load("//rules/private/python:linker_repository.bzl", "linker_repository")
load("//rules/private/python:repository.bzl", "python_repository")

def _mlc_impl(_mctx):
    python_repository(name = "mlc_python", lock = "//tools/python:requirements.lock")
    linker_repository(name = "mlc_linker", lock = "//tools/linker:requirements.lock")

mlc = module_extension(
    doc = "The Python environment and the linker of rules_mlc's actions.",
    implementation = _mlc_impl,
    environ = ["MLC_PYTHON"],
)
