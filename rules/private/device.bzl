"""Rule: the device of the target platform."""

load("//rules/private/providers:device_info.bzl", "MlcDeviceInfo")
load(":devices.bzl", "DEVICES", "HOSTED", "machines_of")

def _mlc_device_impl(ctx):
    name = ctx.attr.device
    variant = name
    if name in HOSTED:
        if ctx.attr.machine not in machines_of(name):
            fail("device {}: the target platform is none of {}; build for one of these, or name it, as in {}:{}".format(
                name,
                ", ".join(machines_of(name)),
                name,
                machines_of(name)[0],
            ))
        variant = "{}:{}".format(name, ctx.attr.machine)
    device = DEVICES[variant] if name else {"libraries": ["tar"], "object": "elf"}
    return [MlcDeviceInfo(
        libraries = device["libraries"],
        library = device["libraries"][0],
        name = name,
        object = device["object"],
        variant = variant,
    )]

mlc_device = rule(
    doc = "Turns the constraint values of the target platform into a device; see //rules/platforms.",
    implementation = _mlc_device_impl,
    attrs = {
        "device": attr.string(
            doc = "The device without the machine where the platform tells that; empty where the platform names none.",
            mandatory = True,
        ),
        "machine": attr.string(doc = "The machine of a hosted device, such as x86_64-linux."),
    },
    provides = [MlcDeviceInfo],
)
