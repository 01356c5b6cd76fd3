"""The chat config of a rule that has attribute `config`."""

load(":label.bzl", "label_text")

_CHAT_CONFIG = "mlc-chat-config.json"

def chat_config_of(ctx, where):
    """The chat config among the files of attribute `config`.

    Args:
      ctx: The rule context.
      where: str, the target that the user wrote.

    Returns:
      File: the one of that name, else the only one.
    """
    files = ctx.files.config
    named = [f for f in files if f.basename == _CHAT_CONFIG]
    if len(named) == 1:
        return named[0]
    if len(files) == 1:
        return files[0]
    fail("{}: attribute config: expected one file, or a target with one {}; {} has {} of {} files".format(
        where,
        _CHAT_CONFIG,
        label_text(ctx.attr.config.label),
        len(named),
        len(files),
    ))
