"""Rule: a compiler of model libraries."""

load("//rules/private/providers:compiler_info.bzl", "MlcCompilerInfo")
load("//rules/private/providers:python_info.bzl", "MlcPythonInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "label_text")

def _linkers(ctx):
    programs = {"dylib": ctx.file.macho_linker, "so": ctx.file.linker, "wasm": ctx.file.wasm_linker}
    return {
        form: struct(
            program = program,
            files = depset([program] + ctx.files.linker_files),
            options = ctx.attr.wasm_linker_options if form == "wasm" else [],
            inputs = ctx.files.wasm_runtime if form == "wasm" else [],
        )
        for form, program in programs.items()
        if program
    }

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
    if ctx.files.wasm_runtime and not ctx.file.wasm_linker:
        fail("{}: attribute wasm_runtime: nothing links it; set attribute wasm_linker to emcc".format(label_text(ctx.label)))
    info = MlcCompilerInfo(
        compiler = ctx.attr.compiler,
        environment = environment,
        linkers = _linkers(ctx),
        nvcc = struct(
            program = ctx.file.nvcc,
            files = depset(ctx.files.nvcc + ctx.files.nvcc_files),
        ) if ctx.file.nvcc else None,
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
            doc = "An ld.lld-compatible program. Needed for devices whose libraries are .so files.",
            allow_single_file = True,
        ),
        "linker_files": attr.label_list(doc = "What the linkers need beside themselves.", allow_files = True),
        "macho_linker": attr.label(
            doc = "A program that takes the arguments of clang for macOS. Needed for devices whose libraries are .dylib files.",
            allow_single_file = True,
        ),
        "nvcc": attr.label(
            doc = "NVIDIA's compiler, or a script that runs it. With it CUDA libraries have machine code, without it source.",
            allow_single_file = True,
        ),
        "nvcc_files": attr.label_list(doc = "What nvcc needs beside itself.", allow_files = True),
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
            doc = "The program; it takes `compile --key --library --metadata --log [--linker] [--nvcc]`, and with an environment " +
                  "`--interpreter --site --stamp --symbol-suffix`.",
            mandatory = True,
            providers = [MlcToolInfo],
        ),
        "wasm_linker": attr.label(
            doc = "emcc, or a script that runs it. With it libraries for webgpu are .wasm files, without it objects.",
            allow_single_file = True,
        ),
        "wasm_linker_options": attr.string_list(doc = "Options of wasm_linker in place of upstream's for emcc."),
        "wasm_runtime": attr.label_list(
            doc = "What is linked into a .wasm before the model: mlc_wasm_runtime.bc, or other bitcode, objects or archives.",
            allow_files = True,
        ),
    },
    provides = [MlcCompilerInfo, platform_common.ToolchainInfo],
)
