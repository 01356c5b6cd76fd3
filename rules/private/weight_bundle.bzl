"""Rule: a verified set of model weights."""

load("//rules/private/providers:converted_info.bzl", "MlcConvertedInfo")
load("//rules/private/providers:files_info.bzl", "MlcFilesInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load("//rules/private/providers:weight_info.bzl", "MlcWeightInfo")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load(":transitions.bzl", "no_device_transition")

_CHAT_CONFIG = "mlc-chat-config.json"
_TENSOR_CACHE = "tensor-cache.json"

# What older model repositories call tensor-cache.json.
_OLD_TENSOR_CACHE = "ndarray-cache.json"

def _names_in_directory(ctx, files):
    """dict: name inside the bundle -> struct; names are relative to the directory of the chat config."""
    configs = [f for f in files if f.basename == _CHAT_CONFIG]
    if len(configs) != 1:
        fail("{}: attribute srcs: expected one {}, got {}".format(label_text(ctx.label), _CHAT_CONFIG, len(configs)))
    directory = configs[0].short_path[:-len(_CHAT_CONFIG)]
    for f in files:
        if not f.short_path.startswith(directory):
            fail("{}: attribute srcs: {} is outside of {}, the directory of {}; a bundle is one directory".format(
                label_text(ctx.label),
                f.short_path,
                directory,
                _CHAT_CONFIG,
            ))
    return {f.short_path[len(directory):]: struct(file = f, digest = None) for f in files}

def _names_in_bundle(ctx, srcs):
    """dict: name inside the bundle -> struct(file, digest)."""
    models = [src for src in srcs if MlcFilesInfo in src]
    if not models:
        return _names_in_directory(ctx, [f for src in srcs for f in src[DefaultInfo].files.to_list()])
    if len(srcs) > 1:
        fail("{}: attribute srcs: {} is a whole model; give nothing beside it".format(
            label_text(ctx.label),
            label_text(models[0].label),
        ))
    return {f.path: struct(file = f.file, digest = f.digest) for f in models[0][MlcFilesInfo].files}

def _converted(ctx):
    """MlcConvertedInfo or None: the weights among srcs that this build converts."""
    found = [src[MlcConvertedInfo] for src in ctx.attr.srcs if MlcConvertedInfo in src]
    if len(found) > 1:
        fail("{}: attribute srcs: {} targets of mlc_convert_weight; a bundle is of one model".format(
            label_text(ctx.label),
            len(found),
        ))
    return found[0] if found else None

def _digest(ctx, name, file):
    output = ctx.actions.declare_file("{}.digests/{}.json".format(ctx.label.name, name))
    args = tool_arguments(ctx)
    args.add("digest")
    args.add(file)
    args.add("--output", output)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [file],
        outputs = [output],
        mnemonic = "MlcDigest",
        progress_message = "Hashing {} of %{{label}}".format(name),
        weights = True,
    )
    return output

def _tensor_cache(ctx, files):
    """The name of the tensor cache among the files."""
    cache = _TENSOR_CACHE if _TENSOR_CACHE in files else _OLD_TENSOR_CACHE
    if cache not in files:
        fail("{}: attribute srcs: no {} (nor {}); give every file of the converted model".format(
            label_text(ctx.label),
            _TENSOR_CACHE,
            _OLD_TENSOR_CACHE,
        ))
    return cache

def _check(ctx, chat_config, cache_name, cache, digests, converted):
    manifest = ctx.actions.declare_file(ctx.label.name + ".weights.json")
    args = tool_arguments(ctx)
    args.add("check")
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--chat-config", chat_config)
    args.add("--tensor-cache", cache)
    args.add("--tensor-cache-name", cache_name)
    for name, digest in digests.items():
        args.add("--digest", name)
        args.add(digest)
    if converted:
        args.add("--digests", converted.digests)
    args.add("--output", manifest)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [chat_config, cache] + digests.values() + ([converted.digests] if converted else []),
        outputs = [manifest],
        mnemonic = "MlcWeights",
        progress_message = "Checking the weights of %{label}",
    )
    return manifest

def _bundle(ctx, files, converted):
    """The action that makes one directory of converted weights and the files beside them."""
    output = ctx.actions.declare_directory(ctx.label.name + ".bundle")
    args = tool_arguments(ctx)
    args.add("bundle")
    args.add_all("--tree", [converted.directory], expand_directories = False)
    for name, file in files.items():
        args.add("--file", name)
        args.add(file)
    args.add_all("--output", [output], expand_directories = False)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [converted.directory] + files.values(),
        outputs = [output],
        mnemonic = "MlcBundle",
        progress_message = "Linking the weights of %{label}",
        # No link leads out of a sandbox.
        execution_requirements = {"block-network": "1", "no-sandbox": "1"},
        weights = True,
    )
    return output

def _mlc_weight_bundle_impl(ctx):
    converted = _converted(ctx)
    files = _names_in_bundle(ctx, [src for src in ctx.attr.srcs if MlcConvertedInfo not in src])
    if _TENSOR_CACHE in files:
        files.pop(_OLD_TENSOR_CACHE, None)
    digests = {name: f.digest or _digest(ctx, name, f.file) for name, f in files.items()}
    files = {name: f.file for name, f in files.items()}
    if _CHAT_CONFIG not in files:
        fail("{}: attribute srcs: no {}; a checkpoint is converted by mlc_convert_weight and mlc_chat_config".format(
            label_text(ctx.label),
            _CHAT_CONFIG,
        ))
    chat_config = files[_CHAT_CONFIG]
    if converted:
        cache_name, cache = _TENSOR_CACHE, converted.tensor_cache
    else:
        cache_name = _tensor_cache(ctx, files)
        cache = files[cache_name]
    manifest = _check(ctx, chat_config, cache_name, cache, digests, converted)
    return [
        DefaultInfo(files = depset([manifest])),
        MlcWeightInfo(
            chat_config = chat_config,
            directory = _bundle(ctx, files, converted) if converted else None,
            files = [] if converted else [
                struct(path = _TENSOR_CACHE if name == _OLD_TENSOR_CACHE else name, file = file)
                for name, file in files.items()
            ],
            manifest = manifest,
        ),
    ]

mlc_weight_bundle = rule(
    doc = "See //rules:mlc_weight_bundle.bzl.",
    implementation = _mlc_weight_bundle_impl,
    attrs = {
        "srcs": attr.label_list(
            doc = "Every file of the converted model, or one target that has MlcFilesInfo; MlcConvertedInfo in place of weights.",
            allow_files = True,
            mandatory = True,
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_tool": attr.label(default = "//tools/weights", cfg = "exec", providers = [MlcToolInfo]),
    },
    cfg = no_device_transition,
    provides = [MlcWeightInfo],
    toolchains = [PYTHON_TOOLCHAIN],
)
