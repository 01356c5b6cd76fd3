"""Public rule: a compiled model library."""

load(
    "//rules/private:checks.bzl",
    "architectures_error",
    "device_error",
    "model_lib_error",
    "opt_error",
    "overrides_error",
    "target_error",
)
load("//rules/private:compatible.bzl", "where_a_device_is_set")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:library_request.bzl", "REQUEST_SUFFIX", "mlc_library_request")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:model_lib.bzl", _mlc_model_lib = "mlc_model_lib")
load("//rules/private/hub:config_label.bzl", "config_label")

def mlc_model_lib(
        name,
        config,
        device = None,
        overrides = {},
        model_lib = None,
        opt = "O2",
        target = {},
        architectures = [],
        **kwargs):
    """Compiles a model for one device.

    Two actions: `MlcConfig` validates the config and the overrides and writes the compile key; `MlcCompile` sees that
    key and the toolchain, nothing else. Editing weights, the tokenizer or a chat setting compiles nothing.

    The default output is the library: a .tar of objects, or a shared library, as the device has it. Output groups:
    `compile_key`, `metadata` (upstream's `_metadata` and the memory figures, in bytes) and `log`.

    Args:
      name: str: the target's name.
      config: label: mlc-chat-config.json, or a target that has one among its files. Of a model of the Hugging Face
        Hub, such as `@phi2`, the config alone is fetched.
      device: str: one of the devices of docs/devices.md, such as `android`, `iphone`, or `cpu` (the machine itself). If not
        given, that of the mlc_package which asks, or of `--platforms=@rules_mlc//rules/platforms:<device>`; without
        either the target is skipped.
      overrides: dict[str, int or bool]: fields of the config to change: `context_window_size`, `sliding_window_size`,
        `prefill_chunk_size` (tokens, 1 or more), `attention_sink_size` (tokens, 0 or more), `max_batch_size`,
        `tensor_parallel_shards`, `pipeline_parallel_stages` (counts, 1 or more), `disaggregation` (bool). -1 for one of
        the first two or of `attention_sink_size` leaves the model's own value. Any other key is an error.
      model_lib: str: the name of the system library, the prefix of its symbol: letters, digits, `_` and `-` (which becomes
        `_`). If not given, `{model_type}_{quantization}_{md5 of the compile key}`, as upstream names it.
      opt: str: optimization level, `O0` to `O3`, as in `mlc_llm compile --opt`. Only CUDA's libraries depend on it.
      target: dict[str, value]: attributes of the device's TVM target to replace, such as `{"max_threads_per_block": 512}`; those of a
        GPU's host as `{"host.mcpu": "cortex-a76"}`. Devices have different ones: set attribute `device` too.
      architectures: list[str]: for device `cuda`, the compute capabilities to compile for, such as `["80", "90a"]`. Other
        devices ignore it.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`. `testonly` is needed where `config`, or the
        compiler, has it.
    """
    where = label_of(name)
    if type(config) in ["Label", "string"]:
        config = config_label(native.package_relative_label(config))
    first_error(
        device_error(where, device) if device != None else None,
        opt_error(where, opt),
        overrides_error(where, overrides),
        model_lib_error(where, model_lib) if model_lib != None else None,
        target_error(where, target),
        architectures_error(where, architectures),
    )
    if not device:
        kwargs["target_compatible_with"] = where_a_device_is_set(kwargs.get("target_compatible_with", []))
    for_tests = bool(kwargs.get("testonly"))
    request = name + REQUEST_SUFFIX
    mlc_library_request(
        name = request,
        testonly = for_tests,
        architectures = architectures,
        config = config,
        model_lib = model_lib or "",
        opt = opt,
        overrides = json.encode(overrides),
        # Of itself it makes nothing, and it is for the device that the library below is for.
        tags = (kwargs.get("tags") or []) + ["manual"],
        target_compatible_with = kwargs.get("target_compatible_with", []),
        tvm_target = json.encode(target),
        visibility = [Label("//rules/private:__pkg__")],
    )
    _mlc_model_lib(
        name = name,
        device = device or "",
        for_tests = for_tests,
        request = request,
        **kwargs
    )
