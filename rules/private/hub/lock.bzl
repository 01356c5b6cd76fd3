"""Rule: the program that makes or refreshes locks."""

load("//rules/private:python_tool.bzl", "runfiles_path", "write_launcher")
load("//rules/private:run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")

def _hub_lock_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    runfiles = write_launcher(
        ctx,
        script,
        ctx.attr._tool[MlcToolInfo],
        python_of(ctx),
        arguments = " ".join([
            "lock",
            "--models \"$runfiles/{}\"".format(runfiles_path(ctx, ctx.file.models)),
            "--root \"${BUILD_WORKSPACE_DIRECTORY:?start it by bazel run}\"",
        ]),
    )
    return [DefaultInfo(
        executable = script,
        runfiles = runfiles.merge(ctx.runfiles(files = [ctx.file.models])),
    )]

hub_lock = rule(
    doc = "`bazel run` writes the lock of each model into the workspace.",
    implementation = _hub_lock_impl,
    attrs = {
        "models": attr.label(
            doc = "JSON, as `python -m tools.hub lock --models` takes it.",
            allow_single_file = True,
            mandatory = True,
        ),
        "_tool": attr.label(default = "//tools/hub", cfg = "exec", providers = [MlcToolInfo]),
    },
    executable = True,
    toolchains = [PYTHON_TOOLCHAIN],
)
