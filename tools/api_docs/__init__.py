"""docs/api/*.md: a page for each .bzl file that users load, out of its docstrings."""
