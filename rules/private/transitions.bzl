"""Configuration transitions: a target's device, and one configuration for what depends on none."""

load(":devices.bzl", "platform_name")

_PLATFORMS = "//command_line_option:platforms"
_COMPILATION_MODE = "//command_line_option:compilation_mode"
_EXTRA_TOOLCHAINS = "//command_line_option:extra_toolchains"
_ASKING = "//rules/private:asking"

def _device_transition_impl(settings, attr):
    compiler = getattr(attr, "compiler", "")
    platform = Label("//rules/platforms:" + platform_name(attr.device)) if attr.device else None
    return {
        # -c opt or dbg changes no library; without this it would name other output paths and compile anew.
        _COMPILATION_MODE: "opt",
        # Last, it wins.
        _EXTRA_TOOLCHAINS: settings[_EXTRA_TOOLCHAINS] + ([compiler] if compiler else []),
        _PLATFORMS: [str(platform)] if platform else settings[_PLATFORMS],
    }

device_transition = transition(
    implementation = _device_transition_impl,
    inputs = [_EXTRA_TOOLCHAINS, _PLATFORMS],
    outputs = [_COMPILATION_MODE, _EXTRA_TOOLCHAINS, _PLATFORMS],
)

def _no_device_transition_impl(_settings, _attr):
    return {
        _COMPILATION_MODE: "opt",
        _PLATFORMS: [str(Label("@platforms//host"))],
    }

# Weights are the same for every device: verified once, whatever packages ask for them.
no_device_transition = transition(
    implementation = _no_device_transition_impl,
    inputs = [],
    outputs = [_COMPILATION_MODE, _PLATFORMS],
)

def _asking_transition_impl(_settings, attr):
    return {_ASKING: attr.request}

asking_transition = transition(
    implementation = _asking_transition_impl,
    inputs = [],
    outputs = [_ASKING],
)

def _nobody_asks_transition_impl(_settings, _attr):
    return {_ASKING: Label(":nobody")}

# A request is the same wherever it is asked for.
nobody_asks_transition = transition(
    implementation = _nobody_asks_transition_impl,
    inputs = [],
    outputs = [_ASKING],
)
