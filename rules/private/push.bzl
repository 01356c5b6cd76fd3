"""Rule: the program that pushes a package's models to an Android device."""

load("@bazel_skylib//lib:shell.bzl", "shell")
load("//rules/private/providers:package_info.bzl", "MlcPackageInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":python_tool.bzl", "runfiles_path", "write_launcher")
load(":run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of")

def _mlc_push_impl(ctx):
    package = ctx.attr.package[MlcPackageInfo]
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    manifest = runfiles_path(ctx, package.manifest)
    runfiles = write_launcher(
        ctx,
        script,
        ctx.attr._tool[MlcToolInfo],
        python_of(ctx),
        arguments = " ".join([
            "--manifest \"$runfiles\"/" + shell.quote(manifest),
            "--root \"$runfiles\"/" + shell.quote(manifest.rpartition("/")[0]),
            "--application-id " + shell.quote(ctx.attr.application_id),
        ]),
    )
    return [DefaultInfo(
        executable = script,
        runfiles = runfiles.merge(ctx.runfiles(files = [f.file for f in package.files])),
    )]

mlc_push = rule(
    doc = "`bazel run` puts the bundled models of a package onto an Android device; see //rules:mlc_package.bzl.",
    implementation = _mlc_push_impl,
    attrs = {
        "application_id": attr.string(doc = "The app's.", mandatory = True),
        "package": attr.label(doc = "The package.", mandatory = True, providers = [MlcPackageInfo]),
        "_tool": attr.label(default = "//tools/push", cfg = "target", providers = [MlcToolInfo]),
    },
    executable = True,
    toolchains = [PYTHON_TOOLCHAIN],
)
