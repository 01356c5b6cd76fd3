"""Models of the Hugging Face Hub as repositories: what module extensions call.

A model `phi2` becomes three repositories, so that nothing is fetched before it is needed:

- `phi2`: the targets users name, and the program that locks; made without the network
- `phi2.model`: mlc-chat-config.json, and the list of all files
- `phi2.files`: the other small files

Weights are targets of `mlc_hub`, one for each distinct sha256 of all locked models.
"""

load(":blobs.bzl", "is_blob", "source_of")
load(":central_repository.bzl", "central_repository")
load(":lock_file.bzl", "entry_error", "read_lock", "stale")
load(":model_name.bzl", "DEFAULT_ENDPOINT", "name_error", "repo_of")
load(":model_repositories.bzl", "blob_repository", "files_repository", "model_repository", "user_repository")

# Hidden files and Markdown, which no app needs.
DEFAULT_EXCLUDE = [".*", "*/.*", "*.md"]

FETCH = ["action", "repository"]

def hub_model(
        name,
        model,
        revision = "main",
        lock = None,
        include = [],
        exclude = DEFAULT_EXCLUDE,
        fetch = "action",
        tag = "mlc.hub_model",
        owner = None,
        module = ""):
    """A model of the Hub, for hub_models.

    Args:
      name: str, the repository's name in Bazel.
      model: str: `HF://org/repo`, `https://huggingface.co/org/repo` or `org/repo`.
      revision: str: a branch, a tag, or a commit.
      lock: Label of the lock, which need not exist, or None.
      include: list[str]: globs of the files to take; empty for all.
      exclude: list[str]: globs of the files to leave out.
      fetch: str: `action` or `repository`.
      tag: str: the tag that names the model.
      owner: str: the name in that tag, which is also that of the repository that locks the model; `name` if not given.
      module: str: the module that has the tag; empty for the root module, whose workspace locks are written into.

    Returns:
      struct.
    """
    return struct(
        name = name,
        model = model,
        revision = revision,
        lock = lock,
        include = include,
        exclude = exclude,
        fetch = fetch,
        tag = tag,
        owner = owner or name,
        module = module,
    )

def hub_models(mctx, models):
    """Makes the repositories of models; call it once in a module extension.

    Args:
      mctx: The module context.
      models: list of what hub_model returns.

    Returns:
      bool: whether every model is locked, which makes the extension's result reproducible.
    """
    endpoint = DEFAULT_ENDPOINT
    if [model for model in models if "://" in model.model]:
        endpoint = mctx.getenv("HF_ENDPOINT") or DEFAULT_ENDPOINT
    locks = {}
    seen = {}
    resolved = []
    for model in models:
        repo = _checked(model, endpoint)
        if model.name in seen:
            if not same_model(seen[model.name], model):
                fail("{}: two models have this name; give each its own".format(_where(model)))
            continue
        seen[model.name] = model
        if model.lock != None and model.lock not in locks:
            locks[model.lock] = read_lock(mctx, model.lock)
        entry = locks.get(model.lock, {}).get(model.name)
        resolved.append(struct(model = model, entry = entry, problem = _problem(model, repo, entry)))
    locked = [one for one in resolved if one.entry and not one.problem]
    by_repository = _weights(seen.values(), locked)
    for one in resolved:
        _repositories_of(one.model, one.entry, one.problem, by_repository)
    return len(locked) == len(resolved)

def same_model(first, second):
    """Whether two tags ask for one model; the lock of the first counts.

    Args:
      first: What hub_model returns.
      second: What hub_model returns.

    Returns:
      bool.
    """
    return first.module != second.module and _definition(first) == _definition(second) or first == second

def _definition(model):
    return (model.name, model.model, model.revision, model.include, model.exclude, model.fetch, model.tag, model.owner)

def _where(model):
    """What messages call the model's tag."""
    return "{}(name = {}){}".format(model.tag, repr(model.owner), " of module " + model.module if model.module else "")

def lock_command(model):
    """How a user makes a model's lock.

    Args:
      model: What hub_model returns.

    Returns:
      str: a command; for another module, with where to run it.
    """
    return "bazel run @{}//:lock{}".format(model.owner, " in the workspace of module " + model.module if model.module else "")

def _checked(model, endpoint):
    """Fails on what no lock could mend; returns org/repo."""
    where = _where(model)
    wrong = name_error(model.name)
    if wrong:
        fail("{}: {}".format(where, wrong))
    repo = repo_of(model.model, endpoint)
    if not repo:
        fail("{}: attribute model: expected HF://org/repo, {}/org/repo or org/repo, got {}".format(where, endpoint, repr(model.model)))
    if model.fetch not in FETCH:
        fail("{}: attribute fetch: expected one of {}, got {}".format(where, ", ".join(FETCH), repr(model.fetch)))
    return repo

def _problem(model, repo, entry):
    """Why the lock's entry cannot be used, or None."""
    if not entry:
        return None
    wrong = entry_error(entry)
    if wrong:
        return "{lock}: $.models.{name}: {wrong}; remove {lock} and run: {command}".format(
            command = lock_command(model),
            lock = _lock_path(model),
            name = model.name,
            wrong = wrong,
        )
    wrong = stale(model, repo, entry)
    if wrong:
        return "{}: {}; run: {}".format(_where(model), wrong, lock_command(model))
    return None

def _lock_path(model):
    """Where the model's lock is, relative to the workspace."""
    if model.lock == None:
        return "mlc.lock.json"
    return "/".join([part for part in [model.lock.package, model.lock.name] if part])

def lock_request(model):
    """A model as `python -m tools.hub lock --models` takes it.

    Args:
      model: What hub_model returns.

    Returns:
      dict: an entry of the list in that file.
    """
    return {
        "exclude": model.exclude,
        "include": model.include,
        "lock": _lock_path(model),
        "model": model.model,
        "name": model.name,
        "revision": model.revision,
    }

def lock_requests(models):
    """What `@mlc_hub//:lock` locks: the models of the root module, whose workspace it writes into.

    Args:
      models: list of what hub_model returns.

    Returns:
      list of what lock_request returns.
    """
    return [lock_request(model) for model in models if not model.module]

def _repositories_of(model, entry, problem, by_repository):
    user_repository(
        name = model.name,
        error = problem,
        model = model.name,
        request = json.encode_indent([lock_request(model)], indent = "  "),
    )
    if problem:
        return
    model_repository(
        name = model.name + ".model",
        entry = json.encode(entry) if entry else "",
        fetch = model.fetch,
        model = model.name,
        lock_command = lock_command(model),
        repository_blobs = [f["sha256"] for f in entry["files"] if f["sha256"] in by_repository] if entry else [],
        request = json.encode([dict(lock_request(model), lock = "lock.json")]),
        unlocked_tag = model.tag if model.lock == None else "",
    )
    files_repository(
        name = model.name + ".files",
        with_weights = model.fetch == "repository" and not entry,
        model_json = "@{}.model//:model.json".format(model.name),
    )

def _weights(models, locked):
    """Makes one target for each distinct blob of the locked models; returns those that repositories fetch."""
    blobs = {}
    by_repository = {}
    for one in locked:
        for file in one.entry["files"]:
            if not is_blob(file):
                continue
            blob = blobs.setdefault(file["sha256"], {"nbytes": file["nbytes"], "sources": []})
            source = source_of(one.entry, file)
            if source not in blob["sources"]:
                blob["sources"].append(source)
            if one.model.fetch == "repository":
                by_repository[file["sha256"]] = blob
    central_repository(
        name = "mlc_hub",
        blobs = json.encode({k: v for k, v in blobs.items() if k not in by_repository}),
        request = json.encode_indent(lock_requests(models), indent = "  "),
    )
    for sha256, blob in by_repository.items():
        blob_repository(name = "mlc_blob." + sha256, blob = json.encode(blob), sha256 = sha256)
    return by_repository
