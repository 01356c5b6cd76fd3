"""Public rule: upstream's runtime, built by its own scripts."""

load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:runtime_checks.bzl", "source_runtime_error", "version_error")
load("//rules/private:runtime_from_source.bzl", _mlc_runtime_from_source = "mlc_runtime_from_source")

# What upstream's scripts make, and what its packaging takes of mlc4j, at mlc-llm 79d603f0.
_XCODE = [
    "libmlc_llm.a",
    "libsentencepiece.a",
    "libtokenizers_c.a",
    "libtokenizers_cpp.a",
    "libtvm_ffi_static.a",
    "libtvm_runtime.a",
]
_GRADLE = [
    "mlc4j/build.gradle",
    "mlc4j/output/arm64-v8a/libtvm4j_runtime_packed.so",
    "mlc4j/output/tvm4j_core.jar",
    "mlc4j/src/cpp/tvm_runtime.h",
    "mlc4j/src/main/AndroidManifest.xml",
    "mlc4j/src/main/java/ai/mlc/mlcllm/JSONFFIEngine.java",
    "mlc4j/src/main/java/ai/mlc/mlcllm/MLCEngine.kt",
    "mlc4j/src/main/java/ai/mlc/mlcllm/OpenAIProtocol.kt",
]

def mlc_runtime_from_source(name, device, version, archive = None, model_archive = None, files = None, **kwargs):
    """Builds upstream's runtime with upstream's scripts; it goes where an mlc_runtime goes.

    What the scripts need of the machine (cmake, rustup, Xcode or the NDK and a JDK) is checked before they start; all
    that is missing is said at once. The action, `MlcRuntimeFromSource`, runs on this machine, outside of sandboxes and
    with the network, with the variables that `--action_env` names.

    Args:
      name: str: the target's name.
      device: str: `android`, `iphone`, `macabi` or `macabi:x86_64`.
      version: str: the version of TVM that the sources pin, or that `TVM_SOURCE_DIR` has.
      archive: label: a .tar of mlc-llm's sources with its submodules, such as an http_file with a sha256. If not
        given, the directory in the variable MLC_LLM_SOURCE_DIR, whose contents Bazel does not see: a change in it
        builds nothing.
      model_archive: label: for android, the package's libmodel_android.a, which is linked into the runtime: output
        group `libraries` of an mlc_package with the same models and no runtime.
      files: list[str]: what is taken of the build, by paths below `dist/lib`. If not given, what the scripts made at
        mlc-llm 79d603f0; a warning then names a library that they make besides.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    where = label_of(name)
    first_error(source_runtime_error(where, device, model_archive), version_error(where, version))
    _mlc_runtime_from_source(
        name = name,
        archive = archive,
        complete = files == None,
        device = device,
        files = files or (_GRADLE if device == "android" else _XCODE),
        model_archive = model_archive,
        version = version,
        **kwargs
    )
