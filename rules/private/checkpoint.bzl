"""The files of a Hugging Face checkpoint among a rule's inputs."""

load("//rules/private/providers:files_info.bzl", "MlcFilesInfo")
load(":label.bzl", "label_text")

_CONFIG = "config.json"

# The attributes of every rule that reads a checkpoint.
CHECKPOINT_ATTRS = {
    "checkpoint": attr.label_list(
        doc = "The files of the checkpoint.",
        allow_files = True,
        mandatory = True,
    ),
    "model_type": attr.string(doc = "The family; empty for the one that config.json names."),
    "quantization": attr.string(doc = "The quantization.", mandatory = True),
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}

def checkpoint_files(ctx):
    """The files beside config.json, by their names.

    Args:
      ctx: The context of a rule that has CHECKPOINT_ATTRS.

    Returns:
      dict: name -> File; config.json is among them.
    """
    files = {}
    for target in ctx.attr.checkpoint:
        if MlcFilesInfo in target:
            files.update({f.path: f.file for f in target[MlcFilesInfo].files})
        else:
            files.update({f.short_path: f for f in target[DefaultInfo].files.to_list()})
    configs = [path for path in files if path.split("/")[-1] == _CONFIG]
    if len(configs) != 1:
        fail("{}: attribute checkpoint: expected one {}, got {}; give the files of one checkpoint".format(
            label_text(ctx.label),
            _CONFIG,
            len(configs),
        ))
    directory = configs[0][:-len(_CONFIG)]
    return {
        path[len(directory):]: file
        for path, file in files.items()
        if path.startswith(directory) and "/" not in path[len(directory):]
    }
