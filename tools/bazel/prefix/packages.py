"""The Debian packages that the private Bazel is made of."""

from __future__ import annotations

import re

BAZEL = "7.7.1"
"""The version that this launcher knows how to install."""

SUITE = "forky"
"""The Debian suite with that Bazel."""

NAMES = (
    # Bazel, and the rule sets that it loads from its own folder.
    "bazel-bootstrap",
    "bazel-bootstrap-data",
    "bazel-features",
    "bazel-platforms",
    "bazel-rules-cc",
    "bazel-rules-java",
    "bazel-rules-license",
    "bazel-rules-proto",
    "bazel-rules-python",
    "bazel-skylib",
    # The jars of its server that are not in its own jar.
    "libcaffeine-java",
    "libcommons-compress-java",
    "libcommons-io-java",
    "libcommons-pool2-java",
    "libdiffutils-java",
    "libgoogle-auth-java",
    "libgoogle-flogger-java",
    "libgoogle-gson-java",
    "libgrpc-java",
    "libjava-allocation-instrumenter-java",
    "libjsr305-java",
    "libperfmark-java",
    "libreactive-streams-java",
    "librx-java",
    "libxz-java",
    # Libraries of its server that no package here depends on.
    "libblake3-0",
    "libzstd-jni1",
)
"""What is installed, besides the shared libraries that these depend on."""

UNUSED = re.compile(r"libc-gconv-modules|libprotoc[0-9]|libre2-|libssl[0-9]|gcc-[0-9]+-base")
"""Libraries that are not followed: parts of the packages need them that Bazel does not use."""
