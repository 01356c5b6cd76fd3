"""Packages for rules_pkg, without a dependency on it.

rules_mlc does not load rules_pkg, whose version is yours to choose. In a .bzl file of yours:

```starlark
load("@rules_mlc//rules:pkg.bzl", "mlc_pkg_files_rule")
load("@rules_pkg//pkg:providers.bzl", "PackageFilesInfo")

mlc_pkg_files = mlc_pkg_files_rule(PackageFilesInfo)
```
"""

load("//rules/private/providers:package_info.bzl", "MlcPackageInfo")

def mlc_pkg_files_rule(package_files_info):
    """Makes a rule that offers the files of an mlc_package to pkg_tar, pkg_zip, pkg_deb and pkg_rpm.

    The rule has the attributes `package`, a label of an mlc_package, and `prefix`, a directory for its files.

    Args:
      package_files_info: provider: PackageFilesInfo of rules_pkg.

    Returns:
      A rule; assign it to a global name of the .bzl file that calls this.
    """

    def _impl(ctx):
        files = ctx.attr.package[MlcPackageInfo].files
        prefix = ctx.attr.prefix.strip("/")
        return [
            DefaultInfo(files = depset([f.file for f in files])),
            package_files_info(
                attributes = {"mode": "0644"},
                dest_src_map = {
                    (prefix + "/" if prefix else "") + f.path: f.file
                    for f in files
                },
            ),
        ]

    return rule(
        doc = "Offers the files of an mlc_package to the rules of rules_pkg.",
        implementation = _impl,
        attrs = {
            "package": attr.label(doc = "The package.", mandatory = True, providers = [MlcPackageInfo]),
            "prefix": attr.string(doc = "A directory for the package's files."),
        },
        provides = [package_files_info],
    )
