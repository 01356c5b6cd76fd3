"""Rule: the packages of several devices."""

load("//rules/private/providers:package_info.bzl", "MlcPackageInfo")
load(":python_tool.bzl", "runfiles_path")

_INSTALL = """\
#!/bin/sh
# Installs every package.
set -eu
export RUNFILES_DIR="${{RUNFILES_DIR:-$0.runfiles}}"
case $RUNFILES_DIR in /*) ;; *) RUNFILES_DIR=$PWD/$RUNFILES_DIR ;; esac
{}
"""

def _mlc_packages_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name + ".install.sh")
    packages = [package[DefaultInfo] for package in ctx.attr.packages]
    ctx.actions.write(script, is_executable = True, content = _INSTALL.format("\n".join([
        '"$RUNFILES_DIR/{}" "$@"'.format(runfiles_path(ctx, package.files_to_run.executable))
        for package in packages
    ])))
    return [DefaultInfo(
        executable = script,
        files = depset(transitive = [package.files for package in packages]),
        runfiles = ctx.runfiles().merge_all([package.default_runfiles for package in packages]),
    )]

mlc_packages = rule(
    doc = "See //rules:mlc_packages.bzl.",
    implementation = _mlc_packages_impl,
    attrs = {
        "packages": attr.label_list(
            doc = "The packages.",
            allow_empty = False,
            mandatory = True,
            providers = [MlcPackageInfo],
        ),
    },
    executable = True,
)
