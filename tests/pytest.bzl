"""pytest under Bazel."""

load("@rules_python//python:defs.bzl", "py_test")

def pytest_test(name, srcs, main_tests = None, data = [], args = [], **kwargs):
    """Runs pytest files in the hash-locked environment.

    Args:
      name: The target's name.
      srcs: Test files, and conftest.py or modules they import.
      main_tests: The files among srcs whose tests run. If not given, those named test_*.py.
      data: Files and tools (python_tool targets) that the tests use.
      args: More arguments of pytest.
      **kwargs: Attributes of py_test.
    """
    py_test(
        name = name,
        srcs = srcs + ["//tests:pytest_main.py"],
        data = data + ["//:pyproject.toml"],
        main = "//tests:pytest_main.py",
        args = args + ["$(rootpath {})".format(src) for src in main_tests or srcs if src.split("/")[-1].startswith("test_")],
        deps = [
            "@mlc_python//:site_packages",
            "@mlc_dev_python//:site_packages",
        ],
        **kwargs
    )

def system_tests(srcs = [], **kwargs):
    """Tests of programs that the machine has to have, which a package's install.py installs; `.ci/run` runs them.

    Each test_*.py of the package is a target, with the package's other modules.

    Args:
      srcs: Modules of other packages that they import.
      **kwargs: Arguments of pytest_test.
    """
    modules = native.glob(["*.py"], exclude = ["install.py", "test_*.py"])
    for file in native.glob(["test_*.py"]):
        pytest_test(
            name = file.removesuffix(".py"),
            size = "large",
            srcs = modules + [file] + srcs,
            tags = [
                "external",
                "local",
                "manual",
            ],
            **kwargs
        )
