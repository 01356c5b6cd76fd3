"""Provider: a runtime for the app."""

MlcRuntimeInfo = provider(
    doc = "What an app links or includes besides the models: upstream's runtime for one device.",
    fields = {
        "device": "str: the device, such as iphone.",
        "files": "list[struct(path = str, file = File)]: every file under its path below dist/.",
        "manifest": "File: JSON; path, size in bytes and sha256 of every file.",
        "packed": "File or None: the shared library into which the model libraries of the package are linked.",
        "version": "str: the version of TVM that the runtime was built from.",
    },
)
