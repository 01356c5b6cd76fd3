"""Repository rules: one model of the Hugging Face Hub."""

load(":blobs.bzl", "is_blob", "source_of", "write_blobs")
load(":download.bzl", "DOWNLOAD_ATTRS", "download", "run_hub")
load(":lock_file.bzl", "entry_error")

_CHAT_CONFIG = "mlc-chat-config.json"

_USER_BUILD = """\
load("@rules_mlc//rules/private/hub:lock.bzl", "hub_lock")

package(default_visibility = ["//visibility:public"])

# Every file: for `srcs` of mlc_weight_bundle.
alias(
    name = "{name}",
    actual = "@{name}.model//:files",
)

# mlc-chat-config.json: for `config` of mlc_model_lib. Nothing else is fetched for it.
alias(
    name = "config",
    actual = "@{name}.model//:{config}",
)

# An mlc_weight_bundle of every file: for `weights` of mlc_model.
alias(
    name = "weights",
    actual = "@{name}.model//:weights",
)

# Makes or refreshes the lock: bazel run @{name}//:lock
hub_lock(
    name = "lock",
    models = "models.json",
)
"""

_ERROR_BUILD = """\
load("@rules_mlc//rules/private/hub:error.bzl", "hub_error")
load("@rules_mlc//rules/private/hub:lock.bzl", "hub_lock")

package(default_visibility = ["//visibility:public"])

[hub_error(
    name = name,
    message = {message},
) for name in [{name}, "config", "weights"]]

# Makes or refreshes the lock: bazel run @{name}//:lock
hub_lock(
    name = "lock",
    models = "models.json",
)
"""

def _user_repository_impl(rctx):
    rctx.file("models.json", rctx.attr.request + "\n")
    if rctx.attr.error:
        build = _ERROR_BUILD.format(message = repr(rctx.attr.error), name = repr(rctx.attr.model))
    else:
        build = _USER_BUILD.format(config = _CHAT_CONFIG, name = rctx.attr.model)
    rctx.file("BUILD.bazel", build)

user_repository = repository_rule(
    doc = "The targets that users name. Making it reads nothing and asks nobody.",
    implementation = _user_repository_impl,
    attrs = {
        "error": attr.string(doc = "Why the lock cannot be used; targets but `lock` fail with it."),
        "model": attr.string(doc = "The model's name in Bazel.", mandatory = True),
        "request": attr.string(doc = "JSON, as `python -m tools.hub lock --models` takes it.", mandatory = True),
    },
)

_MODEL_BUILD = """\
load("@rules_mlc//rules:mlc_weight_bundle.bzl", "mlc_weight_bundle")
load("@rules_mlc//rules/private/hub:files.bzl", "hub_files")

package(default_visibility = ["//visibility:public"])

exports_files([{config}, "model.json"])

hub_files(
    name = "files",
    blobs = {blobs},
    digests = {digests},
    files = {files},
)

mlc_weight_bundle(
    name = "weights",
    srcs = [":files"],
)
"""

def _model_repository_impl(rctx):
    name = rctx.attr.model
    entry = json.decode(rctx.attr.entry) if rctx.attr.entry else _listed(rctx)
    configs = [file for file in entry["files"] if file["path"] == _CHAT_CONFIG]
    if not configs:
        fail("{}: {} has no {}; is it a model that mlc_llm converted, and do include and exclude leave the file in?".format(
            name,
            entry["repo"],
            _CHAT_CONFIG,
        ))
    download(rctx, [source_of(entry, configs[0])], configs[0]["sha256"], configs[0]["nbytes"], _CHAT_CONFIG)

    if not rctx.attr.entry:
        write_blobs(rctx, {
            file["sha256"]: {"nbytes": file["nbytes"], "sources": [source_of(entry, file)]}
            for file in entry["files"]
            if is_blob(file)
        })
    files, blobs, digests = {}, {}, {}
    for file in entry["files"]:
        label, by_action = _label(rctx.attr, file)
        (blobs if by_action else files).setdefault(label, []).append(file["path"])
        if not by_action:
            digests[file["path"]] = json.encode({"nbytes": file["nbytes"], "sha256": file["sha256"]})
    rctx.file("model.json", json.encode(entry))
    rctx.file("BUILD.bazel", _MODEL_BUILD.format(
        blobs = repr({label: "\n".join(paths) for label, paths in blobs.items()}),
        config = repr(_CHAT_CONFIG),
        digests = repr(digests),
        files = repr({label: "\n".join(paths) for label, paths in files.items()}),
    ))

def _label(attrs, file):
    """The label of a file, and whether an action fetches it."""
    if file["path"] == _CHAT_CONFIG:
        return ":" + _CHAT_CONFIG, False
    if not is_blob(file) or (attrs.fetch == "repository" and not attrs.entry):
        return "@{}.files//:{}".format(attrs.model, file["path"]), False
    if file["sha256"] in attrs.repository_blobs:
        return "@mlc_blob.{}//:blob".format(file["sha256"]), False
    return ("@mlc_hub" if attrs.entry else "") + "//blobs:" + file["sha256"], True

def _listed(rctx):
    """The entry of a model without a lock: the Hub is asked."""
    name = rctx.attr.model
    rctx.report_progress("listing its files: it has no lock")
    rctx.file("request.json", rctx.attr.request)
    run_hub(rctx, ["lock", "--models", rctx.path("request.json"), "--root", rctx.path(".")])
    entry = json.decode(rctx.read("lock.json"))["models"][name]
    rctx.delete("request.json")
    rctx.delete("lock.json")
    wrong = entry_error(entry)
    if wrong:
        fail("{}: {}".format(name, wrong))

    # buildifier: disable=print
    print("{} has no lock, so this build is not pinned; {}run: {}".format(
        name,
        "give {} the attribute lock = \"//:mlc.lock.json\" and ".format(rctx.attr.unlocked_tag) if rctx.attr.unlocked_tag else "",
        rctx.attr.lock_command,
    ))
    return entry

model_repository = repository_rule(
    doc = "The chat config, and targets for all other files.",
    implementation = _model_repository_impl,
    attrs = {
        "entry": attr.string(doc = "JSON: the model in the lock; empty where there is none."),
        "fetch": attr.string(doc = "How weights are fetched.", mandatory = True),
        "model": attr.string(doc = "The model's name in Bazel.", mandatory = True),
        "lock_command": attr.string(doc = "How a user makes the model's lock.", mandatory = True),
        "repository_blobs": attr.string_list(doc = "The sha256 of files that have repositories of their own."),
        "request": attr.string(doc = "JSON, as `python -m tools.hub lock --models` takes it.", mandatory = True),
        "unlocked_tag": attr.string(doc = "The tag that should name a lock; empty where it does."),
    } | DOWNLOAD_ATTRS,
)

def _files_repository_impl(rctx):
    entry = json.decode(rctx.read(rctx.attr.model_json))
    paths = []
    for file in entry["files"]:
        if file["path"] != _CHAT_CONFIG and (rctx.attr.with_weights or not is_blob(file)):
            download(rctx, [source_of(entry, file)], file["sha256"], file["nbytes"], file["path"])
            paths.append(file["path"])
    rctx.file("BUILD.bazel", "exports_files({})\n".format(repr(paths)))

files_repository = repository_rule(
    doc = "The small files beside the chat config: tokenizer, tensor cache.",
    implementation = _files_repository_impl,
    attrs = {
        "model_json": attr.label(doc = "The list of files.", allow_single_file = True, mandatory = True),
        "with_weights": attr.bool(doc = "Whether weights are among these files."),
    } | DOWNLOAD_ATTRS,
)

def _blob_repository_impl(rctx):
    blob = json.decode(rctx.attr.blob)
    download(rctx, blob["sources"], rctx.attr.sha256, blob["nbytes"], "blob")
    rctx.file("BUILD.bazel", "exports_files([\"blob\"])\n")

blob_repository = repository_rule(
    doc = "One file of weights, fetched without an action.",
    implementation = _blob_repository_impl,
    attrs = {
        "blob": attr.string(doc = "JSON: nbytes, sources.", mandatory = True),
        "sha256": attr.string(doc = "Its digest.", mandatory = True),
    } | DOWNLOAD_ATTRS,
)
