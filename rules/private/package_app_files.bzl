"""Files of a package for the app's sources: build settings, and constants."""

load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "python_of", "run_tool", "tool_arguments")

_XCODE = {
    "--exported-symbols": "exported_symbols.txt",
    "--swift": "MLCModels.swift",
    "--xcconfig": "mlc.xcconfig",
}

# By device, without its variant: option of the tool -> file.
_FILES = {
    "android": {"--kotlin": "MlcModels.kt"},
    "iphone": _XCODE,
    "macabi": _XCODE,
}

def app_files(ctx, models, device, archive, runtime, declare):
    """The action that writes the files of `app/`.

    Args:
      ctx: The rule context of the package.
      models: list[MlcModelInfo].
      device: str, without its variant.
      archive: File or None: the archive of the package's libraries.
      runtime: MlcRuntimeInfo or None.
      declare: Declares the file of a path of the package.

    Returns:
      struct(files = list[struct(path, file)], listing = File or None: JSON with their sizes and digests).
    """
    if device not in _FILES:
        return struct(files = [], listing = None)
    inputs = [f for model in models for f in [model.entry, model.lib.compile_key]]
    listing = ctx.actions.declare_file(ctx.label.name + ".app_files.json")
    args = tool_arguments(ctx)
    args.add(label_text(ctx.label), format = "--where=%s")
    for model in models:
        args.add_all("--model", [model.entry, model.lib.compile_key])
    if _FILES[device] == _XCODE:
        args.add("--symbol-suffix", models[0].lib.compiler.symbol_suffix)
        args.add("--archive", archive)
        args.add("--link", archive.basename)
        inputs.append(archive)
        if runtime:
            args.add_all([f.file.basename for f in runtime.files], before_each = "--link")
    files = []
    for option, name in _FILES[device].items():
        output = declare("app/" + name)
        args.add(option, output)
        files.append(struct(path = "app/" + name, file = output))
    args.add("--listing", listing)
    run_tool(
        ctx,
        tool = ctx.attr._app_tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = inputs,
        outputs = [f.file for f in files] + [listing],
        mnemonic = "MlcAppFiles",
        progress_message = "Writing the app's files of %{label}",
    )
    return struct(files = files, listing = listing)
