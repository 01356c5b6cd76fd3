"""Provider: the device that a configuration builds for."""

MlcDeviceInfo = provider(
    doc = "The device of the target platform, as its constraint values say.",
    fields = {
        "arch": "str: for device `cpu`, the machine such as x86_64-linux; empty elsewhere.",
        "library": "str: `tar` (objects of a system library) or `so` (a shared library).",
        "name": "str: the device as upstream spells it, such as android.",
        "object": "str: the object format, `elf` or `macho`.",
    },
)
