"""Rule: a runtime that was built elsewhere."""

load("//rules/private/providers:runtime_info.bzl", "MlcRuntimeInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")

# What the package itself makes.
_MODEL_ARCHIVES = ["libmodel_android.a", "libmodel_iphone.a"]
_MLC4J_APP_CONFIG = "src/main/assets/mlc-app-config.json"

_PROJECT = "build.gradle"
_PACKED = "lib/mlc4j/output/arm64-v8a/libtvm4j_runtime_packed.so"

def static_libraries(label, files):
    """Where the static libraries of an Xcode project stand in a package.

    Args:
      label: str, the target.
      files: list[File].

    Returns:
      list[struct(path, file)].
    """
    found = {}
    for f in files:
        if f.basename in _MODEL_ARCHIVES:
            continue
        if f.extension != "a":
            fail("{}: attribute libs: {} is no static library; expected lib*.a".format(label, f.short_path))
        if f.basename in found:
            fail("{}: attribute libs: two files are named {}; they would be one file of lib/".format(label, f.basename))
        found[f.basename] = f
    return [struct(path = "lib/" + name, file = f) for name, f in found.items()]

def gradle_project(label, files):
    """Where the files of mlc4j stand in a package.

    Args:
      label: str, the target.
      files: list[File], among them the project's build.gradle.

    Returns:
      list[struct(path, file)].
    """
    roots = [f.short_path[:-len(_PROJECT)] for f in files if f.basename == _PROJECT]
    if not roots:
        fail("{}: attribute mlc4j: no {} among {} files; expected every file of an mlc4j project".format(label, _PROJECT, len(files)))
    root = sorted(roots, key = len)[0]
    result = []
    for f in files:
        if not f.short_path.startswith(root):
            fail("{}: attribute mlc4j: {} is outside of {}, the directory of {}".format(label, f.short_path, root, _PROJECT))
        path = f.short_path[len(root):]
        if path != _MLC4J_APP_CONFIG:
            result.append(struct(path = "lib/mlc4j/" + path, file = f))
    if not [place for place in result if place.path == _PACKED]:
        fail("{}: attribute mlc4j: no {}; expected an mlc4j that was built".format(label, _PACKED[len("lib/mlc4j/"):]))
    return result

def runtime_info(ctx, places, version):
    """The provider of a runtime, with the action that checks and lists its files.

    Args:
      ctx: The rule context; it has attributes `device` and `_tool`.
      places: list[struct(path, file)].
      version: str, TVM's.

    Returns:
      MlcRuntimeInfo.
    """
    manifest = ctx.actions.declare_file(ctx.label.name + ".runtime.json")
    args = tool_arguments(ctx)
    args.add("runtime")
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--device", ctx.attr.device)
    for place in places:
        args.add("--file", place.path)
        args.add(place.file)
    args.add("--output", manifest)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [place.file for place in places],
        outputs = [manifest],
        mnemonic = "MlcRuntime",
        progress_message = "Checking the runtime %{label}",
    )
    return MlcRuntimeInfo(
        device = ctx.attr.device,
        files = places,
        manifest = manifest,
        packed = ([place.file for place in places if place.path == _PACKED] + [None])[0],
        version = version,
    )

def _mlc_runtime_impl(ctx):
    label = label_text(ctx.label)
    places = static_libraries(label, ctx.files.libs) if ctx.files.libs else gradle_project(label, ctx.files.mlc4j)
    info = runtime_info(ctx, places, ctx.attr.version)
    return [
        DefaultInfo(files = depset([info.manifest])),
        info,
    ]

mlc_runtime = rule(
    doc = "See //rules:mlc_runtime.bzl.",
    implementation = _mlc_runtime_impl,
    attrs = {
        "device": attr.string(doc = "The device.", mandatory = True),
        "libs": attr.label_list(doc = "Static libraries.", allow_files = True),
        "mlc4j": attr.label_list(doc = "Every file of an mlc4j project.", allow_files = True),
        "version": attr.string(doc = "The version of TVM.", mandatory = True),
        "_tool": attr.label(default = "//tools/library", cfg = "exec", providers = [MlcToolInfo]),
    },
    provides = [MlcRuntimeInfo],
    toolchains = [PYTHON_TOOLCHAIN],
)
