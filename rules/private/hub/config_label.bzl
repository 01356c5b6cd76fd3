"""Which target has the chat config of a model of the Hub."""

# What Bazel puts before the names of our extension's repositories, such as rules_mlc~~mlc~; nothing in a WORKSPACE, which
# has no models of the Hub.
_PREFIX = Label("@mlc_environment//:anchor").repo_name.removesuffix("mlc_environment")

def config_label(label, prefix = _PREFIX):
    """Narrows a model of the Hub to its chat config.

    `@phi2` is every file of the model; a library that depended on it would have the tokenizer fetched with it.

    Args:
      label: Label.
      prefix: str: what the names of models' repositories begin with; empty where there are none.

    Returns:
      Label: the same; for `@phi2`, `@phi2//:config`.
    """
    if prefix and label.repo_name == prefix + label.name and not label.package:
        return Label("@@{}//:config".format(label.repo_name))
    return label
