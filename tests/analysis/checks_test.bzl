"""Unit tests of the checks that macros make while a BUILD file loads."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load(
    "//rules/private:checks.bzl",
    "application_id_error",
    "architectures_error",
    "device_error",
    "directory_error",
    "directory_prefix",
    "install_dir_error",
    "model_error",
    "model_id_error",
    "model_lib_error",
    "normalize_url",
    "opt_error",
    "overrides_error",
    "target_error",
    "url_error",
)
load("//rules/private:devices.bzl", "DEVICE_NAMES")
load("//rules/private:messages.bzl", "edit_distance")
load("//rules/private:models.bzl", "FAMILIES", "checkpoint_error")
load("//rules/private:package_checks.bzl", "models_error")
load("//rules/private:runtime_checks.bzl", "runtime_device_error", "source_runtime_error", "version_error")
load("//rules/private:versions.bzl", "compiler_of")

def _edit_distance_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, 0, edit_distance("prefill", "prefill"))
    asserts.equals(env, 3, edit_distance("kitten", "sitting"))
    asserts.equals(env, 4, edit_distance("", "four"))
    return unittest.end(env)

def _overrides_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, None, overrides_error("//a:b", {
        "attention_sink_size": -1,
        "context_window_size": 768,
        "disaggregation": False,
        "prefill_chunk_size": 8,
        "sliding_window_size": -1,
    }))
    known = " (known: attention_sink_size, context_window_size, disaggregation, max_batch_size, pipeline_parallel_stages, prefill_chunk_size, sliding_window_size, tensor_parallel_shards)"
    asserts.equals(
        env,
        "//a:b: overrides.context_windw_size: unknown override; did you mean context_window_size?" + known,
        overrides_error("//a:b", {"context_windw_size": 1}),
    )
    asserts.equals(
        env,
        "//a:b: overrides.temperature: unknown override" + known,
        overrides_error("//a:b", {"temperature": 1}),
    )
    asserts.equals(
        env,
        "//a:b: overrides.prefill_chunk_size: expected an integer of at least 1, got -5",
        overrides_error("//a:b", {"prefill_chunk_size": -5}),
    )
    asserts.equals(
        env,
        "//a:b: overrides.max_batch_size: expected an integer of at least 1, got 0",
        overrides_error("//a:b", {"max_batch_size": 0}),
    )
    asserts.equals(
        env,
        "//a:b: overrides.max_batch_size: expected an integer, got \"4\"",
        overrides_error("//a:b", {"max_batch_size": "4"}),
    )
    asserts.equals(
        env,
        "//a:b: overrides.max_batch_size: expected an integer, got True",
        overrides_error("//a:b", {"max_batch_size": True}),
    )
    asserts.equals(
        env,
        "//a:b: overrides.disaggregation: expected True or False, got 1",
        overrides_error("//a:b", {"disaggregation": 1}),
    )
    asserts.true(env, overrides_error("//a:b", []).startswith("//a:b: attribute overrides: expected a dict"))
    return unittest.end(env)

def _names_impl(ctx):
    env = unittest.begin(ctx)
    for good in ["phi-2", "Llama-3.2-1B-Instruct-q4f16_1-MLC", "a+b", "7b", "Phi 2 (4 bit)"]:
        asserts.equals(env, None, model_id_error("//a:b", good))
    for bad in ["", "..", ".", "../../x", "a/b", "a\\b", " a", "a ", "a:b", ".hidden", "dot.", "a\nb", "é"]:
        error = model_id_error("//a:b", bad)
        asserts.true(env, error and error.startswith("//a:b: attribute model_id: expected letters"), bad)
    asserts.true(env, model_id_error("//a:b", "mlc-app-config.json").endswith("is a file of bundle/; give another"))
    for directory, prefix in {"phi": "phi/", "./phi//": "phi/", "a/b": "a/b/"}.items():
        asserts.equals(env, None, directory_error("//a:b", directory))
        asserts.equals(env, prefix, directory_prefix(directory))
    for bad in ["/phi", "..", "a/../../phi", "", ".", "./"]:
        error = directory_error("//a:b", bad)
        asserts.true(env, error and error.startswith("//a:b: attribute directory: \"" + bad), bad)
    for good in ["dist", "ios/dist", "My app (iOS)/dist"]:
        asserts.equals(env, None, install_dir_error("//a:b", good))
    for bad in ["", "/dist", "dist/", "../dist", "a/./b", "a\"b", "$HOME", "`x`", "a'b", "a\\b"]:
        error = install_dir_error("//a:b", bad)
        asserts.true(env, error and error.startswith("//a:b: attribute install_dir: expected a directory"), bad)
    for good in ["llama_q4f16_1", "_x", "gemma-2b"]:
        asserts.equals(env, None, model_lib_error("//a:b", good))
    for bad in ["", "1x", "a.b", "a b", "a/b"]:
        error = model_lib_error("//a:b", bad)
        asserts.true(env, error and error.startswith("//a:b: attribute model_lib: expected letters"), bad)
    return unittest.end(env)

def _values_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, None, device_error("//a:b", "android"))
    asserts.equals(
        env,
        "//a:b: attribute device: no device \"iphne\"; did you mean iphone? (known: " + ", ".join(DEVICE_NAMES) + ")",
        device_error("//a:b", "iphne"),
    )
    asserts.equals(env, None, target_error("//a:b", {"libs": ["thrust"], "max_threads_per_block": "512", "opt-level": 2}))
    asserts.true(env, target_error("//a:b", "llvm").startswith("//a:b: attribute target: expected a dict"))
    asserts.equals(
        env,
        "//a:b: target.host: expected a number, a string, True, False or a list of strings, got {}",
        target_error("//a:b", {"host": {}}),
    )
    asserts.equals(env, None, architectures_error("//a:b", ["80", "90a"]))
    for bad in ["80", [80], ["sm_80"]]:
        asserts.true(env, architectures_error("//a:b", bad).startswith("//a:b: attribute architectures: expected a list"))
    asserts.equals(env, None, opt_error("//a:b", "O3"))
    asserts.equals(env, "//a:b: attribute opt: expected one of O0, O1, O2, O3, got \"2\"", opt_error("//a:b", "2"))
    asserts.equals(env, "https://huggingface.co/mlc-ai/phi-2", normalize_url("HF://mlc-ai/phi-2/"))
    asserts.equals(env, None, url_error("//a:b", "https://example.org/phi-2"))
    asserts.true(env, url_error("//a:b", "/home/me/phi-2").startswith("//a:b: attribute url: expected HF://"))
    return unittest.end(env)

def _types_impl(ctx):
    """What is no string is a mistake like others, with the target and the attribute, and no failure of ours."""
    env = unittest.begin(ctx)
    for bad in [5, 0.27, None, ["android"], {}]:
        for attribute, error in {
            "application_id": application_id_error("//a:b", bad),
            "device": device_error("//a:b", bad),
            "directory": directory_error("//a:b", bad),
            "install_dir": install_dir_error("//a:b", bad),
            "model_id": model_id_error("//a:b", bad),
            "model_lib": model_lib_error("//a:b", bad),
            "url": url_error("//a:b", normalize_url(bad)),
            "version": version_error("//a:b", bad),
        }.items():
            asserts.true(env, error.startswith("//a:b: attribute {}: expected a string such as ".format(attribute)), error)
            asserts.true(env, error.endswith(", got " + repr(bad)), error)
        asserts.true(env, "expected a string" in runtime_device_error("//a:b", bad, [], None))
        asserts.true(env, "expected a string" in source_runtime_error("//a:b", bad, None))
    asserts.true(env, overrides_error("//a:b", {5: 6}).startswith("//a:b: overrides.5: unknown override"))
    asserts.true(env, target_error("//a:b", {5: 6}).endswith(": expected names of attributes, got 5"))
    return unittest.end(env)

def _model_impl(ctx):
    env = unittest.begin(ctx)
    asserts.true(env, "expected True or False, got \"no\"" in model_error("//a:b", "https://x", None, None, "no"))
    asserts.equals(env, None, model_error("//a:b", "https://x", None, 4348727787, False))
    asserts.true(env, "there are no weights to bundle" in model_error("//a:b", None, None, None, True))
    asserts.true(env, "set url, or bundle_weight = True" in model_error("//a:b", None, ":w", None, False))
    for bad in [0, -1, "4", 1.5]:
        asserts.true(env, "expected a positive integer of bytes" in model_error("//a:b", None, ":w", bad, True))
    return unittest.end(env)

def _model_of(compiler, tvm, symbol_suffix = "s", variant = "cpu:x86_64-linux"):
    return struct(
        lib = struct(
            compiler = struct(compiler = compiler, symbol_suffix = symbol_suffix, tvm = tvm, tvm_ffi = "1"),
            device = struct(name = "cpu", variant = variant),
            model_lib = "",
            options = "{}",
        ),
        lib_label = "//a:" + variant.partition(":")[2],
        model_id = compiler + tvm + variant,
    )

def _compilers_impl(ctx):
    env = unittest.begin(ctx)
    embedded = _model_of("embedded", "0.27.0.post1")
    asserts.equals(env, None, models_error("//a:b", "cpu", [embedded]))
    asserts.equals(
        env,
        "//a:b: attribute models: an app has one runtime, and the libraries are of two compilers: " +
        "embedded (tvm 0.27.0.post1, tvm_ffi 1, symbol s) and embedded (tvm 0.28.0, tvm_ffi 1, symbol s); build all with one",
        models_error("//a:b", "cpu", [embedded, _model_of("embedded", "0.28.0")]),
    )

    # Of a library compiled elsewhere, what is not said is not compared.
    for tvm in ["", "0.27.0", "v0.27.0+gpu"]:
        asserts.equals(env, None, models_error("//a:b", "cpu", [_model_of("prebuilt", tvm), embedded]))
    for other in [_model_of("prebuilt", "0.26.0"), _model_of("prebuilt", "", "t")]:
        asserts.true(env, "two compilers" in models_error("//a:b", "cpu", [other, embedded]))
    asserts.equals(env, "embedded", compiler_of([_model_of("prebuilt", "0.27.0"), embedded]).compiler)
    return unittest.end(env)

def _devices_impl(ctx):
    """A package is for one machine; a device without its machine stands for any one of them."""
    env = unittest.begin(ctx)
    models = [_model_of("embedded", "0.27", variant = variant) for variant in ["cpu:x86_64-linux", "cpu:aarch64-linux"]]
    asserts.equals(env, None, models_error("//a:b", "cpu", models[:1]))
    asserts.equals(env, None, models_error("//a:b", "cpu:x86_64-linux", models[:1]))
    asserts.equals(
        env,
        "//a:b: attribute models: //a:x86_64-linux is a library for cpu:x86_64-linux and //a:aarch64-linux for " +
        "cpu:aarch64-linux; leave out their device attributes",
        models_error("//a:b", "cpu", models),
    )
    asserts.true(env, "and this package is for cpu:aarch64-linux" in models_error("//a:b", "cpu:aarch64-linux", models))
    return unittest.end(env)

def _application_id_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, None, application_id_error("//a:b", "com.example.app_2"))
    for bad in ["app", "", "..", "com..app", "com.7app", "com/example.app", "com.example;rm"]:
        asserts.equals(
            env,
            "//a:b: attribute application_id: expected an id such as com.example.app, got " + repr(bad),
            application_id_error("//a:b", bad),
        )
    return unittest.end(env)

def _runtime_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, None, runtime_device_error("//a:b", "iphone", ["x.a"], None))
    asserts.equals(env, None, runtime_device_error("//a:b", "android", [], "mlc4j"))
    asserts.equals(
        env,
        "//a:b: attribute mlc4j: give it, and it alone: it is the runtime for android",
        runtime_device_error("//a:b", "android", ["x.a"], None),
    )
    asserts.true(env, "attribute libs: give it" in runtime_device_error("//a:b", "iphone", [], None))
    asserts.true(env, "there is no runtime to package for \"webgpu\"" in runtime_device_error("//a:b", "webgpu", ["x.a"], None))
    asserts.equals(env, None, source_runtime_error("//a:b", "macabi:x86_64", None))
    asserts.equals(env, None, source_runtime_error("//a:b", "android", ":archive"))
    asserts.true(env, "attribute model_archive: the runtime for android holds" in source_runtime_error("//a:b", "android", None))
    asserts.true(env, "attribute model_archive: the app for iphone links it" in source_runtime_error("//a:b", "iphone", ":archive"))
    asserts.true(env, "upstream has no script for \"metal\"" in source_runtime_error("//a:b", "metal", None))
    for good in ["0.27.0", "v0.27", "0.26.dev12", "0.27.0.post1"]:
        asserts.equals(env, None, version_error("//a:b", good))
    asserts.equals(
        env,
        "//a:b: attribute version: expected the version of TVM, such as 0.27.0, got \"main\"",
        version_error("//a:b", "main"),
    )
    return unittest.end(env)

def _checkpoint_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, None, checkpoint_error("//a:b", "q4f16_0", None))
    asserts.equals(env, None, checkpoint_error("//a:b", "q4f16_1", "mixtral"))
    asserts.equals(
        env,
        '//a:b: attribute model_type: no family "lama"; did you mean llama? (known: {})'.format(", ".join(FAMILIES)),
        checkpoint_error("//a:b", "q4f16_1", "lama"),
    )
    asserts.equals(
        env,
        '//a:b: attribute quantization: no quantization "q5f16_1"; did you mean q3f16_1? (known: q0bf16, q0f16, q0f32, q3f16_0, q3f16_1, q4bf16_1, q4f16_0, q4f16_1, q4f32_1)',
        checkpoint_error("//a:b", "q5f16_1", None),
    )
    asserts.equals(
        env,
        "//a:b: attribute quantization: mixtral has no q4f16_0; expected one of q0bf16, q0f16, q0f32, q3f16_1, q4bf16_1, q4f16_1, q4f32_1",
        checkpoint_error("//a:b", "q4f16_0", "mixtral"),
    )
    return unittest.end(env)

_checkpoint_test = unittest.make(_checkpoint_impl)
_edit_distance_test = unittest.make(_edit_distance_impl)
_overrides_test = unittest.make(_overrides_impl)
_names_test = unittest.make(_names_impl)
_types_test = unittest.make(_types_impl)
_values_test = unittest.make(_values_impl)
_model_test = unittest.make(_model_impl)
_application_id_test = unittest.make(_application_id_impl)
_compilers_test = unittest.make(_compilers_impl)
_runtime_test = unittest.make(_runtime_impl)
_devices_test = unittest.make(_devices_impl)

def checks_test_suite(name):
    """Declares the tests of this file.

    Args:
      name: The suite's name.
    """
    unittest.suite(
        name,
        _application_id_test,
        _checkpoint_test,
        _compilers_test,
        _devices_test,
        _edit_distance_test,
        _model_test,
        _names_test,
        _overrides_test,
        _runtime_test,
        _types_test,
        _values_test,
    )
