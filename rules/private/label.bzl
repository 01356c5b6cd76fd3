"""The label of a target that is being declared, for messages."""

def label_of(name):
    """The label of `name` in the package being loaded.

    Args:
      name: The target's name.

    Returns:
      str, such as //app:chat.
    """
    return "//{}:{}".format(native.package_name(), name)
