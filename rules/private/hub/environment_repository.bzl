"""Repository rule: the user's variables about the Hub, for actions that do not see them."""

# What no result depends on: where the Hub is asked, who asks, and which copies lie on this machine.
_VARIABLES = [
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
]

def _environment_repository_impl(rctx):
    values = {name: rctx.getenv(name) for name in _VARIABLES}
    rctx.file("environment.json", json.encode({name: value for name, value in values.items() if value}), executable = False)
    rctx.file("anchor", "environment.json lies beside this file, and is no input of any action.\n", executable = False)
    rctx.file("BUILD.bazel", "exports_files([\"anchor\"])\n")

environment_repository = repository_rule(
    doc = "A constant file that actions name, and beside it one that they find and that is not part of any key.",
    implementation = _environment_repository_impl,
    configure = True,
    local = True,
)
