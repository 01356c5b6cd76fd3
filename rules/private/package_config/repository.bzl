"""Repository rule: the targets of an mlc-package-config.json."""

_LOAD_LOCK = """\
load("@rules_mlc//rules/private/hub:lock.bzl", "hub_lock")
"""

_LOCK = """
# Makes or refreshes the lock of these models.
hub_lock(
    name = "lock",
    models = "models.json",
)
"""

def _tool(rctx):
    """The command that runs //tools/package_config, outside of any action."""
    environment = rctx.path(Label("@mlc_python//:stamp.json")).dirname
    tools = rctx.path(Label("//tools:run_module.py")).dirname
    for name in ["config", "hub", "package_config", "runtime_source"]:
        rctx.watch_tree(tools.get_child(name))
    return [
        environment.get_child("python3"),
        "-E",
        "-s",
        "-S",
        "-B",
        tools.get_child("run_module.py"),
        environment.get_child("site"),
        "tools.package_config",
    ]

def _package_repository_impl(rctx):
    rctx.watch(rctx.attr.config)
    config = rctx.attr.config
    command = _tool(rctx) + ["repository", rctx.path(config)]
    command += ["--name", "/".join([part for part in [config.package, config.name] if part])]
    command += ["--install-dir", "/".join([part for part in [config.package, "dist"] if part])]
    for device in rctx.attr.devices:
        command += ["--device", device]
    if rctx.attr.directory:
        command += ["--directory", rctx.attr.directory]
    for repo, directory in rctx.attr.cached.items():
        command += ["--cached", repo, directory]
    for repo, name in rctx.attr.hub.items():
        command += ["--hub", repo, name]
    for device, label in rctx.attr.runtimes.items():
        command += ["--runtime", device, label]
    if rctx.attr.runtime_from_source:
        command += ["--runtime-from-source", rctx.attr.runtime_from_source]
    if rctx.attr.strict:
        command.append("--strict")
    done = rctx.execute(command, environment = {"HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}, quiet = True)
    if done.return_code:
        fail("\n" + done.stderr.strip())
    for warning in done.stderr.strip().splitlines():
        # buildifier: disable=print
        print(warning)
    answer = json.decode(done.stdout)
    for directory in answer["directories"]:
        rctx.path(directory).readdir(watch = "yes")
    for path, file in answer["links"].items():
        rctx.symlink(file, path)
    rctx.file("models.json", rctx.attr.lock_requests + "\n")
    rctx.file("BUILD.bazel", _LOAD_LOCK + answer["build_file"] + _LOCK)

package_repository = repository_rule(
    doc = """Makes the targets of an mlc-package-config.json: a model for each entry, and the package.

Files of local models are links, so an edit of one is noticed, and nothing is copied.""",
    implementation = _package_repository_impl,
    attrs = {
        "cached": attr.string_dict(doc = "For each model of the Hub that lies on this machine, `org/repo`, its directory."),
        "config": attr.label(doc = "The mlc-package-config.json.", allow_single_file = True, mandatory = True),
        "devices": attr.string_list(doc = "In place of those that the file names."),
        "directory": attr.string(doc = "Where relative paths begin, if not at the directory of the file."),
        "hub": attr.string_dict(doc = "For each model of the Hub, `org/repo`, its repository in Bazel."),
        "lock_requests": attr.string(doc = "JSON, as `python -m tools.hub lock --models` takes it.", mandatory = True),
        "runtime_from_source": attr.string(doc = "The TVM in the sources that the other devices get their runtime of."),
        "runtimes": attr.string_dict(doc = "For each device that has one, the label of its mlc_runtime."),
        "strict": attr.bool(doc = "Whether an unknown key is an error."),
    },
)
