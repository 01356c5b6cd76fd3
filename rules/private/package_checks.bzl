"""What analysis can say of the models of a package, before anything runs."""

load(":label.bzl", "label_text")
load(":versions.bzl", "compilers_error")

def _device_error(label, name, models):
    for model in models:
        device = model.lib.device
        if name not in (device.name, device.variant):
            return "{}: attribute models: {} is a library for {}, and this package is for {}; leave out its device attribute or change one of them".format(
                label,
                label_text(model.lib_label),
                device.name,
                name,
            )
        first = models[0].lib
        if device.variant != first.device.variant:
            return "{}: attribute models: {} is a library for {} and {} for {}; leave out their device attributes".format(
                label,
                label_text(models[0].lib_label),
                first.device.variant,
                label_text(model.lib_label),
                device.variant,
            )
    return None

def _model_id_error(label, models):
    seen = {}
    for model in models:
        # Not case-sensitive: neither are the file systems of Macs and iPhones.
        key = model.model_id.lower()
        if key in seen:
            return "{}: attribute models: two models have the model_id {}; give each its own".format(label, repr(model.model_id))
        seen[key] = True
    return None

def _model_lib_error(label, models):
    """One name with two contents: upstream silently ships the first for both."""
    seen = {}
    for model in models:
        name = model.lib.model_lib
        if not name:
            continue
        first = seen.setdefault(name, model)
        if first.lib.options != model.lib.options:
            return "{}: attribute models: {} and {} both have the model_lib {} but differ: {} and {}; name them apart, or leave model_lib out".format(
                label,
                label_text(first.lib_label),
                label_text(model.lib_label),
                repr(name),
                first.lib.options,
                model.lib.options,
            )
    return None

def models_error(label, device, models):
    """What keeps models from being one package.

    Args:
      label: str, the package.
      device: str, the package's device.
      models: list[MlcModelInfo].

    Returns:
      str or None: a message.
    """
    return (
        _device_error(label, device, models) or
        _model_id_error(label, models) or
        _model_lib_error(label, models) or
        compilers_error(label, models)
    )
