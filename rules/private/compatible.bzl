"""Which targets a build of everything skips."""

def where_a_device_is_set(given):
    """Compatible with every platform that has a device; elsewhere the target is skipped.

    Args:
      given: What the user wrote for target_compatible_with, or None.

    Returns:
      A value of target_compatible_with.
    """
    return (given or []) + select({
        Label("//rules/platforms:no_device"): [Label("//rules/platforms:set_device_or_platforms")],
        "//conditions:default": [],
    })
