"""The tag `mlc.hub_model`."""

load(":models.bzl", "DEFAULT_EXCLUDE", "FETCH", "hub_model")

hub_model_tag = tag_class(
    doc = """A model of the Hugging Face Hub, as a repository with these targets:

- `@phi2`: every file; for `srcs` of mlc_weight_bundle, and for `config` of mlc_model_lib
- `@phi2//:config`: mlc-chat-config.json alone
- `@phi2//:weights`: an mlc_weight_bundle of every file
- `@phi2//:lock`: `bazel run` writes the lock; `@mlc_hub//:lock` does so for every model of your module""",
    attrs = {
        "exclude": attr.string_list(
            default = DEFAULT_EXCLUDE,
            doc = "Globs of files to leave out; `*` matches `/`, too.",
        ),
        "fetch": attr.string(
            default = "action",
            doc = "How weights are fetched: `action`, in parallel and kept in Bazel's caches; `repository`, by Bazel's " +
                  "downloader, where actions may not use the network.",
            values = FETCH,
        ),
        "include": attr.string_list(doc = "Globs of files to take; if not given, every file."),
        "lock": attr.label(
            doc = "The lock, such as `//:mlc.lock.json`, which models may share. It need not exist yet.",
        ),
        "model": attr.string(
            doc = "`HF://org/repo`, `https://huggingface.co/org/repo` or `org/repo`.",
            mandatory = True,
        ),
        "name": attr.string(doc = "The repository's name.", mandatory = True),
        "revision": attr.string(default = "main", doc = "A branch, a tag, or a commit of 40 hexadecimal digits."),
    },
)

def tagged_models(mctx):
    """The models of every module.

    Args:
      mctx: The module context.

    Returns:
      list of what hub_model returns.
    """
    return [
        hub_model(
            name = tag.name,
            model = tag.model,
            revision = tag.revision,
            lock = tag.lock,
            include = tag.include,
            exclude = tag.exclude,
            fetch = tag.fetch,
            module = "" if module.is_root else module.name,
        )
        for module in mctx.modules
        for tag in module.tags.hub_model
    ]
