"""Public rule: the packages of several devices."""

load("//rules/private:packages.bzl", _mlc_packages = "mlc_packages")

def mlc_packages(name, packages, **kwargs):
    """Builds several packages at once; `bazel run` installs each where it belongs.

    Args:
      name: The target's name.
      packages: Labels of mlc_package targets, at least one.
      **kwargs: Attributes common to all rules.
    """
    _mlc_packages(
        name = name,
        packages = packages,
        **kwargs
    )
