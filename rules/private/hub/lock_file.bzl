"""What mlc.lock.json says of a model; `python -m tools.hub lock` writes it and checks it in full."""

_VERSION = 1

_KINDS = {"int": "an integer", "list": "a list", "string": "a string"}

def read_lock(mctx, label):
    """Reads a lock.

    Args:
      mctx: The module context; it reads the file again when it changes or appears.
      label: Label of the lock.

    Returns:
      dict: models by name; empty where the file does not exist.
    """
    path = mctx.path(label)
    if not path.exists:
        return {}
    value = json.decode(mctx.read(path), default = None)
    if type(value) != "dict" or value.get("version") != _VERSION or type(value.get("models")) != "dict":
        fail("{}: is not a lock of version {}; remove it and make it anew".format(label.name, _VERSION))
    return value["models"]

def entry_error(entry):
    """What is wrong with the shape of a model in a lock.

    Args:
      entry: What the lock has under the model's name.

    Returns:
      str or None: a message.
    """
    if type(entry) != "dict":
        return "expected an object"
    for name, kind in {"commit": "string", "exclude": "list", "files": "list", "include": "list", "repo": "string", "revision": "string"}.items():
        if type(entry.get(name)) != kind:
            return "{}: expected {}".format(name, _KINDS[kind])
    if not _is_hex(entry["commit"], 40):
        return "commit: expected 40 hexadecimal digits"
    for index, file in enumerate(entry["files"]):
        for name, kind in {"nbytes": "int", "path": "string", "sha256": "string"}.items():
            if type(file) != "dict" or type(file.get(name)) != kind:
                return "files[{}].{}: expected {}".format(index, name, _KINDS[kind])
        if not _is_hex(file["sha256"], 64):
            return "files[{}].sha256: expected 64 hexadecimal digits".format(index)
        wrong = path_error(file["path"])
        if wrong:
            return "files[{}].path: {} {}".format(index, repr(file["path"]), wrong)
    return None

def path_error(path):
    """What is wrong with a path as the name of a file and of a target.

    `python -m tools.hub` refuses more; this keeps an edited lock inside its directory.

    Args:
      path: str.

    Returns:
      str or None: a message.
    """
    for part in path.split("/"):
        if part in ["", ".", ".."]:
            return "leaves its directory"
        if part.lower() in _RESERVED:
            return "contains the reserved name " + part
    for c in path.elems():
        if c not in _IN_TARGETS:
            return "contains {}, which no target's name has; leave the file out by attribute exclude".format(repr(c))
    return None

_RESERVED = [".git", "build", "build.bazel", "module.bazel", "repo.bazel", "vendor.bazel", "workspace", "workspace.bazel", "workspace.bzlmod"]

_IN_TARGETS = "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!%-@^_\"#$&'()*+,;<=>?[]{|}~. "

def _is_hex(text, length):
    return len(text) == length and not [c for c in text.elems() if c not in "0123456789abcdef"]

def stale(model, repo, entry):
    """What a user changed since the lock was made.

    Args:
      model: struct of a model, as hub_model makes it.
      repo: str, org/repo.
      entry: dict, the model in the lock.

    Returns:
      str or None: a message.
    """
    for name, said in {
        "model": (repo, entry["repo"]),
        "revision": (model.revision, entry["revision"]),
        "include": (model.include, entry["include"]),
        "exclude": (model.exclude, entry["exclude"]),
    }.items():
        if said[0] != said[1]:
            return "attribute {} is {}, and the lock was made for {}".format(name, repr(said[0]), repr(said[1]))
    return None
