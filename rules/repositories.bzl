"""For WORKSPACE files: what MODULE.bazel does for modules.

```starlark
load("@rules_mlc//rules:repositories.bzl", "rules_mlc_repositories", "rules_mlc_toolchains")

rules_mlc_repositories()

rules_mlc_toolchains()
```

The workspace provides `bazel_skylib`, `platforms` and `rules_python` before that, in any version that MODULE.bazel allows.
"""

load("//rules/private/hub:environment_repository.bzl", "environment_repository")
load("//rules/private/python:linker_repository.bzl", "linker_repository")
load("//rules/private/python:repository.bzl", "python_repository")

def rules_mlc_repositories():
    """Makes the repositories of actions, unless the workspace has ones of these names."""
    repositories = {
        "mlc_environment": (environment_repository, {}),
        "mlc_linker": (linker_repository, {"lock": Label("//tools/linker:requirements.lock")}),
        "mlc_python": (python_repository, {"lock": Label("//tools/python:requirements.lock")}),
    }
    for name, (repository, attributes) in repositories.items():
        if not native.existing_rule(name):
            repository(name = name, **attributes)

# buildifier: disable=unnamed-macro
def rules_mlc_toolchains():
    """Registers the embedded compiler and its Python; a toolchain that was registered earlier wins."""
    native.register_toolchains(
        "@rules_mlc//rules/toolchains:python",
        "@rules_mlc//rules/toolchains:embedded_compiler_for_cpu",
        "@rules_mlc//rules/toolchains:embedded_compiler_for_cuda",
        "@rules_mlc//rules/toolchains:embedded_compiler_for_mali",
        "@rules_mlc//rules/toolchains:embedded_compiler_for_metal",
        "@rules_mlc//rules/toolchains:embedded_compiler_for_opencl",
        "@rules_mlc//rules/toolchains:embedded_compiler",
    )
