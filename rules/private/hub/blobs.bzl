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

_BLOB = """
hub_blob(
    name = {sha256},
    nbytes = {nbytes},
    sources = {sources},
    title = {title},
)
"""

def blobs_build_file(blobs):
    """The BUILD file of a package of blobs.

    Args:
      blobs: dict: sha256 -> {"nbytes": int, "sources": [{"commit", "path", "repo"}]}.

    Returns:
      str.
    """
    return """load("@rules_mlc//rules/private/hub:blob.bzl", "hub_blob")

package(default_visibility = ["//visibility:public"])
""" + "".join([
        _BLOB.format(
            nbytes = repr(str(blob["nbytes"])),
            sha256 = repr(sha256),
            sources = repr(json.encode(sorted(blob["sources"], key = _source_key))),
            title = repr("{} of {}".format(blob["sources"][0]["path"], blob["sources"][0]["repo"])),
        )
        for sha256, blob in sorted(blobs.items())
    ])

def _source_key(source):
    return (source["repo"], source["path"], source["commit"])
