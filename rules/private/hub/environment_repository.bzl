"""Repository rule: the user's variables about the Hub, for actions that do not see them."""

load(":download.bzl", "TOOL_ATTRS", "run_hub")

# A change of these is noticed at once; of HF_TOKEN, which Bazel would write down, after a refusal or a new server.
_TRACKED = [
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_DOWNLOAD_TIMEOUT",
    "HF_HUB_OFFLINE",
    "HF_TOKEN_PATH",
    "HOME",
    "MLC_LLM_READONLY_WEIGHT_CACHE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
]

def _environment_repository_impl(rctx):
    for name in _TRACKED:
        rctx.getenv(name)
    rctx.file("anchor", "environment.json lies beside this file, and is no input of any action.\n", executable = False)
    rctx.file("BUILD.bazel", "exports_files([\"anchor\"])\n")
    rctx.watch(run_hub(rctx, ["environment", "--directory", rctx.path(".")]))

environment_repository = repository_rule(
    doc = "A constant file that actions name, and beside it one that they find and that is not part of any key.",
    implementation = _environment_repository_impl,
    attrs = TOOL_ATTRS,
    configure = True,
    local = True,
)
