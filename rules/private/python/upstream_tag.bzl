"""The tag `mlc.upstream_compiler`."""

load(":upstream_repository.bzl", "upstream_repository")

upstream_compiler_tag = tag_class(
    doc = """Upstream's compiler, `mlc_llm compile`, as a toolchain `@NAME//:toolchain`. Give one of `requirements` and
`environment`; see docs/upstream-compiler.md.""",
    attrs = {
        "environment": attr.string(
            doc = "A Python environment that is there already: its directory, or its interpreter, as an absolute path.",
        ),
        "find_links": attr.label(doc = "With `requirements`: a file in the directory of wheels to take."),
        "index_url": attr.string(doc = "With `requirements`: the package index, if not the one that pip is configured with."),
        "name": attr.string(doc = "The repository's name.", default = "mlc_upstream_compiler"),
        "python_path": attr.string_list(
            doc = "With `environment`: directories to search first, such as that of mlc-llm's own sources.",
        ),
        "requirements": attr.label(doc = "A requirements file with a hash for every package, which names mlc_llm and its TVM."),
    },
)

def upstream_compilers(mctx):
    """Makes the repositories of every tag.

    Args:
      mctx: The module context.

    Returns:
      bool: whether there is one that other machines may lack.
    """
    local = False
    for module in mctx.modules:
        for tag in module.tags.upstream_compiler:
            if bool(tag.requirements) == bool(tag.environment):
                fail("{}: mlc.upstream_compiler: give one of requirements (a file with hashes) and environment (a directory)".format(module.name))
            local = local or bool(tag.environment)
            upstream_repository(
                name = tag.name,
                environment = tag.environment,
                find_links = tag.find_links,
                index_url = tag.index_url,
                lock = tag.requirements,
                python_path = tag.python_path,
            )
    return local
