"""Checks of what users write of runtimes in BUILD files."""

load(":messages.bzl", "nearest", "string_error")

def runtime_device_error(where, device, libs, mlc4j):
    """What is wrong with a runtime's device and the form of its files.

    Args:
      where: str, the target.
      device: str.
      libs: list of static libraries, or empty.
      mlc4j: the Gradle project, or None.

    Returns:
      str or None: a message.
    """
    forms = {"android": "mlc4j", "iphone": "libs", "macabi": "libs", "macabi:x86_64": "libs"}
    if type(device) != "string":
        return string_error(where, "device", device, "iphone")
    if device not in forms:
        return '{}: attribute device: there is no runtime to package for "{}"{}'.format(where, device, nearest(device, forms.keys()))
    if bool(libs) == bool(mlc4j) or (forms[device] == "libs") != bool(libs):
        return "{}: attribute {}: give it, and it alone: it is the runtime for {}".format(where, forms[device], device)
    return None

def version_error(where, version):
    """What is wrong with a version of TVM.

    Args:
      where: str, the target.
      version: str.

    Returns:
      str or None: a message.
    """
    if type(version) != "string":
        return string_error(where, "version", version, "0.27.0")
    parts = version.removeprefix("v").split(".")
    if len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit():
        return None
    return "{}: attribute version: expected the version of TVM, such as 0.27.0, got {}".format(where, repr(version))

def source_runtime_error(where, device, model_archive):
    """What is wrong with a runtime to be built from sources.

    Args:
      where: str, the target.
      device: str.
      model_archive: label or None.

    Returns:
      str or None: a message.
    """
    devices = ["android", "iphone", "macabi", "macabi:x86_64"]
    if device not in devices:
        return string_error(where, "device", device, "iphone") or '{}: attribute device: upstream has no script for "{}"{}'.format(where, device, nearest(device, devices))
    if device == "android" and not model_archive:
        return "{}: attribute model_archive: the runtime for android holds the libraries; give the libmodel_android.a of the package's models".format(where)
    if device != "android" and model_archive:
        return "{}: attribute model_archive: the app for {} links it, not the runtime; leave it out".format(where, device)
    return None
