"""Public rule: the packages of several devices."""

load("//rules/private:packages.bzl", _mlc_packages = "mlc_packages")

def mlc_packages(name, packages, **kwargs):
    """Builds several packages at once; `bazel run` installs each where it belongs.

    Args:
      name: str: the target's name.
      packages: list[label]: mlc_package targets, at least one, each with an `install_dir` of its own.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    _mlc_packages(
        name = name,
        packages = packages,
        **kwargs
    )
