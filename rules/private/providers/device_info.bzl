"""Provider: the device that a configuration builds for."""

MlcDeviceInfo = provider(
    doc = "The device of the target platform, as its constraint values say.",
    fields = {
        "libraries": "list[str]: the forms of a library, the usual one first: `tar` (objects of a system library), or linked: `so`, `dylib`, `wasm`.",
        "library": "str: the usual form.",
        "name": "str: the device as upstream spells it, such as android; for cpu, cuda and opencl without the machine.",
        "object": "str: the object format: `elf`, `macho` or `wasm`.",
        "variant": "str: the device as the compiler names it: with the machine, such as cpu:x86_64-linux.",
    },
)
