"""Rule: a checkpoint's weights, quantized."""

load("//rules/private/providers:converted_info.bzl", "MlcConvertedInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":checkpoint.bzl", "CHECKPOINT_ATTRS", "checkpoint_files")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load(":transitions.bzl", "no_device_transition")

_SAFE = ".safetensors"
_TORCH = [".bin", ".pt", ".pth"]
_INDEX = ".index.json"

def _resources(_os, _input_count):
    # Threads that are busy, and blocks of weights.
    return {"cpu": 4, "memory": 1000}

def _parameters_resources(_os, _input_count):
    # TVM, and a model without its weights: 200 MB at the peak of a 3B model.
    return {"cpu": 1, "memory": 250}

def _weight_files(ctx, files):
    """dict: name -> File, of the kind that is read; where there are both, safetensors."""
    safe = {name: file for name, file in files.items() if name.endswith(_SAFE)}
    kinds = [_SAFE] if safe else _TORCH
    found = {name: file for name, file in files.items() if any([name.endswith(kind) for kind in kinds])}
    if not found:
        fail("{}: attribute checkpoint: no weights; expected .safetensors or .bin files".format(label_text(ctx.label)))
    return found | {
        name: file
        for name, file in files.items()
        if any([name.endswith(kind + _INDEX) for kind in kinds])
    }

def _parameters(ctx, config):
    output = ctx.actions.declare_file(ctx.label.name + ".parameters.json")
    args = tool_arguments(ctx)
    args.add("parameters")
    args.add("--config", config)
    args.add("--quantization", ctx.attr.quantization)
    if ctx.attr.model_type:
        args.add("--model-type", ctx.attr.model_type)
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--output", output)
    run_tool(
        ctx,
        tool = ctx.attr._compiler[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [config],
        outputs = [output],
        mnemonic = "MlcParameters",
        progress_message = "Listing the parameters of %{label}",
        resource_set = _parameters_resources,
    )
    return output

def _mlc_convert_weight_impl(ctx):
    files = checkpoint_files(ctx)
    weights = _weight_files(ctx, files)
    parameters = _parameters(ctx, files["config.json"])
    directory = ctx.actions.declare_directory(ctx.label.name)
    digests = ctx.actions.declare_file(ctx.label.name + ".digests.json")
    tensor_cache = ctx.actions.declare_file(ctx.label.name + ".tensor-cache.json")
    args = tool_arguments(ctx)
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--parameters", parameters)
    for name, file in weights.items():
        args.add("--file", name)
        args.add(file)
    args.add_all("--output", [directory], expand_directories = False)
    args.add("--digests", digests)
    args.add("--tensor-cache", tensor_cache)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [parameters] + weights.values(),
        outputs = [directory, digests, tensor_cache],
        mnemonic = "MlcConvertWeight",
        progress_message = "Converting the weights of %{label}",
        resource_set = _resources,
        weights = True,
    )
    return [
        DefaultInfo(files = depset([directory])),
        OutputGroupInfo(
            digests = depset([digests]),
            parameters = depset([parameters]),
            tensor_cache = depset([tensor_cache]),
        ),
        MlcConvertedInfo(digests = digests, directory = directory, tensor_cache = tensor_cache),
    ]

mlc_convert_weight = rule(
    doc = "See //rules:mlc_convert_weight.bzl.",
    implementation = _mlc_convert_weight_impl,
    attrs = CHECKPOINT_ATTRS | {
        "_compiler": attr.label(default = "//tools/compiler", cfg = "exec", providers = [MlcToolInfo]),
        "_tool": attr.label(default = "//tools/convert_weight", cfg = "exec", providers = [MlcToolInfo]),
    },
    cfg = no_device_transition,
    provides = [MlcConvertedInfo],
    toolchains = [PYTHON_TOOLCHAIN],
)
