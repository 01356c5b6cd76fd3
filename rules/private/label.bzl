"""Labels as users write them, for messages."""

def apparent_repository(label):
    """The repository of a label, by the name that a module knows it by.

    Args:
      label: Label.

    Returns:
      str, such as chat for the repository rules_mlc~~mlc~chat of a module extension; empty for the workspace itself.
    """
    canonical = str(label).lstrip("@").partition("//")[0]
    return ([""] + [part for part in canonical.replace("+", "~").split("~") if part])[-1]

def label_text(label):
    """A label as the user writes it.

    A tool takes it as `--where=LABEL` in one argument: one that begins with `@` would name a file of arguments.

    Args:
      label: Label.

    Returns:
      str, such as //app:chat or @phi2//:weights.
    """
    repository = apparent_repository(label)
    return "{}//{}".format("@" + repository if repository else "", str(label).partition("//")[2])

def label_of(name):
    """The label of `name` in the package being loaded.

    Args:
      name: The target's name.

    Returns:
      str, such as //app:chat.
    """
    return "//{}:{}".format(native.package_name(), name)
