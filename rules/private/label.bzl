"""Labels as users write them, for messages."""

def label_text(label):
    """A label as the user writes it.

    Args:
      label: Label.

    Returns:
      str, such as //app:chat or @phi2//:weights.
    """
    repository, _, rest = str(label).lstrip("@").partition("//")

    # @@rules_mlc~~mlc~phi2: what the user calls phi2.
    names = [name for name in repository.replace("+", "~").split("~") if name]
    return "{}//{}".format("@" + names[-1] if names else "", rest)

def label_of(name):
    """The label of `name` in the package being loaded.

    Args:
      name: The target's name.

    Returns:
      str, such as //app:chat.
    """
    return "//{}:{}".format(native.package_name(), name)
