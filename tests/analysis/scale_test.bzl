"""Analysis test: what packages ask of Bazel grows as the number of their models does, no faster."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//rules:defs.bzl", "mlc_model", "mlc_model_lib", "mlc_package", "mlc_weight_bundle")

_WorkInfo = provider(
    doc = "What Bazel has to do for a target and those that it is made of.",
    fields = {"targets": "depset[struct(key, actions, inputs)]: each with its actions, and the inputs of all of them."},
)

_DEPENDENCIES = ["_library", "lib", "models", "request", "weights"]

def _work_impl(target, ctx):
    inputs = 0
    for action in target.actions:
        inputs += len(action.inputs.to_list())
    deps = []
    for name in _DEPENDENCIES:
        value = getattr(ctx.rule.attr, name, None)
        deps += value if type(value) == "list" else [value] if value else []
    return [_WorkInfo(targets = depset(
        [struct(actions = len(target.actions), inputs = inputs, key = (str(target.label), ctx.bin_dir.path))],
        transitive = [dep[_WorkInfo].targets for dep in deps],
    ))]

_work = aspect(implementation = _work_impl, attr_aspects = _DEPENDENCIES)

def _linear_impl(ctx):
    """As many models more are as many actions and inputs more, whatever there is already."""
    env = analysistest.begin(ctx)
    sizes = []
    for package in ctx.attr.packages:
        targets = package[_WorkInfo].targets.to_list()
        sizes.append({
            "actions": [target.actions for target in targets],
            "inputs": [target.inputs for target in targets],
            "targets": [1 for _ in targets],
        })
    for what in sizes[0]:
        first, second, third = [_sum(size[what]) for size in sizes]
        asserts.true(env, second > first, what)
        asserts.equals(env, second - first, third - second, what)
    return analysistest.end(env)

def _sum(numbers):
    total = 0
    for number in numbers:
        total += number
    return total

_linear_test = analysistest.make(
    _linear_impl,
    attrs = {"packages": attr.label_list(aspects = [_work])},
)

def linear_test(name, directory):
    """Compares packages of 4, 8 and 12 models, each with a library and a bundle of its own.

    They are manual, as every fixture here: the test asks for their analysis, and `//...` is not to compile 12 libraries for it.

    Args:
      name: The test's name.
      directory: A model's directory.
    """
    models = ["{}_{}".format(name, index) for index in range(12)]
    for index, model in enumerate(models):
        mlc_model_lib(
            name = model + "_lib",
            config = directory + "/mlc-chat-config.json",
            overrides = {"max_batch_size": index + 1},
            tags = ["manual"],
        )
        mlc_weight_bundle(name = model + "_weights", directory = directory, tags = ["manual"])
        mlc_model(name = model, lib = model + "_lib", tags = ["manual"], weights = model + "_weights")
    packages = []
    for count in [4, 8, 12]:
        packages.append("{}_of_{}".format(name, count))
        mlc_package(name = packages[-1], device = "iphone", models = models[:count], tags = ["manual"])
    _linear_test(name = name, packages = packages, target_under_test = packages[0])
