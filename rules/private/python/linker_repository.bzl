"""Repository rule: LLD from a hash-locked wheel, without the rest of that wheel."""

load(":repository.bzl", "install_environment")

_LD_LLD = """\
#!/bin/sh
exec "$(dirname "$0")/zig" ld.lld "$@"
"""

_BUILD = """\
package(default_visibility = ["//visibility:public"])

filegroup(
    name = "linker",
    srcs = ["ld.lld"],
    data = ["zig"],
)

exports_files(["ld.lld", "zig"])
"""

def _linker_repository_impl(rctx):
    install_environment(rctx)
    moved = rctx.execute(["mv", "site/ziglang/zig", "zig"])
    if moved.return_code:
        fail("rules_mlc: the linker's wheel has no ziglang/zig: " + moved.stderr.strip())
    rctx.delete("site")
    rctx.file("ld.lld", _LD_LLD, executable = True)
    rctx.file("BUILD.bazel", _BUILD)

linker_repository = repository_rule(
    doc = """Provides `ld.lld`: the same linker on every machine, so that shared libraries have the same bytes.

It is fetched only when a library for the machine's own CPU is built.""",
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
