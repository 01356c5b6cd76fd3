"""What the private Bazel is made of, and how its folder is put together.

Nothing outside this folder decides what an installed Bazel consists of, so ``bazelw`` names the
folder of an install after a digest of these files: a change here makes a new install.
"""
