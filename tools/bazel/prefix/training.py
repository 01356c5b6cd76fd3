"""What Bazel's server does while it is recorded: the workspace, and the commands that run in it.

It does a little of all that users' builds do, so that the record has the code of all of it:
modules and an extension, packages and `select`, Python rules, rules and transitions in Starlark,
actions in a sandbox, and caches of them that are written and then read. Nothing here needs a
compiler, or a network but the loopback.
"""

from __future__ import annotations

_DISK_CACHE = "--disk_cache=../disk"
_TEST = ("test", "//:all", "--noincompatible_sandbox_hermetic_tmp")


def commands(remote_cache: str) -> tuple[tuple[str, ...], ...]:
    """Returns the commands, in their order; whether one fails decides nothing.

    Args:
        remote_cache: The URL of an empty cache, as `--remote_cache` takes it.
    """
    remote = f"--remote_cache={remote_cache}"
    return (
        ("query", "kind(rule, //...) + labels(srcs, //:taste0)", "--output=label_kind"),
        (*_TEST, _DISK_CACHE, remote),
        ("clean",),
        (*_TEST, _DISK_CACHE, "--noexperimental_merged_skyframe_analysis_execution"),
        ("clean",),
        (*_TEST, remote),
    )


_MODULE = """\
module(name = "training")

bazel_dep(name = "bazel_skylib", version = "1.7.1")
bazel_dep(name = "platforms", version = "0.0.10")
bazel_dep(name = "rules_python", version = "0.40.0")

names = use_extension("//:extension.bzl", "names")
names.add(name = "first")
names.add(name = "second")
use_repo(names, "first", "second")
"""

_EXTENSION = """\
def _text_impl(repository_ctx):
    python = repository_ctx.which("python3")
    if python:
        repository_ctx.execute([python, "-c", "print()"])
    repository_ctx.file("text.txt", repository_ctx.attr.text)
    repository_ctx.file("BUILD.bazel", 'exports_files(["text.txt"])')

text = repository_rule(
    implementation = _text_impl,
    attrs = {"text": attr.string(mandatory = True)},
)

def _names_impl(module_ctx):
    for module in module_ctx.modules:
        for tag in module.tags.add:
            text(name = tag.name, text = json.encode_indent(json.decode("[1, null]")))

names = module_extension(
    implementation = _names_impl,
    tag_classes = {"add": tag_class(attrs = {"name": attr.string()})},
)
"""

_RULES = """\
Taste = provider(doc = "A taste.", fields = {"files": "depset of files"})
Flavor = provider(doc = "The flavor of the build.", fields = {"name": "string"})

def _flavor_impl(ctx):
    return Flavor(name = ctx.build_setting_value)

flavor = rule(implementation = _flavor_impl, build_setting = config.string(flag = True))

def _sweet_impl(_settings, attr):
    return {"//:flavor": attr.flavor}

_sweet = transition(implementation = _sweet_impl, inputs = [], outputs = ["//:flavor"])

def _split_impl(_settings, _attr):
    return {name: {"//:flavor": name} for name in ("sweet", "sour")}

_split = transition(implementation = _split_impl, inputs = [], outputs = ["//:flavor"])

def _resources(_os, _input_count):
    return {"cpu": 1, "memory": 100}

def _taste_impl(ctx):
    listed = ctx.actions.declare_file(ctx.label.name + ".list")
    args = ctx.actions.args()
    args.add_all(depset(ctx.files.srcs), format_each = "file=%s", uniquify = True)
    args.set_param_file_format("multiline")
    ctx.actions.write(listed, args)

    out = ctx.actions.declare_file(ctx.label.name + ".out")
    words = ctx.actions.args()
    words.use_param_file("@%s", use_always = True)
    words.add("--output", out)
    words.add(ctx.attr.flavor, format = "--flavor=%s")
    words.add_all(ctx.files.srcs)
    ctx.actions.run(
        executable = ctx.executable.tool,
        arguments = [words],
        inputs = depset(ctx.files.srcs + [listed]),
        outputs = [out],
        mnemonic = "Taste",
        progress_message = "Tasting %{label}",
        resource_set = _resources,
        env = {"FLAVOR": ctx.attr.flavor},
    )

    folder = ctx.actions.declare_directory(ctx.label.name + ".dir")
    ctx.actions.run_shell(
        outputs = [folder],
        inputs = [out],
        command = 'mkdir -p "$1/a" && cp "$2" "$1/a/file"',
        arguments = [folder.path, out.path],
    )
    files = depset([out, folder], transitive = [one[Taste].files for one in ctx.attr.deps])
    runfiles = ctx.runfiles(transitive_files = files)
    return [
        DefaultInfo(files = files, runfiles = runfiles),
        OutputGroupInfo(folder = depset([folder])),
        Taste(files = files),
    ]

taste = rule(
    implementation = _taste_impl,
    attrs = {
        "deps": attr.label_list(providers = [Taste], cfg = _split),
        "flavor": attr.string(default = "sweet", values = ["sweet", "sour"]),
        "srcs": attr.label_list(allow_files = True),
        "tool": attr.label(default = "//:tool", executable = True, cfg = "exec"),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    cfg = _sweet,
)
"""

_BUILD = """\
load("@bazel_skylib//lib:paths.bzl", "paths")
load("@rules_python//python:defs.bzl", "py_binary", "py_library", "py_test")
load(":rules.bzl", "flavor", "taste")

package(default_visibility = ["//visibility:public"])

flavor(name = "flavor", build_setting_default = "sweet")

config_setting(name = "sour", flag_values = {":flavor": "sour"})

config_setting(name = "arm", constraint_values = ["@platforms//cpu:aarch64"])

constraint_setting(name = "screen")

constraint_value(name = "small", constraint_setting = ":screen")

platform(name = "phone", constraint_values = [":small"], parents = ["@platforms//host"])

py_library(name = "library", srcs = ["library.py"])

py_binary(name = "tool", srcs = ["tool.py"], deps = [":library"])

py_test(name = "test", srcs = ["test.py"], data = [":all_tastes"], deps = [":library"])

[
    taste(
        name = "taste%d" % number,
        srcs = ["@first//:text.txt", "@second//:text.txt"] + glob(["t*.py"]) + select({
            ":sour": [":generated"],
            ":arm": [],
            "//conditions:default": ["library.py"],
        }),
        flavor = "sour" if number % 2 else "sweet",
        deps = ["taste%d" % (number - 1)] if number else [],
    )
    for number in range(4)
]

filegroup(name = "all_tastes", srcs = ["taste3", "taste2"])

genrule(
    name = "generated",
    srcs = ["library.py"],
    outs = [paths.replace_extension("generated.out", ".txt")],
    cmd = "cat $< > $@",
)
"""

_TOOL = """\
import sys

from library import write

words = open(sys.argv[1][1:]).read().split()
write(words[words.index("--output") + 1], words[3:])
"""

_LIBRARY = """\
def write(path, words):
    with open(path, "w") as file:
        file.write(" ".join(words))
"""

FILES = {
    "BUILD.bazel": _BUILD,
    "MODULE.bazel": _MODULE,
    "extension.bzl": _EXTENSION,
    "library.py": _LIBRARY,
    "rules.bzl": _RULES,
    "test.py": "import library\n",
    "tool.py": _TOOL,
}
"""The files of the workspace: their text by name."""
