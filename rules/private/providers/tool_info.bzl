"""Provider: a Python tool of this repository."""

MlcToolInfo = provider(
    doc = "A Python package of this repository that runs as `python -m MODULE`.",
    fields = {
        "mapped_compiles": "bool: whether Bazel may map the paths of compiles, each of which then has a sandbox.",
        "module": "str: the dotted name of the module to run, such as tools.compiler.",
        "packages": "bool: whether it imports Python packages, or the standard library alone.",
        "persistent_worker": "bool: whether Bazel may run it as a persistent worker.",
        "runner": "File: tools/run_module.py, which sets the import path and runs the module.",
        "sources": "depset[File]: every source and data file the tool reads of itself.",
    },
)
