"""Repository rule: what all models of the Hub share."""

load(":blobs.bzl", "write_blobs")

_BUILD = """\
load("@rules_mlc//rules/private/hub:lock.bzl", "hub_lock")

# Makes or refreshes the locks of all models: bazel run @mlc_hub//:lock
hub_lock(
    name = "lock",
    models = "models.json",
)
"""

def _central_repository_impl(rctx):
    rctx.file("models.json", rctx.attr.request + "\n")
    rctx.file("BUILD.bazel", _BUILD)
    write_blobs(rctx, json.decode(rctx.attr.blobs))

central_repository = repository_rule(
    doc = "One target for each distinct file of weights, and the program that locks every model.",
    implementation = _central_repository_impl,
    attrs = {
        "blobs": attr.string(doc = "JSON, as write_blobs takes it.", mandatory = True),
        "request": attr.string(doc = "JSON, as `python -m tools.hub lock --models` takes it.", mandatory = True),
    },
)
