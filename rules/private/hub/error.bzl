"""Rule: a target that cannot be built, and says why."""

def _hub_error_impl(ctx):
    fail(ctx.attr.message)

hub_error = rule(
    doc = "Stands for a model whose lock cannot be used.",
    implementation = _hub_error_impl,
    attrs = {"message": attr.string(doc = "The line the user sees.", mandatory = True)},
)
