"""Which target has the chat config of a model of the Hub."""

# What Bazel puts before the names of our extension's repositories, such as rules_mlc~~mlc~.
_PREFIX = Label("@mlc_environment//:anchor").repo_name.removesuffix("mlc_environment")

def config_label(label):
    """Narrows a model of the Hub to its chat config.

    `@phi2` is every file of the model; a library that depended on it would have the tokenizer fetched with it.

    Args:
      label: Label.

    Returns:
      Label: the same; for `@phi2`, `@phi2//:config`.
    """
    if label.repo_name == _PREFIX + label.name and not label.package:
        return Label("@@{}//:config".format(label.repo_name))
    return label
