"""Rule: the Python environment of the actions, as a toolchain."""

load("//rules/private/providers:python_info.bzl", "MlcPythonInfo")

def _python_environment_impl(ctx):
    info = MlcPythonInfo(
        interpreter = ctx.file.interpreter,
        packages = ctx.attr.packages,
        site = ctx.attr.site,
        site_files = depset(ctx.files.site_files),
        stamp = ctx.file.stamp,
        version = ctx.attr.version,
    )
    return [
        DefaultInfo(files = depset([info.interpreter, info.stamp], transitive = [info.site_files])),
        info,
        platform_common.ToolchainInfo(python = info),
    ]

python_environment = rule(
    doc = "An interpreter and its installed packages. Made by the module extension, one per lock.",
    implementation = _python_environment_impl,
    attrs = {
        "interpreter": attr.label(
            doc = "The interpreter's program.",
            allow_single_file = True,
            mandatory = True,
        ),
        "packages": attr.string_dict(doc = "Normalized distribution name -> installed version."),
        "site": attr.string(
            doc = "The name of the directory of installed packages, which lies beside the stamp.",
            mandatory = True,
        ),
        "site_files": attr.label_list(
            doc = "Its files, or itself where they are thousands.",
            allow_files = True,
            mandatory = True,
        ),
        "stamp": attr.label(
            doc = "JSON that names the interpreter's version and platform, and the lock.",
            allow_single_file = True,
            mandatory = True,
        ),
        "version": attr.string(doc = "The interpreter's version, such as 3.11.2."),
    },
    provides = [MlcPythonInfo, platform_common.ToolchainInfo],
)
