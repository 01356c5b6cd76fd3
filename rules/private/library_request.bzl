"""Rule: what a target asks for with its attributes, a model library for one device."""

load("//rules/private/providers:device_info.bzl", "MlcDeviceInfo")
load("//rules/private/providers:library_request_info.bzl", "MlcLibraryRequestInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":chat_config.bzl", "chat_config_of")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "COMPILER_TOOLCHAIN", "PYTHON_TOOLCHAIN", "python_of")
load(":transitions.bzl", "nobody_asks_transition")

# What follows the name of the asking target.
REQUEST_SUFFIX = ".request"

def _form(where, device, compiler):
    """The form of the library: the device's usual one, or a linked one for which the toolchain has a linker."""
    if compiler.environment:
        # It links itself.
        return device.library
    if device.library == "tar":
        return ([form for form in device.libraries if form in compiler.linkers] + ["tar"])[0]
    if device.library not in compiler.linkers:
        fail("{}: device {} needs a linker, and the toolchain's compiler has none; set attribute {} of mlc_compiler".format(
            where,
            device.name,
            "linker" if device.library == "so" else "macho_linker",
        ))
    return device.library

def _config_arguments(ctx, where, device, compiler):
    arguments = ["--overrides", ctx.attr.overrides]
    arguments += ["--device", device.variant]
    arguments += ["--opt", ctx.attr.opt]
    arguments += ["--target", ctx.attr.tvm_target]
    for architecture in ctx.attr.architectures:
        arguments += ["--architecture", architecture]
    if ctx.attr.model_lib:
        arguments += ["--model-lib", ctx.attr.model_lib]
    if compiler.environment:
        arguments.append("--any-model")
    return arguments + ["--where=" + where]

def _options(ctx):
    options = {"opt": ctx.attr.opt, "overrides": json.decode(ctx.attr.overrides)}
    target = json.decode(ctx.attr.tvm_target)
    if target:
        options["target"] = target
    if ctx.attr.architectures:
        options["architectures"] = ctx.attr.architectures
    return json.encode(options)

def _mlc_library_request_impl(ctx):
    where = label_text(ctx.label).removesuffix(REQUEST_SUFFIX)
    device = ctx.attr._device[MlcDeviceInfo]
    compiler = ctx.toolchains[COMPILER_TOOLCHAIN].mlc_compiler
    return [MlcLibraryRequestInfo(
        compiler = compiler,
        config = chat_config_of(ctx, where),
        config_arguments = _config_arguments(ctx, where, device, compiler),
        config_tool = ctx.attr._config_tool[MlcToolInfo],
        device = device,
        form = _form(where, device, compiler),
        model_lib = ctx.attr.model_lib.replace("-", "_"),
        options = _options(ctx),
        python = python_of(ctx),
        where = where,
    )]

mlc_library_request = rule(
    doc = "The attributes of an mlc_model_lib; the library itself is made by //rules/private:library.",
    implementation = _mlc_library_request_impl,
    attrs = {
        "architectures": attr.string_list(doc = "CUDA's compute capabilities."),
        "config": attr.label(
            doc = "mlc-chat-config.json, or a target that has one.",
            allow_files = True,
            mandatory = True,
        ),
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
    cfg = nobody_asks_transition,
    provides = [MlcLibraryRequestInfo],
    toolchains = [COMPILER_TOOLCHAIN, PYTHON_TOOLCHAIN],
)
