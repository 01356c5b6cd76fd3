"""Rule: a Python tool of this repository, for actions and for `bazel run`."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//rules/private/providers:python_info.bzl", "MlcPythonInfo", "site_path")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":run_tool.bzl", "PYTHON_FLAGS", "PYTHON_TOOLCHAIN", "python_of")

_LAUNCHER = """\
#!/bin/sh
# Runs {module} in its hash-locked environment.
set -eu
runfiles=${{RUNFILES_DIR:-$0.runfiles}}
case $runfiles in /*) ;; *) runfiles=$PWD/$runfiles ;; esac
{export}exec "$runfiles/{interpreter}" {flags} "$runfiles/{runner}" {site} {module} {arguments} "$@"
"""

def runfiles_path(ctx, file):
    """The path of a file below the runfiles directory.

    Args:
      ctx: The rule context.
      file: The File.

    Returns:
      str: repository and path.
    """
    if file.short_path.startswith("../"):
        return file.short_path[3:]
    return ctx.workspace_name + "/" + file.short_path

def write_launcher(ctx, output, tool, python, arguments = "", export = ""):
    """Writes a shell script that runs a tool out of its runfiles.

    Args:
      ctx: The rule context.
      output: File, the script.
      tool: MlcToolInfo of the tool.
      python: MlcPythonInfo to run it in.
      arguments: Shell words put before the caller's own.
      export: Shell lines put before the tool starts.

    Returns:
      runfiles of the script.
    """
    ctx.actions.write(output, is_executable = True, content = _LAUNCHER.format(
        arguments = arguments,
        export = export,
        flags = " ".join(PYTHON_FLAGS),
        interpreter = runfiles_path(ctx, python.interpreter),
        module = tool.module,
        runner = runfiles_path(ctx, tool.runner),
        site = "\"$runfiles/{}\"".format(site_path(python, runfiles_path(ctx, python.stamp))) if tool.packages else "''",
    ))
    return ctx.runfiles(
        files = [python.interpreter, tool.runner],
        transitive_files = depset(transitive = [tool.sources] + ([python.site_files] if tool.packages else [])),
    )

def _python_tool_impl(ctx):
    tool = MlcToolInfo(
        mapped_compiles = ctx.attr._mapped_compiles[BuildSettingInfo].value,
        module = ctx.attr.module,
        packages = ctx.attr.packages,
        persistent_worker = ctx.attr._persistent_workers[BuildSettingInfo].value,
        runner = ctx.file._runner,
        sources = depset(
            ctx.files.srcs + ctx.files._worker,
            transitive = [dep[MlcToolInfo].sources for dep in ctx.attr.deps],
        ),
    )
    launcher = ctx.actions.declare_file(ctx.label.name + ".sh")
    python = ctx.attr.python[MlcPythonInfo] if ctx.attr.python else python_of(ctx)
    runfiles = write_launcher(ctx, launcher, tool, python)
    return [
        DefaultInfo(executable = launcher, runfiles = runfiles),
        tool,
    ]

python_tool = rule(
    doc = "A Python package under //tools. `bazel run` runs it in the environment that actions use.",
    implementation = _python_tool_impl,
    attrs = {
        "deps": attr.label_list(doc = "Tools whose modules this one imports.", providers = [MlcToolInfo]),
        "module": attr.string(doc = "The dotted name of the module to run, such as tools.config.", mandatory = True),
        "packages": attr.bool(
            default = True,
            doc = "Whether it imports Python packages; actions of a tool that imports the standard library alone wait for none.",
        ),
        "python": attr.label(
            doc = "The environment of `bazel run`, if not that of the toolchain.",
            providers = [MlcPythonInfo],
        ),
        "srcs": attr.label_list(doc = "Sources, and data files beside them.", allow_files = True),
        "_mapped_compiles": attr.label(default = "//rules/settings:mapped_compiles"),
        "_persistent_workers": attr.label(default = "//rules/settings:persistent_workers"),
        "_runner": attr.label(default = "//tools:run_module.py", allow_single_file = True),
        "_worker": attr.label(default = "//tools/worker"),
    },
    executable = True,
    toolchains = [PYTHON_TOOLCHAIN],
)
