"""Rule: every file of a model of the Hugging Face Hub."""

load("//rules/private/providers:blob_info.bzl", "MlcBlobInfo")
load("//rules/private/providers:files_info.bzl", "MlcFilesInfo")

def _hub_files_impl(ctx):
    files = []
    for target, paths in ctx.attr.files.items():
        (file,) = target[DefaultInfo].files.to_list()
        for path in paths.split("\n"):
            digest = ctx.actions.declare_file("digests/{}.json".format(path))
            ctx.actions.write(digest, ctx.attr.digests[path])
            files.append(struct(path = path, file = file, digest = digest))
    for target, paths in ctx.attr.blobs.items():
        blob = target[MlcBlobInfo]
        files += [struct(path = path, file = blob.file, digest = blob.digest) for path in paths.split("\n")]
    files = sorted(files, key = lambda f: f.path)
    return [
        DefaultInfo(files = depset([f.file for f in files])),
        MlcFilesInfo(files = files),
    ]

hub_files = rule(
    doc = "The files of a model, for mlc_weight_bundle. Building it fetches them.",
    implementation = _hub_files_impl,
    attrs = {
        "blobs": attr.label_keyed_string_dict(
            doc = "hub_blob -> its paths in the model, one a line.",
            providers = [MlcBlobInfo],
        ),
        "digests": attr.string_dict(
            doc = "JSON with nbytes and sha256 of each of `files`, which Bazel's downloader has verified, by its path.",
        ),
        "files": attr.label_keyed_string_dict(
            doc = "File -> its paths in the model, one a line.",
            allow_files = True,
        ),
    },
    provides = [MlcFilesInfo],
)
