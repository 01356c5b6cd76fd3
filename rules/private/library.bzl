"""Rule: the one target that compiles, for whichever target asks."""

load("//rules/private/providers:library_request_info.bzl", "MlcLibraryRequestInfo")
load("//rules/private/providers:model_lib_info.bzl", "MlcModelLibInfo")
load("//rules/private/providers:python_info.bzl", "site_path")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "run_tool", "tool_arguments")

# What the names of the files begin with.
LIBRARY = "library"

def _compile_resources(_os, _input_count):
    # One thread of TVM; 400 MB at the peak of a 3B model.
    return {"cpu": 1, "memory": 500}

def _write_compile_key(ctx, request):
    key = ctx.actions.declare_file(LIBRARY + ".compile_key.json")
    args = tool_arguments(ctx)
    args.add("--config", request.config)
    args.add_all(request.config_arguments)
    args.add("--output", key)
    run_tool(
        ctx,
        tool = request.config_tool,
        python = request.python,
        arguments = [args],
        inputs = [request.config],
        outputs = [key],
        mnemonic = "MlcConfig",
        progress_message = "Checking the config of " + request.where,
    )
    return key

def _compile(ctx, request, key):
    compiler = request.compiler
    environment = compiler.environment
    linker = compiler.linkers.get(request.form) if not environment else None
    nvcc = compiler.nvcc if request.device.variant.startswith("cuda:") and not environment else None
    inputs = [key]
    library = ctx.actions.declare_file("{}.{}".format(LIBRARY, request.form))
    metadata = ctx.actions.declare_file(LIBRARY + ".metadata.json")
    log = ctx.actions.declare_file(LIBRARY + ".log")
    args = tool_arguments(ctx)
    args.add("compile")
    args.add("--key", key)
    args.add("--library", library)
    args.add("--metadata", metadata)
    args.add("--log", log)
    if compiler.tool.mapped_compiles:
        # Of the mapped path, which is the one that the tool sees, there is nothing.
        args.add("--log-name", "bazel-out/*/bin" + log.path.removeprefix(log.root.path))
    if linker:
        args.add("--linker", linker.program)
        args.add_all(linker.options, format_each = "--linker-option=%s")
        args.add_all(linker.inputs, before_each = "--linker-input")
        inputs += linker.inputs
    if nvcc:
        args.add("--nvcc", nvcc.program)
    if environment:
        args.add("--interpreter", environment.interpreter)
        args.add("--site", site_path(environment, environment.stamp.path))
        args.add("--stamp", environment.stamp)
        args.add("--symbol-suffix", compiler.symbol_suffix)
        inputs += [environment.interpreter, environment.stamp] + environment.site_files.to_list()
    run_tool(
        ctx,
        tool = compiler.tool,
        python = compiler.python,
        arguments = [args],
        inputs = inputs,
        outputs = [library, metadata, log],
        tools = depset(transitive = [program.files for program in [linker, nvcc] if program]),
        mnemonic = "MlcCompile",
        progress_message = "Compiling {} for {}".format(request.where, request.device.name),
        resource_set = _compile_resources,
        canonical = True,
    )
    return library, metadata, log

def _mlc_library_impl(ctx):
    if MlcLibraryRequestInfo not in ctx.attr.request:
        fail("{}: compiles for targets of mlc_model_lib; build one of these".format(label_text(ctx.label)))
    request = ctx.attr.request[MlcLibraryRequestInfo]
    key = _write_compile_key(ctx, request)
    library, metadata, log = _compile(ctx, request, key)
    return [
        DefaultInfo(files = depset([library])),
        MlcModelLibInfo(
            compile_key = key,
            compiler = request.compiler,
            config = request.config,
            device = request.device,
            library = library,
            log = log,
            metadata = metadata,
            model_lib = request.model_lib,
            options = request.options,
        ),
    ]

mlc_library = rule(
    doc = """Compiles what `request` asks for, under names that tell nothing of who asks: equal compile keys are equal actions,
but for the configuration in the paths, which path mapping takes away. Each request is a configuration, in which no
toolchain is looked up, which would take longer than all else: the request brings them.""",
    implementation = _mlc_library_impl,
    attrs = {"request": attr.label(doc = "An mlc_library_request.", mandatory = True)},
    provides = [MlcModelLibInfo],
)
