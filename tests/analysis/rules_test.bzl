"""Analysis tests: what each rule provides, which actions it registers, and every way it refuses."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//rules:pkg.bzl", "mlc_pkg_files_rule")
load("//rules:providers.bzl", "MlcModelInfo", "MlcModelLibInfo", "MlcPackageInfo", "MlcWeightInfo")

def _actions(env, mnemonic):
    return [a for a in analysistest.target_actions(env) if a.mnemonic == mnemonic]

_MadeInfo = provider(
    doc = "What is done for a library, whichever target does it.",
    fields = {"actions": "list[Action]."},
)

def _made_impl(target, ctx):
    libraries = getattr(ctx.rule.attr, "_library", [])
    return [_MadeInfo(actions = target.actions + [action for lib in libraries for action in lib[_MadeInfo].actions])]

_made = aspect(implementation = _made_impl, attr_aspects = ["_library"])

def _action_of_library(env, mnemonic):
    (found,) = [a for a in analysistest.target_under_test(env)[_MadeInfo].actions if a.mnemonic == mnemonic]
    return found

def _basenames(files):
    return sorted([f.basename for f in files.to_list()])

def _model_lib_impl(ctx):
    env = analysistest.begin(ctx)
    info = analysistest.target_under_test(env)[MlcModelLibInfo]
    asserts.equals(env, ctx.attr.device, info.device.variant)
    asserts.equals(env, ctx.attr.library, info.library.basename)
    asserts.equals(env, ctx.attr.model_lib, info.model_lib)
    asserts.equals(env, ["embedded", "0.27.0.post1", "0.1.14.post1", "__tvm_ffi__library_bin"], [
        info.compiler.compiler,
        info.compiler.tvm,
        info.compiler.tvm_ffi,
        info.compiler.symbol_suffix,
    ])
    return analysistest.end(env)

model_lib_test = analysistest.make(_model_lib_impl, attrs = {
    "device": attr.string(),
    "library": attr.string(),
    "model_lib": attr.string(),
})

def _compile_inputs_impl(ctx):
    """The compile sees the key and the toolchain: no config, no weights, no caller's environment, and not who asks."""
    env = analysistest.begin(ctx)
    config = _action_of_library(env, "MlcConfig")
    asserts.true(env, "mlc-chat-config.json" in _basenames(config.inputs))
    compile = _action_of_library(env, "MlcCompile")
    names = _basenames(compile.inputs)
    key = analysistest.target_under_test(env)[MlcModelLibInfo].compile_key
    asserts.true(env, key in compile.inputs.to_list())
    for needed in ["python3", "tvm.zip", "libtvm_compiler.so", "stamp.json"]:
        asserts.true(env, needed in names, needed)
    for f in compile.inputs.to_list():
        of_toolchain = f.owner.workspace_name or f.owner.package.startswith("tools")
        asserts.true(env, of_toolchain or f == key, f.path)
    asserts.equals(env, ctx.attr.linked, "ld.lld" in names)
    asserts.equals(env, {"HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}, compile.env)
    for argument in compile.argv:
        asserts.false(env, argument.startswith("/"), argument)
        asserts.false(env, "tests/analysis" in argument, argument)
    return analysistest.end(env)

compile_inputs_test = analysistest.make(
    _compile_inputs_impl,
    attrs = {"linked": attr.bool()},
    extra_target_under_test_aspects = [_made],
)

def _mapped_compile_impl(ctx):
    """Where paths are mapped, a compile says of its log where the user finds it."""
    env = analysistest.begin(ctx)
    argv = _action_of_library(env, "MlcCompile").argv
    asserts.equals(env, ["bazel-out/*/bin/rules/private/library.log"], [
        argv[i + 1]
        for i in range(len(argv))
        if argv[i] == "--log-name"
    ])
    return analysistest.end(env)

mapped_compile_test = analysistest.make(
    _mapped_compile_impl,
    config_settings = {str(Label("//rules/settings:mapped_compiles")): True},
    extra_target_under_test_aspects = [_made],
)

def _conversion_impl(ctx):
    """The conversion reads weights of one kind and the parameters; not the tokenizer, not config.json."""
    env = analysistest.begin(ctx)
    (parameters,) = _actions(env, "MlcParameters")
    asserts.true(env, "config.json" in _basenames(parameters.inputs))
    asserts.false(env, "model.safetensors" in _basenames(parameters.inputs))
    (convert,) = _actions(env, "MlcConvertWeight")
    ours = [f.short_path for f in convert.inputs.to_list() if "tests/analysis" in f.short_path]
    asserts.equals(env, [
        "tests/analysis/checkpoint/model.safetensors",
        "tests/analysis/converted.parameters.json",
    ], sorted(ours))
    return analysistest.end(env)

conversion_test = analysistest.make(_conversion_impl)

def _converted_weights_impl(ctx):
    """Digests are the conversion's own, and the check sees no weights."""
    env = analysistest.begin(ctx)
    info = analysistest.target_under_test(env)[MlcWeightInfo]
    asserts.true(env, info.directory.is_directory)
    asserts.equals(env, [], info.files)
    hashed = [output.basename for action in _actions(env, "MlcDigest") for output in action.outputs.to_list()]
    asserts.equals(env, ["mlc-chat-config.json.json", "tokenizer.json.json"], sorted(hashed))
    (check,) = _actions(env, "MlcWeights")
    asserts.false(env, any([f.is_directory and f.basename == "converted" for f in check.inputs.to_list()]))
    asserts.true(env, "converted.digests.json" in _basenames(check.inputs))
    return analysistest.end(env)

converted_weights_test = analysistest.make(_converted_weights_impl)

def _weights_impl(ctx):
    env = analysistest.begin(ctx)
    info = analysistest.target_under_test(env)[MlcWeightInfo]
    asserts.equals(
        env,
        ["mlc-chat-config.json", "params_shard_0.bin", "tensor-cache.json", "tokenizer.json"],
        sorted([f.path for f in info.files]),
    )
    asserts.equals(env, 4, len(_actions(env, "MlcDigest")))
    (check,) = _actions(env, "MlcWeights")

    # The check reads digests, never the weights.
    asserts.false(env, "params_shard_0.bin" in _basenames(check.inputs))
    return analysistest.end(env)

weights_test = analysistest.make(_weights_impl)

def _model_impl(ctx):
    env = analysistest.begin(ctx)
    info = analysistest.target_under_test(env)[MlcModelInfo]
    asserts.equals(env, ctx.attr.model_id, info.model_id)
    asserts.equals(env, ctx.attr.bundled, info.bundle_weight)
    return analysistest.end(env)

model_test = analysistest.make(_model_impl, attrs = {"bundled": attr.bool(), "model_id": attr.string()})

def _package_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[MlcPackageInfo]
    asserts.equals(env, ctx.attr.files, sorted([f.path for f in info.files]))
    root = info.manifest.path[:-len("package-manifest.json")]
    for f in info.files:
        asserts.equals(env, root + f.path, f.file.path)
    asserts.equals(env, len(info.files), len(target[DefaultInfo].files.to_list()))

    # Weights are linked by Bazel itself: no tool reads or copies them, but for a layout that is asked for.
    for action in analysistest.target_actions(env):
        if action.mnemonic.startswith("Mlc") and action.mnemonic != "MlcOci":
            asserts.false(env, "params_shard_0.bin" in _basenames(action.inputs), action.mnemonic)
    return analysistest.end(env)

package_test = analysistest.make(_package_impl, attrs = {"files": attr.string_list()})

def _script_impl(ctx):
    """What `bazel run` starts names files as they are called, whatever their names mean to a shell."""
    env = analysistest.begin(ctx)
    script = analysistest.target_under_test(env)[DefaultInfo].files_to_run.executable
    (write,) = [a for a in analysistest.target_actions(env) if script in a.outputs.to_list()]
    for text in ctx.attr.texts:
        asserts.true(env, text in write.content, write.content)
    return analysistest.end(env)

script_test = analysistest.make(_script_impl, attrs = {"texts": attr.string_list()})

def _shared_lib_impl(ctx):
    """Two models that share a library, or declare equal ones, ask for one compile."""
    env = analysistest.begin(ctx)
    (archive,) = _actions(env, "MlcArchive")
    asserts.equals(env, 1, len([f for f in archive.inputs.to_list() if f.extension == "tar"]))
    return analysistest.end(env)

shared_lib_test = analysistest.make(_shared_lib_impl)

def _prebuilt_impl(ctx):
    """A library compiled elsewhere is archived beside a compiled one."""
    env = analysistest.begin(ctx)
    (archive,) = _actions(env, "MlcArchive")
    asserts.equals(env, ["lib.tar", "prebuilt_lib.tar"], [name for name in _basenames(archive.inputs) if name.endswith(".tar")])
    return analysistest.end(env)

prebuilt_test = analysistest.make(_prebuilt_impl)

def _pkg_files_impl(ctx):
    env = analysistest.begin(ctx)
    found = analysistest.target_under_test(env)[FakePackageFilesInfo]
    asserts.equals(env, ctx.attr.paths, sorted(found.dest_src_map.keys()))
    for path, file in found.dest_src_map.items():
        asserts.true(env, file.path.endswith(path.removeprefix("opt/models/")), path)
    asserts.equals(env, {"mode": "0644"}, found.attributes)
    return analysistest.end(env)

pkg_files_test = analysistest.make(_pkg_files_impl, attrs = {"paths": attr.string_list()})

# Has the fields of rules_pkg's provider of this name.
FakePackageFilesInfo = provider(
    doc = "Files by their paths in a package.",
    fields = ["attributes", "dest_src_map"],
)

fake_pkg_files = mlc_pkg_files_rule(FakePackageFilesInfo)

def _failure_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, ctx.attr.message)
    return analysistest.end(env)

def _linked_lib_impl(ctx):
    """Programs that a toolchain has are asked to link or compile, and are inputs of that."""
    env = analysistest.begin(ctx)
    compile = _action_of_library(env, "MlcCompile")
    asserts.equals(env, ctx.attr.library, analysistest.target_under_test(env)[MlcModelLibInfo].library.basename)
    names = _basenames(compile.inputs)
    for needed in ctx.attr.needs:
        asserts.true(env, needed in names, needed)
    for argument in ctx.attr.arguments:
        asserts.true(env, argument in compile.argv, argument)
    return analysistest.end(env)

linked_lib_test = analysistest.make(
    _linked_lib_impl,
    attrs = {
        "arguments": attr.string_list(),
        "library": attr.string(),
        "needs": attr.string_list(),
    },
    config_settings = {"//command_line_option:extra_toolchains": ["//tests/analysis:toolchain_of_all"]},
    extra_target_under_test_aspects = [_made],
)

no_linker_failure_test = analysistest.make(
    _failure_impl,
    attrs = {"message": attr.string()},
    config_settings = {"//command_line_option:extra_toolchains": ["//tests/analysis:no_linker_toolchain"]},
    expect_failure = True,
)

failure_test = analysistest.make(_failure_impl, attrs = {"message": attr.string()}, expect_failure = True)
