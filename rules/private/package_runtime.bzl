"""The runtime of a package."""

load("//rules/private/providers:runtime_info.bzl", "MlcRuntimeInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "label_text")
load(":messages.bzl", "first_error")
load(":run_tool.bzl", "python_of", "run_tool", "tool_arguments")
load(":versions.bzl", "compiler_of", "runtime_error")

def runtime_of(ctx, models):
    """The runtime of a package, if its models run on it.

    Args:
      ctx: The rule context of the package.
      models: list[MlcModelInfo].

    Returns:
      MlcRuntimeInfo or None.
    """
    if not ctx.attr.runtime:
        return None
    runtime = ctx.attr.runtime[MlcRuntimeInfo]
    first_error(runtime_error(
        label_text(ctx.label),
        label_text(ctx.attr.runtime.label),
        runtime,
        models[0].lib.device,
        compiler_of(models),
    ))
    return runtime

def check_linked(ctx, runtime, libs):
    """The validation that a runtime holds the libraries of this very package.

    Args:
      ctx: The rule context of the package.
      runtime: MlcRuntimeInfo or None.
      libs: list[MlcModelLibInfo].

    Returns:
      list[File]: what the validation writes.
    """
    if not runtime or not runtime.packed:
        return []
    stamp = ctx.actions.declare_file(ctx.label.name + ".linked")
    args = tool_arguments(ctx)
    args.add("linked")
    args.add(label_text(ctx.attr.runtime.label), format = "--where=%s")
    args.add("--runtime", runtime.packed)
    args.add_all([lib.library for lib in libs], before_each = "--library")
    args.add("--output", stamp)
    run_tool(
        ctx,
        tool = ctx.attr._library_tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [runtime.packed] + [lib.library for lib in libs],
        outputs = [stamp],
        mnemonic = "MlcLinked",
        progress_message = "Checking that the runtime holds the libraries of %{label}",
    )
    return [stamp]
