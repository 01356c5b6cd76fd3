"""Public rule: a compiled model library."""

load("//rules/private:checks.bzl", "device_error", "first_error", "model_lib_error", "opt_error", "overrides_error")
load("//rules/private:compatible.bzl", "where_a_device_is_set")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:model_lib.bzl", _mlc_model_lib = "mlc_model_lib")

def mlc_model_lib(name, config, device = None, overrides = {}, model_lib = None, opt = "O2", **kwargs):
    """Compiles a model for one device.

    Two actions: `MlcConfig` validates the config and the overrides and writes the compile key; `MlcCompile` sees that
    key and the toolchain, nothing else. Editing weights, the tokenizer or a chat setting compiles nothing.

    The default output is the library: a .tar of objects, or a shared library, as the device has it. Output groups:
    `compile_key`, `metadata` (upstream's `_metadata` and the memory figures, in bytes) and `log`.

    Args:
      name: The target's name.
      config: Label of mlc-chat-config.json, or of a target that has one among its files.
      device: One of the devices of docs/devices.md, such as `android`, `iphone`, or `cpu` (the machine itself). If not
        given, that of the mlc_package which asks, or of `--platforms=@rules_mlc//rules/platforms:<device>`; without
        either the target is skipped.
      overrides: dict: fields of the config to change: `context_window_size`, `sliding_window_size`,
        `prefill_chunk_size`, `attention_sink_size` (tokens), `max_batch_size`, `tensor_parallel_shards`,
        `pipeline_parallel_stages` (counts), `disaggregation` (bool).
      model_lib: The name of the system library, the prefix of its symbol: letters, digits, `_` and `-` (which becomes
        `_`). If not given, `{model_type}_{quantization}_{md5 of the compile key}`, as upstream names it.
      opt: Optimization level, `O0` to `O3`, as in `mlc_llm compile --opt`.
      **kwargs: Attributes common to all rules.
    """
    where = label_of(name)
    first_error(
        device_error(where, device) if device != None else None,
        opt_error(where, opt),
        overrides_error(where, overrides),
        model_lib_error(where, model_lib) if model_lib != None else None,
    )
    if not device:
        kwargs["target_compatible_with"] = where_a_device_is_set(kwargs.get("target_compatible_with", []))
    _mlc_model_lib(
        name = name,
        config = config,
        device = device or "",
        model_lib = model_lib or "",
        opt = opt,
        overrides = json.encode(overrides),
        **kwargs
    )
