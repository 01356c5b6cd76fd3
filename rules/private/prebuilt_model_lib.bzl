"""Rule: a model library that was compiled elsewhere."""

load("//rules/private/providers:compiler_info.bzl", "MlcCompilerInfo")
load("//rules/private/providers:device_info.bzl", "MlcDeviceInfo")
load("//rules/private/providers:model_lib_info.bzl", "MlcModelLibInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":chat_config.bzl", "chat_config_of")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "COMPILER_TOOLCHAIN", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load(":transitions.bzl", "device_transition")

def _accept(ctx, config, device, symbol_suffix):
    """The action that checks the library, and says what is in it."""
    source = ctx.file.library
    key = ctx.actions.declare_file(ctx.label.name + ".compile_key.json")
    library = ctx.actions.declare_file("{}.{}".format(ctx.label.name, device.library))
    metadata = ctx.actions.declare_file(ctx.label.name + ".metadata.json")
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    outputs = [key, metadata, log]
    args = tool_arguments(ctx)
    args.add("accept")
    args.add("--library", source)
    args.add("--config", config)
    args.add("--overrides", ctx.attr.overrides)
    args.add("--device", device.variant)
    args.add("--model-lib", ctx.attr.model_lib)
    args.add("--symbol-suffix", symbol_suffix)
    args.add("--tvm", ctx.attr.tvm)
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--key", key)
    if device.library == "tar":
        args.add("--objects", library)
        outputs.append(library)
    else:
        ctx.actions.symlink(output = library, target_file = source)
    args.add("--metadata", metadata)
    args.add("--log", log)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [source, config],
        outputs = outputs,
        mnemonic = "MlcPrebuilt",
        progress_message = "Checking the library of %{label} for " + device.variant,
    )
    return struct(key = key, library = library, metadata = metadata, log = log)

def _mlc_prebuilt_model_lib_impl(ctx):
    device = ctx.attr._device[MlcDeviceInfo]
    if device.object == "wasm":
        fail("{}: attribute device: libraries for {} cannot be taken from elsewhere; compile it with mlc_model_lib".format(
            label_text(ctx.label),
            device.variant,
        ))
    symbol_suffix = ctx.toolchains[COMPILER_TOOLCHAIN].mlc_compiler.symbol_suffix
    config = chat_config_of(ctx, label_text(ctx.label))
    accepted = _accept(ctx, config, device, symbol_suffix)
    return [
        DefaultInfo(files = depset([accepted.library])),
        OutputGroupInfo(
            # A shared library is taken as it is: building it alone checks it, too.
            _validation = depset([accepted.metadata]),
            compile_key = depset([accepted.key]),
            log = depset([accepted.log]),
            metadata = depset([accepted.metadata]),
        ),
        MlcModelLibInfo(
            compile_key = accepted.key,
            compiler = MlcCompilerInfo(
                compiler = "prebuilt",
                environment = None,
                linkers = {},
                nvcc = None,
                python = None,
                symbol_suffix = symbol_suffix,
                tool = None,
                tvm = ctx.attr.tvm,
                tvm_ffi = "",
            ),
            config = config,
            device = device,
            library = accepted.library,
            log = accepted.log,
            metadata = accepted.metadata,
            model_lib = ctx.attr.model_lib.replace("-", "_"),
            options = json.encode({"library": label_text(ctx.attr.library.label)}),
        ),
    ]

mlc_prebuilt_model_lib = rule(
    doc = "See //rules:mlc_prebuilt_model_lib.bzl.",
    implementation = _mlc_prebuilt_model_lib_impl,
    attrs = {
        "config": attr.label(
            doc = "mlc-chat-config.json, or a target that has one.",
            allow_files = True,
            mandatory = True,
        ),
        "device": attr.string(doc = "The device; empty for that of the target platform."),
        "library": attr.label(doc = "The compiled library.", allow_single_file = True, mandatory = True),
        "model_lib": attr.string(doc = "The system library's name.", mandatory = True),
        "overrides": attr.string(doc = "A JSON object."),
        "tvm": attr.string(doc = "The version of TVM that made the library; empty where it is not known."),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_device": attr.label(default = "//rules/platforms:current", providers = [MlcDeviceInfo]),
        "_tool": attr.label(default = "//tools/library", cfg = "exec", providers = [MlcToolInfo]),
    },
    cfg = device_transition,
    provides = [MlcModelLibInfo],
    toolchains = [COMPILER_TOOLCHAIN, PYTHON_TOOLCHAIN],
)
