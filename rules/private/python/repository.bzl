"""Repository rule: the machine's Python and a hash-locked requirements file, as one Bazel repository."""

_BUILD = """\
load("@rules_mlc//rules/private/python:environment.bzl", "python_environment")
load("@rules_python//python:defs.bzl", "py_library", "py_runtime", "py_runtime_pair")

package(default_visibility = ["//visibility:public"])

exports_files(["python3", "stamp.json"])

python_environment(
    name = "python",
    interpreter = "python3",
    packages = {packages},
    site = "{site}",
    site_files = {site_files},
    stamp = "stamp.json",
    version = "{version}",
)

# The same packages for py_test and py_binary.
py_library(
    name = "site_packages",
    data = ["site"],
    imports = ["site"],
)

py_runtime(
    name = "py_runtime",
    interpreter_path = "{interpreter}",
    python_version = "PY3",
    stub_shebang = "#!{interpreter}",
)

py_runtime_pair(
    name = "py_runtime_pair",
    py3_runtime = ":py_runtime",
)
"""

def find_python(rctx):
    """The Python interpreter that a repository rule runs.

    Args:
      rctx: The repository context.

    Returns:
      The path in $MLC_PYTHON, else of the first python3 on PATH.
    """
    chosen = rctx.getenv("MLC_PYTHON") if hasattr(rctx, "getenv") else rctx.os.environ.get("MLC_PYTHON")
    found = chosen or rctx.which("python3")
    if not found:
        fail("rules_mlc: no python3 on PATH; install CPython 3.10 to 3.13 with pip, or set MLC_PYTHON to one")

    # Here, because an old Python could not even read our files.
    done = rctx.execute([found, "-c", "import sys; print('%d %d' % sys.version_info[:2])"], timeout = 60, quiet = True)
    version = [int(part) for part in done.stdout.strip().split(" ") if part.isdigit()]
    if done.return_code or len(version) != 2:
        fail("rules_mlc: {}{} does not run as a Python; expected CPython 3.10 to 3.13 with pip".format(
            "MLC_PYTHON: " if chosen else "",
            found,
        ))
    if version < [3, 10]:
        fail("rules_mlc: {} is Python {}.{}; put CPython 3.10 to 3.13 first on PATH, or set MLC_PYTHON to one".format(found, *version))
    return found

def install_environment(rctx, keep_scripts = False, options = []):
    """Runs tools/python/install_environment.py into the directory `site`.

    Args:
      rctx: The repository context; its attributes are `lock` and `_installer`.
      keep_scripts: Whether the packages' programs (bin/) are kept.
      options: list: more options of the script.

    Returns:
      The script's answer, a dict: interpreter, packages, stamp.
    """
    lock = rctx.path(rctx.attr.lock)
    installer = rctx.path(rctx.attr._installer)
    rctx.report_progress("installing the Python packages of {} with pip".format(rctx.attr.lock.name))
    command = [find_python(rctx), installer, "--lock", lock, "--site", rctx.path("site")] + options
    done = rctx.execute(command + (["--keep-scripts"] if keep_scripts else []), timeout = 3600, quiet = True)
    if done.return_code:
        fail("rules_mlc: {} was not installed: {}".format(rctx.attr.lock, done.stderr.strip()))
    return json.decode(done.stdout)

def _python_repository_impl(rctx):
    keep_scripts = rctx.attr.keep_scripts
    options = [] if keep_scripts else ["--imports-only", "--archives", rctx.path("archives")]
    answer = install_environment(rctx, keep_scripts, options)

    # A link, so that the interpreter is an input by its bytes and no action names a path of this machine.
    rctx.symlink(answer["interpreter"], "python3")
    rctx.file("stamp.json", json.encode_indent(answer["stamp"], indent = "  ") + "\n")
    rctx.file("BUILD.bazel", _BUILD.format(
        interpreter = answer["interpreter"],
        packages = repr(answer["packages"]),
        site = "site" if keep_scripts else "archives",
        site_files = "[\"site\"]" if keep_scripts else "glob([\"archives/**\"])",
        version = answer["stamp"]["version"],
    ))

python_repository = repository_rule(
    doc = """Installs a hash-locked requirements file as one source directory, `site`, beside a link to the interpreter.

For actions there are the files of another, `archives`: one for each package, and native libraries, which are hard links of the first's.
The byte code is deterministic and the directory holds no path of the machine, so actions that use it have
the same key wherever the lock, the platform and the interpreter are the same.""",
    implementation = _python_repository_impl,
    attrs = {
        "keep_scripts": attr.bool(doc = "Keep the packages' programs in `site/bin`, and what no import reads."),
        "lock": attr.label(
            doc = "Requirements with hashes for every platform, as `uv pip compile --universal --generate-hashes` writes them.",
            allow_single_file = True,
            mandatory = True,
        ),
        "_installer": attr.label(default = "//tools/python:install_environment.py", allow_single_file = True),
    },
    environ = ["MLC_PYTHON"],
)
