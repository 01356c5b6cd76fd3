"""Checks of what users write in BUILD files. Every message names target and attribute, and says how to mend it."""

load(":devices.bzl", "DEVICE_NAMES")
load(":messages.bzl", "nearest", "string_error")

OPT_LEVELS = ["O0", "O1", "O2", "O3"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"

# The overrides that upstream's mlc-package-config.json knows, and the least value of each; None is a bool.
OVERRIDES = {
    "attention_sink_size": 0,
    "context_window_size": 1,
    "disaggregation": None,
    "max_batch_size": 1,
    "pipeline_parallel_stages": 1,
    "prefill_chunk_size": 1,
    "sliding_window_size": 1,
    "tensor_parallel_shards": 1,
}

# -1 leaves the model's own value, as upstream reads it.
_MINUS_ONE_IS_UNSET = ["attention_sink_size", "context_window_size", "sliding_window_size"]

def device_error(where, device):
    """What is wrong with a device.

    Args:
      where: str, the target.
      device: str.

    Returns:
      str or None: a message.
    """
    if device in DEVICE_NAMES:
        return None
    return string_error(where, "device", device, "android") or '{}: attribute device: no device "{}"{}'.format(where, device, nearest(device, DEVICE_NAMES))

def opt_error(where, opt):
    """What is wrong with an optimization level.

    Args:
      where: str, the target.
      opt: str.

    Returns:
      str or None: a message.
    """
    if opt in OPT_LEVELS:
        return None
    return '{}: attribute opt: expected one of {}, got "{}"'.format(where, ", ".join(OPT_LEVELS), opt)

def _override_error(path, name, value):
    if name not in OVERRIDES:
        return "{}: unknown override{}".format(path, nearest(name, sorted(OVERRIDES)))
    least = OVERRIDES[name]
    if least == None:
        return None if type(value) == "bool" else "{}: expected True or False, got {}".format(path, repr(value))
    if type(value) != "int":
        return "{}: expected an integer, got {}".format(path, repr(value))
    if value < least and not (value == -1 and name in _MINUS_ONE_IS_UNSET):
        return "{}: expected an integer of at least {}, got {}".format(path, least, value)
    return None

def overrides_error(where, overrides):
    """What is wrong with overrides: every one must exist and have a value of its type and range.

    Args:
      where: str, the target.
      overrides: dict.

    Returns:
      str or None: a message.
    """
    if type(overrides) != "dict":
        return '{}: attribute overrides: expected a dict such as {{"context_window_size": 4096}}, got {}'.format(
            where,
            type(overrides),
        )
    for name, value in overrides.items():
        error = _override_error("{}: overrides.{}".format(where, name), name, value)
        if error:
            return error
    return None

def target_error(where, target):
    """What is wrong with the attributes of a TVM target; MlcConfig knows which ones there are.

    Args:
      where: str, the target.
      target: dict.

    Returns:
      str or None: a message.
    """
    if type(target) != "dict":
        return '{}: attribute target: expected a dict such as {{"max_threads_per_block": 512}}, got {}'.format(where, type(target))
    for name, value in target.items():
        if type(name) != "string":
            return "{}: attribute target: expected names of attributes, got {}".format(where, repr(name))
        if type(value) not in ["bool", "int", "list", "string"]:
            return "{}: target.{}: expected a number, a string, True, False or a list of strings, got {}".format(where, name, repr(value))
    return None

def architectures_error(where, architectures):
    """What is wrong with CUDA's compute capabilities; a select is looked at later.

    Args:
      where: str, the target.
      architectures: list[str] or select.

    Returns:
      str or None: a message.
    """
    if type(architectures) == "select":
        return None
    if type(architectures) == "list" and all([type(a) == "string" and a[:1].isdigit() for a in architectures]):
        return None
    return '{}: attribute architectures: expected a list of compute capabilities such as "80" or "90a", got {}'.format(where, repr(architectures))

def model_lib_error(where, model_lib):
    """What is wrong with the name of a system library; hyphens become underscores.

    Args:
      where: str, the target.
      model_lib: str.

    Returns:
      str or None: a message.
    """
    if type(model_lib) != "string":
        return string_error(where, "model_lib", model_lib, "phi_q4f16_1")
    bad = [c for c in model_lib.elems() if c not in _LETTERS + _DIGITS + "_-"]
    if not bad and model_lib and model_lib[0] not in _DIGITS:
        return None
    return '{}: attribute model_lib: expected letters, digits, "_" and "-", not starting with a digit, got {}'.format(
        where,
        repr(model_lib),
    )

def model_id_error(where, model_id):
    """What is wrong with a model_id: it must be safe as the name of a directory on every system.

    Args:
      where: str, the target.
      model_id: str.

    Returns:
      str or None: a message.
    """
    if type(model_id) != "string":
        return string_error(where, "model_id", model_id, "phi-2-q4f16_1-MLC")
    if model_id == "mlc-app-config.json":
        return '{}: attribute model_id: "{}" is a file of bundle/; give another'.format(where, model_id)
    bad = [c for c in model_id.elems() if c not in _LETTERS + _DIGITS + "_-+(). "]
    if not bad and model_id and model_id == model_id.strip(". "):
        return None
    return '{}: attribute model_id: expected letters, digits, "_", "-", "+", parentheses, and inside also "." and spaces, because it names bundle/<model_id>/; got {}'.format(
        where,
        repr(model_id),
    )

def directory_error(where, directory):
    """What is wrong with a directory of a package.

    Args:
      where: str, the target.
      directory: str.

    Returns:
      str or None: a message.
    """
    if type(directory) != "string":
        return string_error(where, "directory", directory, "phi")
    if directory.startswith("/") or ".." in directory.split("/"):
        return '{}: attribute directory: "{}" is not in this package; give one below the BUILD file, or in srcs a filegroup of the package that has the files'.format(where, directory)
    if not directory_prefix(directory):
        return '{}: attribute directory: "{}" is the whole package, with dist/ in it; give one below the BUILD file, or srcs = glob([...])'.format(where, directory)
    return None

def directory_prefix(directory):
    """What the paths of a directory's files begin with, seen from their package.

    Args:
      directory: str, such as `phi` or `./phi/`.

    Returns:
      str: such as `phi/`; empty for the package itself.
    """
    return "".join([part + "/" for part in directory.split("/") if part not in ("", ".")])

def install_dir_error(where, install_dir):
    """What is wrong with a directory of the workspace.

    Args:
      where: str, the target.
      install_dir: str.

    Returns:
      str or None: a message.
    """
    if type(install_dir) != "string":
        return string_error(where, "install_dir", install_dir, "ios/dist")
    parts = install_dir.split("/")
    if "" not in parts and "." not in parts and ".." not in parts and not [c for c in "'\"$`\\".elems() if c in install_dir]:
        return None
    return "{}: attribute install_dir: expected a directory relative to the workspace, such as ios/dist, got {}".format(
        where,
        repr(install_dir),
    )

def normalize_url(url):
    """The model's page as the apps read it.

    Args:
      url: str: https://..., or HF://org/repo.

    Returns:
      str: an https URL without a trailing slash; what is no string stays, for url_error.
    """
    if type(url) != "string":
        return url
    if url.startswith("HF://"):
        url = "https://huggingface.co/" + url[len("HF://"):]
    return url.rstrip("/")

def url_error(where, url):
    """What is wrong with a model's page.

    Args:
      where: str, the target.
      url: str, normalized.

    Returns:
      str or None: a message.
    """
    if type(url) != "string":
        return string_error(where, "url", url, "HF://org/repo")
    if url.startswith("https://") or url.startswith("http://"):
        return None
    return "{}: attribute url: expected HF://org/repo or an https:// URL, got {}".format(where, repr(url))

def model_error(where, url, weights, estimated_vram_bytes, bundle_weight):
    """What is wrong with an entry of a package.

    Args:
      where: str, the target.
      url: str or None.
      weights: label or None.
      estimated_vram_bytes: int or None.
      bundle_weight: bool.

    Returns:
      str or None: a message.
    """
    if type(bundle_weight) not in ["bool", "select"]:
        return "{}: attribute bundle_weight: expected True or False, got {}".format(where, repr(bundle_weight))
    if bundle_weight and weights == None:
        return "{}: attribute bundle_weight: there are no weights to bundle; set attribute weights to an mlc_weight_bundle".format(where)
    if not bundle_weight and url == None:
        return "{}: attribute url: weights that are not bundled are fetched by the app; set url, or bundle_weight = True".format(where)
    if estimated_vram_bytes != None and (type(estimated_vram_bytes) != "int" or estimated_vram_bytes < 1):
        return "{}: attribute estimated_vram_bytes: expected a positive integer of bytes, got {}".format(where, repr(estimated_vram_bytes))
    return None

def application_id_error(where, application_id):
    """What is wrong with the id of an Android app: it names a directory of the device.

    Args:
      where: str, the target.
      application_id: str.

    Returns:
      str or None: a message.
    """
    if type(application_id) != "string":
        return string_error(where, "application_id", application_id, "com.example.app")
    bad = [c for c in application_id.elems() if c not in _LETTERS + _DIGITS + "_."]
    parts = application_id.split(".")
    if not bad and len(parts) > 1 and all([part and part[0] in _LETTERS for part in parts]):
        return None
    return "{}: attribute application_id: expected an id such as com.example.app, got {}".format(where, repr(application_id))
