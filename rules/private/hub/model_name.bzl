"""Which repository of the Hub a user means, and what Bazel calls it."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORD = _LETTERS + "0123456789_-"

DEFAULT_ENDPOINT = "https://huggingface.co"

def name_error(name):
    """What is wrong with the name of a model's repository in Bazel.

    Args:
      name: str.

    Returns:
      str or None: a message.
    """
    bad = [c for c in name.elems() if c not in _WORD]
    if bad or not name or name[0] not in _LETTERS:
        return "attribute name: expected a letter, then letters, digits, \"_\" and \"-\", got {}".format(repr(name))
    if name.startswith("mlc_"):
        return "attribute name: names that start with mlc_ are those of rules_mlc, got {}".format(repr(name))
    return None

def repo_of(model, endpoint):
    """`org/repo` of a model.

    Args:
      model: str: `HF://org/repo`, `org/repo`, or the address of its page.
      endpoint: str: the Hub that is asked; pages at https://huggingface.co count as its own.

    Returns:
      str or None: None where it is no model of the Hub.
    """
    name = model
    if model[:5].lower() == "hf://":
        name = model[5:]
    elif "://" in model:
        hosts = [host for host in [endpoint.rstrip("/"), DEFAULT_ENDPOINT] if model.startswith(host + "/")]
        if not hosts:
            return None
        name = model[len(hosts[0]) + 1:]
    parts = name.rstrip("/").split("/")
    good = len(parts) == 2 and ".." not in name and not [
        part
        for part in parts
        if not part or part[0] in "-._" or len(part) > 96 or [c for c in part.elems() if c not in _WORD + "."]
    ]
    return "/".join(parts) if good else None
