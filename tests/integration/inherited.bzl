"""The environment of tests that run Bazel."""

# The user's cache holds the launcher's Bazel; everything else a workspace needs is copied.
INHERITED = [
    "HOME",
    "MLC_BAZEL",
    "MLC_CACHE_HOME",
    "PATH",
    "SSL_CERT_FILE",
    "XDG_CACHE_HOME",
]
