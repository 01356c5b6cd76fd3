"""Repository rule: upstream's compiler, from a lock with hashes or in an environment that is there already."""

load(":repository.bzl", "find_python", "install_environment")

_BUILD = """\
load("@rules_mlc//rules:mlc_compiler.bzl", "mlc_compiler")
load("@rules_mlc//rules/private/python:environment.bzl", "python_environment")

package(default_visibility = ["//visibility:public"])

exports_files(["python3", "site", "stamp.json"])

python_environment(
    name = "python",
    interpreter = "python3",
    packages = {packages},
    site = "site",
    site_files = ["site"],
    stamp = "stamp.json",
    version = "{version}",
)

mlc_compiler(
    name = "compiler",
    compiler = "mlc_llm {mlc_llm}",
    environment = ":python",
    python = "@mlc_python//:python",
    symbol_suffix = "{symbol_suffix}",
    tool = "@rules_mlc//tools/upstream",
)

# For register_toolchains, --extra_toolchains, and attribute compiler of mlc_package.
toolchain(
    name = "toolchain",
    toolchain = ":compiler",
    toolchain_type = "@rules_mlc//rules/toolchains:mlc_compiler",
)
"""

def _program(rctx):
    """The interpreter of the environment that attribute `environment` names."""
    given = rctx.path(rctx.attr.environment)
    python = given.get_child("bin").get_child("python") if given.is_dir else given
    if not python.exists:
        fail("rules_mlc: mlc.upstream_compiler: attribute environment: there is no {}; name a Python environment or its interpreter".format(python))
    return python

def _probe(rctx, command, paths):
    rctx.report_progress("looking at upstream's compiler")
    arguments = [argument for path in paths for argument in ["--path", path]]
    done = rctx.execute(command + [rctx.path(rctx.attr._probe)] + arguments, timeout = 600, quiet = True)
    if done.return_code:
        lines = done.stderr.strip().split("\n")
        fail("rules_mlc: mlc.upstream_compiler: {}".format(lines[-1].removeprefix("error: ")))
    return json.decode(done.stdout)

def _upstream_repository_impl(rctx):
    if rctx.attr.lock:
        install_environment(rctx, options = (
            (["--find-links", rctx.path(rctx.attr.find_links).dirname] if rctx.attr.find_links else []) +
            (["--index-url", rctx.attr.index_url] if rctx.attr.index_url else [])
        ))
        answer = _probe(rctx, [find_python(rctx), "-s", "-S", "-B"], [rctx.path("site")])
    else:
        python = _program(rctx)
        answer = _probe(rctx, [python, "-s", "-B"], rctx.attr.python_path)
        for name, path in answer["entries"].items():
            rctx.symlink(path, "site/" + name)

    rctx.symlink(answer["interpreter"], "python3")
    rctx.file("stamp.json", json.encode_indent(answer["stamp"], indent = "  ") + "\n")
    rctx.file("BUILD.bazel", _BUILD.format(
        mlc_llm = answer["packages"]["mlc-llm"],
        packages = repr(answer["packages"]),
        symbol_suffix = answer["symbol_suffix"],
        version = answer["stamp"]["version"],
    ))

upstream_repository = repository_rule(
    doc = """A Python environment with upstream's compiler, as a toolchain `:toolchain`.

Versions and the digest of every file of mlc_llm, tvm and tvm_ffi stand in `stamp.json`, an input of every compile.""",
    implementation = _upstream_repository_impl,
    attrs = {
        "environment": attr.string(doc = "A Python environment, or its interpreter."),
        "find_links": attr.label(doc = "A file beside the wheels.", allow_single_file = True),
        "index_url": attr.string(doc = "The index, if not pip's own."),
        "lock": attr.label(doc = "Requirements with hashes.", allow_single_file = True),
        "python_path": attr.string_list(doc = "Directories that are searched before the environment's packages."),
        "_installer": attr.label(default = "//tools/python:install_environment.py", allow_single_file = True),
        "_probe": attr.label(default = "//tools/upstream:probe.py", allow_single_file = True),
    },
    environ = ["MLC_PYTHON"],
)
