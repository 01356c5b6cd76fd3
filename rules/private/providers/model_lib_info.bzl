"""Provider: a compiled model library."""

MlcModelLibInfo = provider(
    doc = "One model library for one device.",
    fields = {
        "compile_key": "File: JSON; everything of the model and the options that the library depends on, and its name.",
        "compiler": "MlcCompilerInfo: the compiler that makes the library; for one compiled elsewhere its `compiler` is prebuilt, `tvm` what the user said or empty.",
        "config": "File: the chat config that the compile key is made from.",
        "device": "MlcDeviceInfo: the device the library is for.",
        "library": "File: a .tar of objects, or a shared library.",
        "log": "File: the compiler's log.",
        "metadata": "File: JSON; upstream's `_metadata`, the memory figures in bytes, the exported symbol.",
        "model_lib": "str: the library's name where the target gives one; empty where it is derived from the compile key.",
        "options": "str: canonical JSON of what is compiled and how, or of the file compiled elsewhere, to compare two libraries in analysis.",
    },
)
