"""Public rule: the weights, tokenizer and chat config of a model."""

load("//rules/private:checks.bzl", "directory_error", "directory_prefix")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:weight_bundle.bzl", _mlc_weight_bundle = "mlc_weight_bundle")

def mlc_weight_bundle(name, srcs = None, directory = None, **kwargs):
    """Verifies converted weights and offers them to mlc_model. The files are linked into packages, never copied.

    Every shard that tensor-cache.json records must be there, with its size in bytes and its md5; so must every
    tokenizer file that mlc-chat-config.json names. An ndarray-cache.json is accepted and packaged as tensor-cache.json.
    Each file is hashed by an action of its own, so a changed shard costs one shard. Files of the Hub have been held against
    the sha256 of their lock already, which stands for the md5.

    The default output is a JSON manifest: sha256 and size of every file, name, shape and dtype of every parameter.

    Args:
      name: str: the target's name.
      srcs: list[label]: files or file groups: all files of one converted model, in one directory; or one label of a model
        of the Hugging Face Hub, such as `@phi2`; or the targets of an mlc_chat_config and an mlc_convert_weight.
      directory: str: a directory of this package in place of `srcs`: all its files but hidden ones, Markdown and BUILD files.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    if (srcs == None) == (directory == None):
        fail("{}: give one of srcs (labels) and directory (a directory of this package)".format(label_of(name)))
    if directory != None:
        first_error(directory_error(label_of(name), directory))
        prefix = directory_prefix(directory)
        srcs = native.glob(
            [prefix + "**"],
            exclude = [prefix + "**/.*", prefix + "**/.*/**", prefix + "**/*.md", prefix + "**/BUILD*"],
            allow_empty = True,
        )
        if not srcs:
            fail('{}: attribute directory: "{}" has no files in this package'.format(label_of(name), directory))
    _mlc_weight_bundle(
        name = name,
        srcs = srcs,
        **kwargs
    )
