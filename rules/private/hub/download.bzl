"""How repository rules fetch files of the Hub: Bazel's downloader, and our own tool where that fails."""

load("//rules/private/python:repository.bzl", "find_python")
load(":address.bzl", "is_address", "is_header")
load(":model_name.bzl", "DEFAULT_ENDPOINT")

# What repository rules that use run_hub need beside their own attributes.
TOOL_ATTRS = {
    "_hub": attr.label(default = "//tools/hub:__main__.py", allow_single_file = True),
    "_runner": attr.label(default = "//tools:run_module.py", allow_single_file = True),
}

# And those that use download.
DOWNLOAD_ATTRS = TOOL_ATTRS | {
    "_environment": attr.label(default = "@mlc_environment//:anchor", allow_single_file = True),
}

def run_hub(rctx, arguments):
    """Runs `python -m tools.hub`; what it says on stderr becomes the error of the rule.

    Args:
      rctx: The repository context; its rule has TOOL_ATTRS.
      arguments: list[str].

    Returns:
      str: what it says on stdout.
    """
    rctx.path(rctx.attr._hub)
    command = [find_python(rctx), "-s", "-S", "-B", rctx.path(rctx.attr._runner), "", "tools.hub"]
    done = rctx.execute(command + arguments, timeout = 3600 * 24, quiet = True)
    lines = done.stderr.strip().split("\n")
    if done.return_code:
        fail("\n".join([line.removeprefix("error: ") for line in lines]))
    for line in lines:
        if line:
            # buildifier: disable=print
            print(line)
    return done.stdout.strip()

def download(rctx, sources, sha256, nbytes, output):
    """Downloads a file into the repository.

    Bazel's downloader goes first: it has the repository cache, mirrors and credential helpers. Where it fails, our
    tool looks into the caches of this machine, asks again with the token, and says in one line what is wrong.

    Args:
      rctx: The repository context; its rule has DOWNLOAD_ATTRS.
      sources: list of dicts: commit, path, repo.
      sha256: str.
      nbytes: int.
      output: str, relative to the repository.
    """
    if rctx.os.environ.get("HF_HUB_OFFLINE", "").upper() in ["1", "ON", "YES", "TRUE"]:
        # Nothing is there: the repository cache alone can answer.
        urls, auth = ["file:///HF_HUB_OFFLINE/" + sha256], {}
    else:
        urls, auth = _urls(rctx, sources)
    rctx.report_progress("downloading " + output)
    if urls and rctx.download(urls, output, sha256 = sha256, auth = auth, allow_fail = True).success:
        return
    rctx.file(".sources.json", json.encode(sources), executable = False)
    run_hub(rctx, [
        "fetch",
        "--sources",
        rctx.path(".sources.json"),
        "--sha256",
        sha256,
        "--nbytes",
        str(nbytes),
        "--partial-in-cache",
        "--ask-again-beside",
        rctx.path(rctx.attr._environment),
        "--output",
        rctx.path(".download"),
    ])

    # From here into the repository cache.
    rctx.download("file://{}".format(rctx.path(".download")), output, sha256 = sha256)
    rctx.delete(".download")
    rctx.delete(".sources.json")

def _urls(rctx, sources):
    """Addresses of a file, and how Bazel asks there; none where Bazel would print a secret: our tool refuses it in one line."""
    endpoint = (rctx.getenv("HF_ENDPOINT", "").strip() or DEFAULT_ENDPOINT).rstrip("/")
    token = _token(rctx)
    if not is_address(endpoint) or not is_header(token or ""):
        return [], {}
    urls = [
        "{}/{}/resolve/{}/{}".format(endpoint, source["repo"], source["commit"], _quote(source["path"]))
        for source in sources
    ]

    # `auth` is for exactly these addresses. Bazel would send `headers` to every host that they redirect to.
    pattern = {"login": "", "password": token, "pattern": "Bearer <password>", "type": "pattern"}
    return urls, ({url: pattern for url in urls} if token else {})

def _token(rctx):
    """The user's token, or None; nothing of it is recorded, as rctx.getenv would."""
    token = rctx.os.environ.get("HF_TOKEN", "").strip()
    if token:
        return token
    home = rctx.getenv("HF_HOME") or (rctx.getenv("XDG_CACHE_HOME") or rctx.getenv("HOME", "") + "/.cache") + "/huggingface"
    path = rctx.getenv("HF_TOKEN_PATH") or home + "/token"
    if path.startswith("/") and rctx.path(path).exists:
        return rctx.read(path, watch = "no").strip()
    return None

def _quote(path):
    return "".join([c if c.isalnum() or c in "/-._~" else "%" + _HEX[c] for c in path.elems()])

_HEX = {c: code for c, code in zip(
    " !\"#$%&'()*+,;<=>?@[]^{|}".elems(),
    "20 21 22 23 24 25 26 27 28 29 2A 2B 2C 3B 3C 3D 3E 3F 40 5B 5D 5E 7B 7C 7D".split(" "),
)}
