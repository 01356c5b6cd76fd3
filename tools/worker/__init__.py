"""Runs a tool as a Bazel persistent worker: one process that has loaded it, one fork a request."""
