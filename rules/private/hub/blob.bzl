"""Rule: one file of the Hugging Face Hub, known by its sha256."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//rules/private:run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load("//rules/private:transitions.bzl", "no_device_transition")
load("//rules/private/providers:blob_info.bzl", "MlcBlobInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")

def _megabytes(nbytes):
    tenths = (nbytes + 50000) // 100000
    return "{}.{} MB".format(tenths // 10, tenths % 10)

def _resources(_os, _input_count):
    # A fetch waits for the line: more of them than cores run side by side. 30 MB at the peak, whatever the file's size.
    return {"cpu": 0.25, "memory": 50}

def _write_list(ctx, files):
    """A file with the paths of `files` and its own."""
    output = ctx.actions.declare_file(ctx.label.name + ".unused_inputs")
    lines = ctx.actions.args()
    lines.set_param_file_format("multiline")
    lines.add_all(depset([output], transitive = [files]), expand_directories = False)
    ctx.actions.write(output, lines)
    return output

def _hub_blob_impl(ctx):
    nbytes = int(ctx.attr.nbytes)
    tool = ctx.attr._tool[MlcToolInfo]
    python = python_of(ctx)
    output = ctx.actions.declare_file(ctx.label.name)
    digest = ctx.actions.declare_file(ctx.label.name + ".digest.json")

    args = tool_arguments(ctx)
    args.add("fetch")
    args.add("--sha256", ctx.label.name)
    args.add("--nbytes", nbytes)
    args.add("--sources-beside", ctx.file.anchor)
    args.add("--environment-beside", ctx.file._environment)
    args.add("--ask-again-beside", ctx.file._environment)
    args.add("--partial-in-cache")
    args.add("--output", output)
    args.add("--digest", digest)

    # The bytes are what the sha256 says, whoever fetches them and from wherever: a new revision, a new release of
    # rules_mlc or another Python fetches nothing again.
    unused = _write_list(ctx, depset(
        [ctx.file.anchor, ctx.file._environment, python.interpreter, tool.runner],
        transitive = [tool.sources],
    ))
    requirements = {
        # The user's token, caches and partial files are on this machine.
        "no-remote-exec": "1",
        # A sandbox would throw away what a broken-off download leaves for the next run.
        "no-sandbox": "1",
        "requires-network": "1",
    }
    if not ctx.attr._remote_cache[BuildSettingInfo].value:
        requirements["no-remote-cache"] = "1"
    run_tool(
        ctx,
        tool = tool,
        python = python,
        arguments = [args],
        inputs = [ctx.file.anchor, ctx.file._environment, unused],
        outputs = [output, digest],
        mnemonic = "MlcFetch",
        progress_message = "Fetching {} ({})".format(ctx.attr.title, _megabytes(nbytes)),
        resource_set = _resources,
        unused_inputs_list = unused,
        execution_requirements = requirements,
    )
    return [
        DefaultInfo(files = depset([output])),
        MlcBlobInfo(digest = digest, file = output),
    ]

hub_blob = rule(
    doc = "A file that an action fetches, named after the sha256 of its bytes.",
    implementation = _hub_blob_impl,
    attrs = {
        "anchor": attr.label(
            doc = "A file beside which sources/<sha256>.json says where the Hub has the blob.",
            allow_single_file = True,
            mandatory = True,
        ),
        "nbytes": attr.string(doc = "The size, a decimal number: attr.int has 32 bits.", mandatory = True),
        "title": attr.string(doc = "What the progress message calls the file.", mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_environment": attr.label(default = "@mlc_environment//:anchor", allow_single_file = True),
        "_remote_cache": attr.label(default = "//rules/settings:remote_cache_of_weights"),
        "_tool": attr.label(default = "//tools/hub", cfg = "exec", providers = [MlcToolInfo]),
    },
    # Once for all devices, and for every target that asks.
    cfg = no_device_transition,
    provides = [MlcBlobInfo],
    toolchains = [PYTHON_TOOLCHAIN],
)
