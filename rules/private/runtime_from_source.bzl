"""Rule: upstream's runtime, built by its own scripts."""

load("//rules/private/providers:runtime_info.bzl", "MlcRuntimeInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load(":runtime.bzl", "runtime_info")

def _resources(_os, _input_count):
    # Upstream's scripts start as many compilers as there are cores: nothing else beside them.
    return {"cpu": 1000, "memory": 1000}

def _mlc_runtime_from_source_impl(ctx):
    places = [
        struct(path = "lib/" + path, file = ctx.actions.declare_file("{}/{}".format(ctx.label.name, path)))
        for path in ctx.attr.files
    ]
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    args = tool_arguments(ctx)
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--device", ctx.attr.device)
    args.add("--version", ctx.attr.version)
    inputs = ctx.files.archive + ctx.files.model_archive
    if ctx.file.archive:
        args.add("--source", ctx.file.archive)
    if ctx.file.model_archive:
        args.add("--model-archive", ctx.file.model_archive)
    for place in places:
        args.add("--file", place.path.removeprefix("lib/"))
        args.add(place.file)
    if ctx.attr.complete:
        args.add("--complete")
    args.add("--log", log)
    run_tool(
        ctx,
        tool = ctx.attr._source_tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = inputs,
        outputs = [place.file for place in places] + [log],
        mnemonic = "MlcRuntimeFromSource",
        progress_message = "Building the runtime %{label}",
        resource_set = _resources,
        execution_requirements = {"local": "1", "requires-network": "1"},
        shell_env = True,
    )
    info = runtime_info(ctx, places, ctx.attr.version)
    return [
        DefaultInfo(files = depset([info.manifest])),
        OutputGroupInfo(log = depset([log])),
        info,
    ]

mlc_runtime_from_source = rule(
    doc = "See //rules:mlc_runtime_from_source.bzl.",
    implementation = _mlc_runtime_from_source_impl,
    attrs = {
        "archive": attr.label(doc = "A .tar of mlc-llm's sources.", allow_single_file = True),
        "complete": attr.bool(doc = "Whether `files` has every library of the build, or some were chosen."),
        "device": attr.string(doc = "The device.", mandatory = True),
        "files": attr.string_list(doc = "What is taken of the build, by paths below dist/lib.", mandatory = True),
        "model_archive": attr.label(doc = "libmodel_android.a.", allow_single_file = [".a"]),
        "version": attr.string(doc = "The version of TVM.", mandatory = True),
        "_source_tool": attr.label(default = "//tools/runtime_source", cfg = "exec", providers = [MlcToolInfo]),
        "_tool": attr.label(default = "//tools/library", cfg = "exec", providers = [MlcToolInfo]),
    },
    provides = [MlcRuntimeInfo],
    toolchains = [PYTHON_TOOLCHAIN],
)
