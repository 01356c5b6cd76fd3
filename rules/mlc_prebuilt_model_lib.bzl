"""Public rule: a model library that was compiled elsewhere."""

load("//rules/private:checks.bzl", "device_error", "model_lib_error", "overrides_error")
load("//rules/private:compatible.bzl", "where_a_device_is_set")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:prebuilt_model_lib.bzl", _mlc_prebuilt_model_lib = "mlc_prebuilt_model_lib")

def mlc_prebuilt_model_lib(name, library, model_lib, config, device = None, overrides = {}, tvm = None, **kwargs):
    """Takes a library that was compiled elsewhere in the place of an mlc_model_lib; nothing is compiled.

    One action, `MlcPrebuilt`, opens the library and accepts it, or says in one line why an app could not load it: its
    format, machine and platform, the symbol by which the runtime finds it (and so the age of the TVM that made it),
    the device its kernels are for, the model and the settings that its metadata names. The memory figures and the
    parameters, which are compared with bundled weights, come from that metadata too.

    The default output is the library: a .tar of its objects, or the shared library. Output groups: `metadata`, `log`
    and `compile_key`.

    Args:
      name: str: the target's name.
      library: label: the file: a .tar as `mlc_llm compile` writes it, a static archive (.a) or an object (.o), for
        devices whose libraries are linked into the app; else a shared library (.so).
      model_lib: str: the name of the system library, the prefix of its symbol; `-` becomes `_`.
      config: label: the model's mlc-chat-config.json, or a target that has one among its files.
      device: str: one of the devices of docs/devices.md, as in mlc_model_lib; not `webgpu`.
      overrides: dict[str, int or bool]: settings that the library must have been compiled with, as in mlc_model_lib.
      tvm: str: the version of TVM that made the library, such as `0.27.0`. A library does not say it; if it is given, a
        package refuses other libraries and runtimes than those of this version.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    where = label_of(name)
    first_error(
        device_error(where, device) if device != None else None,
        overrides_error(where, overrides),
        model_lib_error(where, model_lib),
    )
    if not device:
        kwargs["target_compatible_with"] = where_a_device_is_set(kwargs.get("target_compatible_with", []))
    _mlc_prebuilt_model_lib(
        name = name,
        config = config,
        device = device or "",
        library = library,
        model_lib = model_lib,
        overrides = json.encode(overrides),
        tvm = tvm or "",
        **kwargs
    )
