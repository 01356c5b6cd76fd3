"""Tests that compile for the machine that runs them."""

load("//tests:pytest.bzl", "pytest_test")

def numeric_test(name, srcs, env = {}):
    """Runs pytest files with the compiler and a linker.

    Args:
      name: The target's name.
      srcs: Test files; conftest.py and the modules that they share are added.
      env: More environment variables.
    """
    pytest_test(
        name = name,
        size = "large",
        srcs = srcs + [
            "conftest.py",
            "session.py",
            "tolerance.py",
            "weights.py",
            ":families",
        ],
        data = [
            "//tools/compiler",
            "@mlc_linker//:ld.lld",
            "@mlc_linker//:zig",
        ],
        env = env | {"MLC_TEST_LINKER": "$(rootpath @mlc_linker//:ld.lld)"},
    )
