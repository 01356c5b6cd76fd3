"""Rule: the packages of several devices."""

load("@bazel_skylib//lib:shell.bzl", "shell")
load("//rules/private/providers:package_info.bzl", "MlcPackageInfo")
load(":label.bzl", "label_text")
load(":messages.bzl", "first_error")
load(":python_tool.bzl", "runfiles_path")

_INSTALL = """\
#!/bin/sh
# Installs every package.
set -eu
export RUNFILES_DIR="${{RUNFILES_DIR:-$0.runfiles}}"
case $RUNFILES_DIR in /*) ;; *) RUNFILES_DIR=$PWD/$RUNFILES_DIR ;; esac
{}
"""

def _install_dir_error(label, packages):
    """One directory for two packages: the one that is installed last would remove the other."""
    seen = {}
    for package in packages:
        directory = package[MlcPackageInfo].install_dir
        first = seen.setdefault(directory, package.label)
        if first != package.label:
            return "{}: attribute packages: {} and {} are both installed into {}; give each its own install_dir".format(
                label_text(label),
                label_text(first),
                label_text(package.label),
                directory,
            )
    return None

def _mlc_packages_impl(ctx):
    first_error(_install_dir_error(ctx.label, ctx.attr.packages))
    script = ctx.actions.declare_file(ctx.label.name + ".install.sh")
    packages = [package[DefaultInfo] for package in ctx.attr.packages]
    ctx.actions.write(script, is_executable = True, content = _INSTALL.format("\n".join([
        '"$RUNFILES_DIR"/{} "$@"'.format(shell.quote(runfiles_path(ctx, package.files_to_run.executable)))
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
