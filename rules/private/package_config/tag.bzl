"""The tag `mlc.package`."""

load("//rules/private:label.bzl", "label_text")
load("//rules/private/hub:model_name.bzl", "DEFAULT_ENDPOINT", "name_error", "repo_of")
load("//rules/private/hub:models.bzl", "hub_model", "lock_request")
load(":repository.bzl", "package_repository")

package_tag = tag_class(
    doc = """Packages what an mlc-package-config.json asks for, as a repository with these targets:

- `@chat//:mlc_package`: the package; `bazel run` installs it into `dist/` beside the file. Of several devices, it stands
  for all packages, each of which is installed into a folder of its own, such as `dist/android/`
- `@chat//:mlc_package_android`, ...: of several devices, the package of one
- `@chat//:<model_id>`: each model
- `@chat//:lock`: `bazel run` writes the lock""",
    attrs = {
        "cached": attr.string_dict(
            doc = "From `org/repo`, a model of the Hub, to the absolute directory that it lies in: nothing is fetched or pinned.",
        ),
        "config": attr.label(doc = "The mlc-package-config.json.", mandatory = True),
        "devices": attr.string_list(doc = "Devices of docs/devices.md to build for, in place of the `device` of the file."),
        "directory": attr.string(
            doc = "The absolute directory that paths in the file are relative to; if not given, that of the file.",
        ),
        "lock": attr.label(
            doc = "The lock of models of the Hub, such as `//:mlc.lock.json`. It need not exist yet.",
        ),
        "name": attr.string(doc = "The repository's name.", mandatory = True),
        "runtime_from_source": attr.string(
            doc = "The version of the TVM in mlc-llm's sources, such as `0.27.0`: packages for phones that have no runtime in " +
                  "`runtimes` get an mlc_runtime_from_source of the directory `MLC_LLM_SOURCE_DIR`. If not given, they have none.",
        ),
        "runtimes": attr.label_keyed_string_dict(
            doc = "From an mlc_runtime, visible to the repository, to the device of the package that takes it.",
        ),
        "strict": attr.bool(doc = "Whether an unknown key of the file is an error; a warning otherwise."),
    },
)

def tagged_packages(mctx):
    """The packages of every module.

    Args:
      mctx: The module context.

    Returns:
      list of struct(tag, hub): the tag, and the models of the Hub that its file names: what hub_model returns, by
      `org/repo`.
    """
    return [
        struct(tag = tag, hub = _hub(mctx, tag, "" if module.is_root else module.name))
        for module in mctx.modules
        for tag in module.tags.package
    ]

def package_repositories(packages):
    """Makes a repository for each package.

    Args:
      packages: What tagged_packages returns.
    """
    seen = {}
    for package in packages:
        tag = package.tag
        if tag.name in seen:
            fail("mlc.package(name = {}): two packages have this name; give each its own".format(repr(tag.name)))
        seen[tag.name] = True
        package_repository(
            name = tag.name,
            cached = tag.cached,
            config = tag.config,
            devices = tag.devices,
            directory = tag.directory,
            hub = {repo: model.name for repo, model in package.hub.items()},
            lock_requests = json.encode_indent([lock_request(model) for model in package.hub.values()], indent = "  "),
            runtime_from_source = tag.runtime_from_source,
            runtimes = {device: str(runtime) for runtime, device in tag.runtimes.items()},
            strict = tag.strict,
        )

def _hub(mctx, tag, module):
    """The models of the Hub; no more is read here, because only the repository's tool knows every mistake."""
    wrong = name_error(tag.name)
    if wrong:
        fail("mlc.package(name = {}): {}".format(repr(tag.name), wrong))
    if not mctx.path(tag.config).exists:
        fail("mlc.package(name = {}): attribute config: there is no file {}".format(repr(tag.name), label_text(tag.config)))
    config = json.decode(mctx.read(tag.config), default = None)
    entries = config.get("model_list") if type(config) == "dict" else None
    models = {}
    names = {}
    for entry in entries if type(entries) == "list" else []:
        source = entry.get("model") if type(entry) == "dict" else None
        repo = repo_of(source, DEFAULT_ENDPOINT) if type(source) == "string" and "://" in source else None
        if not repo or repo in models or repo in tag.cached:
            continue
        name = "{}_{}".format(tag.name, repo.partition("/")[2].replace(".", "_"))
        for _ in range(len(names)):
            if name not in names:
                break
            name += "_"
        names[name] = True
        models[repo] = hub_model(
            name = name,
            lock = tag.lock,
            module = module,
            model = "HF://" + repo,
            owner = tag.name,
            tag = "mlc.package",
        )
    return models
