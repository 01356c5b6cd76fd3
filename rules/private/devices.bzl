"""The devices that libraries are compiled for; what the compiler is told of each is in tools/config/devices.json."""

# As upstream spells them; where that leaves open for which machine, with it. A test keeps this equal to the JSON file.
#   libraries: the forms of a library, the usual one first: `tar`, the objects of a system library, which an app's linker
#     takes; or linked, `so`, `dylib` or `wasm`.
#   object: the format of the objects.
#   cpu, os: the constraint values of @platforms.
DEVICES = {
    "android": {"cpu": "aarch64", "libraries": ["tar"], "object": "elf", "os": "android"},
    "android:adreno": {"cpu": "aarch64", "libraries": ["tar"], "object": "elf", "os": "android"},
    "cpu:aarch64-linux": {"cpu": "aarch64", "libraries": ["so", "tar"], "object": "elf", "os": "linux"},
    "cpu:arm64-macos": {"cpu": "aarch64", "libraries": ["dylib", "tar"], "object": "macho", "os": "macos"},
    "cpu:x86_64-linux": {"cpu": "x86_64", "libraries": ["so", "tar"], "object": "elf", "os": "linux"},
    "cuda:aarch64-linux": {"cpu": "aarch64", "libraries": ["so", "tar"], "object": "elf", "os": "linux"},
    "cuda:x86_64-linux": {"cpu": "x86_64", "libraries": ["so", "tar"], "object": "elf", "os": "linux"},
    "iphone": {"cpu": "aarch64", "libraries": ["tar"], "object": "macho", "os": "ios"},
    "macabi": {"cpu": "aarch64", "libraries": ["tar"], "object": "macho", "os": "macos"},
    "macabi:x86_64": {"cpu": "x86_64", "libraries": ["tar"], "object": "macho", "os": "macos"},
    "mali": {"cpu": "aarch64", "libraries": ["so", "tar"], "object": "elf", "os": "linux"},
    "metal": {"cpu": "aarch64", "libraries": ["dylib", "tar"], "object": "macho", "os": "macos"},
    "opencl:aarch64-linux": {"cpu": "aarch64", "libraries": ["so", "tar"], "object": "elf", "os": "linux"},
    "opencl:x86_64-linux": {"cpu": "x86_64", "libraries": ["so", "tar"], "object": "elf", "os": "linux"},
    "webgpu": {"cpu": "wasm32", "libraries": ["tar", "wasm"], "object": "wasm", "os": "none"},
}

# Devices whose name alone stands for the machine that the target platform names.
HOSTED = ["cpu", "cuda", "opencl"]

DEVICE_NAMES = sorted(DEVICES.keys() + HOSTED)

def machines_of(device):
    """The machines of a hosted device.

    Args:
      device: str, one of HOSTED.

    Returns:
      list[str], such as x86_64-linux.
    """
    return [name.partition(":")[2] for name in DEVICES if name.startswith(device + ":")]

def constraint_name(device):
    """The constraint value of //rules/platforms that stands for a device.

    Args:
      device: str, one of DEVICE_NAMES.

    Returns:
      str: a target's name.
    """
    kind = device.partition(":")[0]
    return (kind if kind in HOSTED else platform_name(device)) + "_device"

def platform_name(device):
    """The platform of //rules/platforms for a device.

    Args:
      device: str, one of DEVICE_NAMES.

    Returns:
      str: a target's name.
    """
    return device.replace(":", "_")
