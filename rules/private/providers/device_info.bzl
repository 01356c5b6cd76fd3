"""Provider: the device that a configuration builds for."""

MlcDeviceInfo = provider(
    doc = "The device of the target platform, as its constraint values say.",
    fields = {
        "library": "str: `tar` (objects of a system library) or `so` (a shared library).",
        "name": "str: the device as upstream spells it, such as android; for cpu, cuda and opencl without the machine.",
        "object": "str: the object format: `elf`, `macho` or `wasm`.",
        "variant": "str: the device as the compiler names it: with the machine, such as cpu:x86_64-linux.",
    },
)
