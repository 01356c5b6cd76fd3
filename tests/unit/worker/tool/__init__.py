"""A tool for the worker's tests."""
