"""Passes of our own, one module each; `tools.compiler.pipeline` puts them in order."""
