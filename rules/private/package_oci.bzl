"""A package as an OCI artifact."""

load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "label_text")
load(":run_tool.bzl", "python_of", "run_tool", "tool_arguments")

def oci_layout(ctx, files, manifest):
    """The action that writes the OCI image layout of a package; it runs when the output group asks for it.

    Args:
      ctx: The rule context of the package.
      files: list[struct(path, file)]: every file of the package.
      manifest: File, its manifest.

    Returns:
      File: the layout's directory.
    """
    output = ctx.actions.declare_directory(ctx.label.name + ".oci")
    args = tool_arguments(ctx)
    args.add("--manifest", manifest)
    args.add_all("--output", [output], expand_directories = False)
    args.add(label_text(ctx.label), format = "--name=%s")
    run_tool(
        ctx,
        tool = ctx.attr._oci_tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [f.file for f in files],
        outputs = [output],
        mnemonic = "MlcOci",
        progress_message = "Writing the OCI layout of %{label}",
        weights = True,
    )
    return output
