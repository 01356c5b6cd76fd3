"""Repository rule: LLD and zig's linker for macOS from a hash-locked wheel, without the rest of that wheel."""

load(":repository.bzl", "install_environment")

_LD_LLD = """\
#!/bin/sh
exec "$(dirname "$0")/zig" ld.lld "$@"
"""

# For macOS, as clang links there. What zig caches goes into the directory that it is run in.
_LD_MACHO = """\
#!/bin/sh
export ZIG_GLOBAL_CACHE_DIR="$PWD/zig-cache" ZIG_LOCAL_CACHE_DIR="$PWD/zig-cache"
exec "$(dirname "$0")/zig" cc -target aarch64-macos.11.0 "$@"
"""

_BUILD = """\
package(default_visibility = ["//visibility:public"])

filegroup(
    name = "linker",
    srcs = ["ld.lld"],
    data = ["zig"],
)

filegroup(
    name = "zig_files",
    srcs = ["zig"] + glob(["lib/**"]),
)

exports_files(["ld.lld", "ld.macho", "zig"])
"""

# What zig wants to find beside itself to link for macOS: the symbols of its system library, and a file by which it
# knows the place.
_DARWIN = ["SDKSettings.json", "libSystem.tbd"]
_MARKER = "lib/std/std.zig"

def _move(rctx, source, target):
    moved = rctx.execute(["mv", "site/ziglang/" + source, target])
    if moved.return_code:
        fail("rules_mlc: the linker's wheel has no ziglang/{}: {}".format(source, moved.stderr.strip()))

def _linker_repository_impl(rctx):
    install_environment(rctx)
    rctx.file(_MARKER)
    _move(rctx, "zig", "zig")
    rctx.file("lib/libc/darwin/.keep")
    for name in _DARWIN:
        _move(rctx, "lib/libc/darwin/" + name, "lib/libc/darwin/" + name)
    rctx.delete("site")
    rctx.file("ld.lld", _LD_LLD, executable = True)
    rctx.file("ld.macho", _LD_MACHO, executable = True)
    rctx.file("BUILD.bazel", _BUILD)

linker_repository = repository_rule(
    doc = """Provides `ld.lld` and `ld.macho`: the same linkers on every machine, so that shared libraries have the same bytes.

It is fetched only when a shared library is built.""",
    implementation = _linker_repository_impl,
    attrs = {
        "lock": attr.label(
            doc = "Requirements with hashes that name ziglang.",
            allow_single_file = True,
            mandatory = True,
        ),
        "_installer": attr.label(default = "//tools/python:install_environment.py", allow_single_file = True),
    },
    environ = ["MLC_PYTHON"],
)
