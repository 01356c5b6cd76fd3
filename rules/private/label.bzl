"""Labels as users write them, for messages."""

def label_text(label):
    """A label as the user writes it.

    Args:
      label: Label.

    Returns:
      str, such as //app:chat.
    """
    return str(label).lstrip("@")

def label_of(name):
    """The label of `name` in the package being loaded.

    Args:
      name: The target's name.

    Returns:
      str, such as //app:chat.
    """
    return "//{}:{}".format(native.package_name(), name)
