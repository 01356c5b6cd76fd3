"""Module extension for the development of rules_mlc itself: test, lint and lock tools."""

load(":repository.bzl", "python_repository")

def _mlc_dev_impl(_mctx):
    python_repository(
        name = "mlc_dev_python",
        keep_scripts = True,
        lock = "//tools/python:requirements_dev.lock",
    )

mlc_dev = module_extension(
    doc = "The Python environment of rules_mlc's own tests and linters.",
    implementation = _mlc_dev_impl,
)
