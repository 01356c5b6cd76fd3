"""Rule: one model library for one device."""

load("//rules/private/providers:device_info.bzl", "MlcDeviceInfo")
load("//rules/private/providers:model_lib_info.bzl", "MlcModelLibInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":chat_config.bzl", "chat_config_of")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "COMPILER_TOOLCHAIN", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load(":transitions.bzl", "device_transition")

def _compile_resources(_os, _input_count):
    # One thread of TVM; 400 MB at the peak of a 3B model.
    return {"cpu": 1, "memory": 500}

def _write_compile_key(ctx, config, device, compiler):
    key = ctx.actions.declare_file(ctx.label.name + ".compile_key.json")
    args = tool_arguments(ctx)
    args.add("--config", config)
    args.add("--overrides", ctx.attr.overrides)
    args.add("--device", device.variant)
    args.add("--opt", ctx.attr.opt)
    args.add("--target", ctx.attr.tvm_target)
    args.add_all(ctx.attr.architectures, before_each = "--architecture")
    if ctx.attr.model_lib:
        args.add("--model-lib", ctx.attr.model_lib)
    if compiler.environment:
        args.add("--any-model")
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--output", key)
    run_tool(
        ctx,
        tool = ctx.attr._config_tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [config],
        outputs = [key],
        mnemonic = "MlcConfig",
        progress_message = "Checking the config of %{label}",
    )
    return key

def _form(ctx, device, compiler):
    """The form of the library: the device's usual one, or a linked one for which the toolchain has a linker."""
    if compiler.environment:
        # It links itself.
        return device.library
    if device.library == "tar":
        return ([form for form in device.libraries if form in compiler.linkers] + ["tar"])[0]
    if device.library not in compiler.linkers:
        fail("{}: device {} needs a linker, and the toolchain's compiler has none; set attribute {} of mlc_compiler".format(
            label_text(ctx.label),
            device.name,
            "linker" if device.library == "so" else "macho_linker",
        ))
    return device.library

def _compile(ctx, key, device, compiler):
    form = _form(ctx, device, compiler)
    environment = compiler.environment
    linker = compiler.linkers.get(form) if not environment else None
    nvcc = compiler.nvcc if device.variant.startswith("cuda:") and not environment else None
    inputs = [key]
    library = ctx.actions.declare_file("{}.{}".format(ctx.label.name, form))
    metadata = ctx.actions.declare_file(ctx.label.name + ".metadata.json")
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    args = tool_arguments(ctx)
    args.add("compile")
    args.add("--key", key)
    args.add("--library", library)
    args.add("--metadata", metadata)
    args.add("--log", log)
    if linker:
        args.add("--linker", linker.program)
        args.add_all(linker.options, format_each = "--linker-option=%s")
        args.add_all(linker.inputs, before_each = "--linker-input")
        inputs += linker.inputs
    if nvcc:
        args.add("--nvcc", nvcc.program)
    if environment:
        args.add("--interpreter", environment.interpreter)
        args.add_all("--site", [environment.site], expand_directories = False)
        args.add("--stamp", environment.stamp)
        args.add("--symbol-suffix", compiler.symbol_suffix)
        inputs += [environment.interpreter, environment.site, environment.stamp]
    run_tool(
        ctx,
        tool = compiler.tool,
        python = compiler.python,
        arguments = [args],
        inputs = inputs,
        outputs = [library, metadata, log],
        tools = depset(transitive = [program.files for program in [linker, nvcc] if program]),
        mnemonic = "MlcCompile",
        progress_message = "Compiling %{label} for " + device.name,
        resource_set = _compile_resources,
    )
    return library, metadata, log

def _options(ctx):
    options = {"opt": ctx.attr.opt, "overrides": json.decode(ctx.attr.overrides)}
    target = json.decode(ctx.attr.tvm_target)
    if target:
        options["target"] = target
    if ctx.attr.architectures:
        options["architectures"] = ctx.attr.architectures
    return json.encode(options)

def _mlc_model_lib_impl(ctx):
    device = ctx.attr._device[MlcDeviceInfo]
    compiler = ctx.toolchains[COMPILER_TOOLCHAIN].mlc_compiler
    config = chat_config_of(ctx)
    key = _write_compile_key(ctx, config, device, compiler)
    library, metadata, log = _compile(ctx, key, device, compiler)
    return [
        DefaultInfo(files = depset([library])),
        OutputGroupInfo(
            compile_key = depset([key]),
            log = depset([log]),
            metadata = depset([metadata]),
        ),
        MlcModelLibInfo(
            compile_key = key,
            compiler = compiler,
            config = config,
            device = device,
            library = library,
            log = log,
            metadata = metadata,
            model_lib = ctx.attr.model_lib.replace("-", "_"),
            options = _options(ctx),
        ),
    ]

mlc_model_lib = rule(
    doc = "See //rules:mlc_model_lib.bzl.",
    implementation = _mlc_model_lib_impl,
    attrs = {
        "architectures": attr.string_list(doc = "CUDA's compute capabilities."),
        "config": attr.label(
            doc = "mlc-chat-config.json, or a target that has one.",
            allow_files = True,
            mandatory = True,
        ),
        "device": attr.string(doc = "The device; empty for that of the target platform."),
        "model_lib": attr.string(doc = "The system library's name; empty for one derived from the compile key."),
        "opt": attr.string(doc = "The optimization level."),
        "overrides": attr.string(doc = "A JSON object."),
        "tvm_target": attr.string(doc = "A JSON object: attributes of the target to replace."),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_config_tool": attr.label(default = "//tools/config", cfg = "exec", providers = [MlcToolInfo]),
        "_device": attr.label(default = "//rules/platforms:current", providers = [MlcDeviceInfo]),
    },
    cfg = device_transition,
    provides = [MlcModelLibInfo],
    toolchains = [COMPILER_TOOLCHAIN, PYTHON_TOOLCHAIN],
)
