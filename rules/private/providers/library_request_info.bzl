"""Provider: what a model library is asked for with."""

MlcLibraryRequestInfo = provider(
    doc = "A request for a model library, checked as far as analysis can: all that the compile needs to know of who asks.",
    fields = {
        "compiler": "MlcCompilerInfo: the compiler of the toolchain.",
        "config": "File: the chat config.",
        "config_arguments": "list[str]: what tools.config takes beside the chat config and the output.",
        "config_tool": "MlcToolInfo of tools.config.",
        "device": "MlcDeviceInfo: the device the library is for.",
        "form": "str: the library's suffix: tar, so, dylib or wasm.",
        "model_lib": "str: the library's name where the target gives one, else empty.",
        "options": "str: canonical JSON of what is compiled and how, to compare two libraries in analysis.",
        "python": "MlcPythonInfo: the environment of tools.config.",
        "where": "str: the target that asks, for messages.",
    },
)
