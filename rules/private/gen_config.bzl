"""Rule: the chat config of a checkpoint, with its tokenizer."""

load("//rules/private/providers:files_info.bzl", "MlcFilesInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":checkpoint.bzl", "CHECKPOINT_ATTRS", "checkpoint_files")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load(":transitions.bzl", "no_device_transition")

_CHAT_CONFIG = "mlc-chat-config.json"
_GENERATION = "generation_config.json"
_TOKENIZER = "tokenizer.json"

# What an app may need.
_TOKENIZER_FILES = [
    "tokenizer.model",
    _TOKENIZER,
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "tokenizer_config.json",
]

def _link(ctx, name, file):
    output = ctx.actions.declare_file("{}/{}".format(ctx.label.name, name))
    ctx.actions.symlink(output = output, target_file = file)
    return struct(path = name, file = output, digest = None)

def _mlc_chat_config_impl(ctx):
    checkpoint = checkpoint_files(ctx)
    files = {name: checkpoint[name] for name in [_GENERATION] + _TOKENIZER_FILES if name in checkpoint}
    output = ctx.actions.declare_file("{}/{}".format(ctx.label.name, _CHAT_CONFIG))
    args = tool_arguments(ctx)
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--config", checkpoint["config.json"])
    for name, file in files.items():
        args.add("--file", name)
        args.add(file)
    args.add("--quantization", ctx.attr.quantization)
    args.add("--conv-template", ctx.attr.conv_template)
    if ctx.attr.model_type:
        args.add("--model-type", ctx.attr.model_type)
    args.add("--overrides", ctx.attr.overrides)
    args.add("--output", output)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        # Of the other files the names are all that counts.
        inputs = [checkpoint["config.json"]] + [files[name] for name in [_GENERATION, _TOKENIZER] if name in files],
        outputs = [output],
        mnemonic = "MlcChatConfig",
        progress_message = "Making the chat config of %{label}",
    )
    results = [struct(path = _CHAT_CONFIG, file = output, digest = None)] + [
        _link(ctx, name, file)
        for name, file in files.items()
        if name != _GENERATION
    ]
    return [
        DefaultInfo(files = depset([f.file for f in results])),
        MlcFilesInfo(files = results),
    ]

mlc_chat_config = rule(
    doc = "See //rules:mlc_chat_config.bzl.",
    implementation = _mlc_chat_config_impl,
    attrs = CHECKPOINT_ATTRS | {
        "conv_template": attr.string(doc = "The conversation template.", mandatory = True),
        "overrides": attr.string(doc = "A JSON object."),
        "_tool": attr.label(default = "//tools/gen_config", cfg = "exec", providers = [MlcToolInfo]),
    },
    cfg = no_device_transition,
    provides = [MlcFilesInfo],
    toolchains = [PYTHON_TOOLCHAIN],
)
