"""The compiler: from a compile key to a library, on TVM alone. See `__main__` for its commands."""
