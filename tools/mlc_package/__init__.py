"""``./mlc-package``: what `mlc_llm package` does, in a folder that knows nothing of Bazel.

It runs before any package is installed: nothing here needs more than the standard library.
"""
