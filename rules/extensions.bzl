"""Module extension of rules_mlc.

`mlc` makes `mlc_python`, the packages that actions run on, and `mlc_linker`, used for libraries of the machine's own
CPU; both come from locks with hashes in this module. Each tag `hub_model` adds a model of the Hugging Face Hub, each
tag `package` what an mlc-package-config.json asks for, each tag `upstream_compiler` another compiler. Nothing is fetched
before a target needs it.
"""

load("//rules/private/hub:environment_repository.bzl", "environment_repository")
load("//rules/private/hub:models.bzl", "hub_models")
load("//rules/private/hub:tag.bzl", "hub_model_tag", "tagged_models")
load("//rules/private/package_config:tag.bzl", "package_repositories", "package_tag", "tagged_packages")
load("//rules/private/python:linker_repository.bzl", "linker_repository")
load("//rules/private/python:repository.bzl", "python_repository")
load("//rules/private/python:upstream_tag.bzl", "upstream_compiler_tag", "upstream_compilers")

def _mlc_impl(mctx):
    python_repository(name = "mlc_python", lock = "//tools/python:requirements.lock")
    linker_repository(name = "mlc_linker", lock = "//tools/linker:requirements.lock")
    environment_repository(name = "mlc_environment")
    packages = tagged_packages(mctx)
    package_repositories(packages)
    models = tagged_models(mctx) + [model for package in packages for model in package.hub.values()]
    local = upstream_compilers(mctx)
    return mctx.extension_metadata(reproducible = hub_models(mctx, models) and not local)

mlc = module_extension(
    doc = "The Python environment and the linker of rules_mlc's actions, models of the Hugging Face Hub, and packages.",
    implementation = _mlc_impl,
    environ = ["MLC_PYTHON"],
    tag_classes = {
        "hub_model": hub_model_tag,
        "package": package_tag,
        "upstream_compiler": upstream_compiler_tag,
    },
)
