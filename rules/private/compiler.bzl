"""Rule: a compiler of model libraries."""

load("//rules/private/providers:compiler_info.bzl", "MlcCompilerInfo")
load("//rules/private/providers:python_info.bzl", "MlcPythonInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "label_text")

def _mlc_compiler_impl(ctx):
    python = ctx.attr.python[MlcPythonInfo]
    environment = ctx.attr.environment[MlcPythonInfo] if ctx.attr.environment else None
    packages = (environment or python).packages
    for package in ["apache-tvm", "apache-tvm-ffi"]:
        if package not in packages:
            fail("{}: attribute python: {} holds no {}; install a lock that names it".format(
                label_text(ctx.label),
                label_text(ctx.attr.python.label),
                package,
            ))
    info = MlcCompilerInfo(
        compiler = ctx.attr.compiler,
        environment = environment,
        linker = ctx.file.linker,
        linker_files = depset(ctx.files.linker + ctx.files.linker_files),
        python = python,
        symbol_suffix = ctx.attr.symbol_suffix,
        tool = ctx.attr.tool[MlcToolInfo],
        tvm = packages["apache-tvm"],
        tvm_ffi = packages["apache-tvm-ffi"],
    )
    return [info, platform_common.ToolchainInfo(mlc_compiler = info)]

mlc_compiler = rule(
    doc = """Declares a compiler of model libraries; register it with `toolchain(toolchain_type =
"@rules_mlc//rules/toolchains:mlc_compiler")`.

Its version tuple (compiler, tvm, tvm_ffi, symbol_suffix) is written to every package's manifest, and libraries of
different tuples are not packaged together.""",
    implementation = _mlc_compiler_impl,
    attrs = {
        "compiler": attr.string(doc = "The compiler's name, such as `embedded`.", mandatory = True),
        "environment": attr.label(
            doc = "Where another compiler is installed, which the tool starts; its versions count, not those of `python`.",
            providers = [MlcPythonInfo],
        ),
        "linker": attr.label(
            doc = "An ld.lld-compatible program. Needed for devices whose libraries are shared objects.",
            allow_single_file = True,
        ),
        "linker_files": attr.label_list(doc = "What the linker needs beside itself.", allow_files = True),
        "python": attr.label(
            doc = "The Python environment, which holds apache-tvm and apache-tvm-ffi.",
            mandatory = True,
            providers = [MlcPythonInfo],
        ),
        "symbol_suffix": attr.string(
            doc = "What follows `<model_lib>_` in the symbol that a library exports; it has changed between versions of TVM.",
            mandatory = True,
        ),
        "tool": attr.label(
            doc = "The program; it takes `compile --key --library --metadata --log [--linker]`, and with an environment " +
                  "`--interpreter --site --stamp --symbol-suffix`.",
            mandatory = True,
            providers = [MlcToolInfo],
        ),
    },
    provides = [MlcCompilerInfo, platform_common.ToolchainInfo],
)
