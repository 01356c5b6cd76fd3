"""What analysis can say of the models of a package, before anything runs."""

def _check_device(label, name, models):
    for model in models:
        if model.lib.device.name != name:
            fail("{}: attribute models: {} is a library for {}, and this package is for {}; leave out its device attribute or change one of them".format(
                label,
                model.lib_label,
                model.lib.device.name,
                name,
            ))

def _check_model_ids(label, models):
    seen = {}
    for model in models:
        # Not case-sensitive: neither are the file systems of Macs and iPhones.
        key = model.model_id.lower()
        if key in seen:
            fail("{}: attribute models: two models have the model_id {}; give each its own".format(label, repr(model.model_id)))
        seen[key] = True

def _check_model_libs(label, models):
    """One name with two contents: upstream silently ships the first for both."""
    seen = {}
    for model in models:
        name = model.lib.model_lib
        if not name:
            continue
        first = seen.setdefault(name, model)
        if first.lib.options != model.lib.options:
            fail("{}: attribute models: {} and {} both have the model_lib {} but differ: {} and {}; name them apart, or leave model_lib out".format(
                label,
                first.lib_label,
                model.lib_label,
                repr(name),
                first.lib.options,
                model.lib.options,
            ))

def _check_compilers(label, models):
    def_tuple = None
    for model in models:
        compiler = model.lib.compiler
        version = (compiler.compiler, compiler.tvm, compiler.tvm_ffi, compiler.symbol_suffix)
        if def_tuple and version != def_tuple:
            fail("{}: attribute models: libraries of two compilers cannot be linked into one app: {} and {}".format(label, def_tuple, version))
        def_tuple = version

def check_models(label, device, models):
    """Fails unless the models can be one package.

    Args:
      label: Label of the package.
      device: str, the package's device.
      models: list[MlcModelInfo], not empty.

    Returns:
      MlcDeviceInfo of the libraries.
    """
    label = str(label).lstrip("@")
    _check_device(label, device, models)
    _check_model_ids(label, models)
    _check_model_libs(label, models)
    _check_compilers(label, models)
    return models[0].lib.device
