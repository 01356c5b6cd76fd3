"""Which files are fetched by actions, and the BUILD file with a target for each."""

# Above this a file is not worth a wait in the loading phase; the largest tokenizers have 35 MB.
_LARGE = 64000000

def is_blob(file):
    """Whether a file is large enough for an action of its own: weights always are.

    Args:
      file: dict, a file of a lock.

    Returns:
      bool.
    """
    return file["path"].endswith(".bin") or file["nbytes"] > _LARGE

def source_of(entry, file):
    """Where the Hub has a file.

    Args:
      entry: dict, a model of a lock.
      file: dict, one of its files.

    Returns:
      dict: what `python -m tools.hub fetch --sources` takes a list of.
    """
    return {"commit": entry["commit"], "path": file["path"], "repo": entry["repo"]}

_BLOB = """
hub_blob(
    name = {sha256},
    anchor = "anchor",
    nbytes = {nbytes},
    title = {title},
)
"""

def blobs_build_file(blobs):
    """The BUILD file of a package of blobs.

    Args:
      blobs: dict, as write_blobs takes it.

    Returns:
      str.
    """
    return """load("@rules_mlc//rules/private/hub:blob.bzl", "hub_blob")

package(default_visibility = ["//visibility:public"])
""" + "".join([
        _BLOB.format(
            nbytes = repr(str(blob["nbytes"])),
            sha256 = repr(sha256),
            title = repr("{} of {}".format(blob["sources"][0]["path"], blob["sources"][0]["repo"])),
        )
        for sha256, blob in sorted(blobs.items())
    ])

def write_blobs(rctx, blobs):
    """Makes the package `blobs`: a target for each blob, and where the Hub has it.

    Where a blob comes from is not part of any action's key, so no action has it as an input: actions have
    `blobs/anchor`, which is always the same, and find `blobs/sources/<sha256>.json` beside it.

    Args:
      rctx: The repository context.
      blobs: dict: sha256 -> {"nbytes": int, "sources": list of what source_of returns}.
    """
    rctx.file("blobs/BUILD.bazel", blobs_build_file(blobs))
    rctx.file("blobs/anchor", "sources/ lies beside this file, and is no input of any action.\n", executable = False)
    for sha256, blob in blobs.items():
        rctx.file("blobs/sources/{}.json".format(sha256), json.encode(blob["sources"]), executable = False)
