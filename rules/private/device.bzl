"""Rule: the device of the target platform."""

load("//rules/private/providers:device_info.bzl", "MlcDeviceInfo")

def _mlc_device_impl(ctx):
    if ctx.attr.device == "cpu" and not ctx.attr.arch:
        fail("device cpu: the target platform is not Linux on x86_64 or aarch64, for which alone shared libraries are linked; build on such a machine, or for another device")
    return [MlcDeviceInfo(
        arch = ctx.attr.arch if ctx.attr.device == "cpu" else "",
        library = ctx.attr.library,
        name = ctx.attr.device,
        object = ctx.attr.object,
    )]

mlc_device = rule(
    doc = "Turns the constraint values of the target platform into a device; see //rules/platforms.",
    implementation = _mlc_device_impl,
    attrs = {
        "arch": attr.string(doc = "The machine of device `cpu`, such as x86_64-linux."),
        "device": attr.string(doc = "The device as upstream spells it; empty where the platform names none.", mandatory = True),
        "library": attr.string(doc = "The form of a library.", mandatory = True, values = ["so", "tar"]),
        "object": attr.string(doc = "The object format.", mandatory = True, values = ["elf", "macho"]),
    },
    provides = [MlcDeviceInfo],
)
