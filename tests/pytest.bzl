"""pytest under Bazel."""

load("@rules_python//python:defs.bzl", "py_test")

def pytest_test(name, srcs, data = [], args = [], **kwargs):
    """Runs pytest files in the hash-locked environment.

    Args:
      name: The target's name.
      srcs: Test files, and conftest.py or modules they import.
      data: Files and tools (python_tool targets) that the tests use.
      args: More arguments of pytest.
      **kwargs: Attributes of py_test.
    """
    py_test(
        name = name,
        srcs = srcs + ["//tests:pytest_main.py"],
        data = data + ["//:pyproject.toml"],
        main = "//tests:pytest_main.py",
        args = args + ["$(rootpath {})".format(src) for src in srcs if src.split("/")[-1].startswith("test_")],
        deps = [
            "@mlc_python//:site_packages",
            "@mlc_dev_python//:site_packages",
        ],
        **kwargs
    )
