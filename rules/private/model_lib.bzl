"""Rule: one model library for one device."""

load("//rules/private/providers:library_request_info.bzl", "MlcLibraryRequestInfo")
load("//rules/private/providers:model_lib_info.bzl", "MlcModelLibInfo")
load(":library.bzl", "LIBRARY")
load(":transitions.bzl", "asking_transition", "device_transition")

def _library(for_tests):
    return Label(":library_for_tests" if for_tests else ":library")

def _link(ctx, file):
    """The file under the target's own name."""
    output = ctx.actions.declare_file(ctx.label.name + file.basename.removeprefix(LIBRARY))
    ctx.actions.symlink(
        output = output,
        target_file = file,
        progress_message = "Linking {} of %{{label}}".format(output.basename),
    )
    return output

def _mlc_model_lib_impl(ctx):
    made = ctx.attr._library[0][MlcModelLibInfo]
    library = _link(ctx, made.library)
    return [
        DefaultInfo(files = depset([library])),
        OutputGroupInfo(
            compile_key = depset([_link(ctx, made.compile_key)]),
            log = depset([_link(ctx, made.log)]),
            metadata = depset([_link(ctx, made.metadata)]),
        ),
        MlcModelLibInfo(
            compile_key = made.compile_key,
            compiler = made.compiler,
            config = made.config,
            device = made.device,
            library = library,
            log = made.log,
            metadata = made.metadata,
            model_lib = made.model_lib,
            options = made.options,
        ),
    ]

mlc_model_lib = rule(
    doc = "See //rules:mlc_model_lib.bzl.",
    implementation = _mlc_model_lib_impl,
    attrs = {
        "device": attr.string(doc = "The device; empty for that of the target platform."),
        "for_tests": attr.bool(doc = "Whether the request depends on what is for tests alone."),
        "request": attr.label(
            doc = "What is asked for.",
            mandatory = True,
            providers = [MlcLibraryRequestInfo],
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_library": attr.label(cfg = asking_transition, default = _library, providers = [MlcModelLibInfo]),
    },
    cfg = device_transition,
    provides = [MlcModelLibInfo],
)
