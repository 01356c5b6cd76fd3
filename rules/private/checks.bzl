"""Checks of what users write in BUILD files. Every message names target and attribute, and says how to mend it."""

load(":devices.bzl", "DEVICE_NAMES")

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

def edit_distance(a, b):
    """Levenshtein distance of two strings.

    Args:
      a: str.
      b: str.

    Returns:
      int: the least number of insertions, deletions and substitutions.
    """
    row = list(range(len(b) + 1))
    for i in range(len(a)):
        last, row = row, [i + 1]
        for j in range(len(b)):
            row.append(min(last[j] + (0 if a[i] == b[j] else 1), last[j + 1] + 1, row[j] + 1))
    return row[-1]

def nearest(name, known):
    """A suggestion for a misspelt name.

    Args:
      name: What the user wrote.
      known: list[str] of what exists.

    Returns:
      str: "; did you mean X?" where something is near, then all that is known.
    """
    near = sorted([(edit_distance(name, k), k) for k in known])[:1]
    hint = "; did you mean {}?".format(near[0][1]) if near and near[0][0] <= max(2, len(name) // 3) else ""
    return "{} (known: {})".format(hint, ", ".join(known))

def first_error(*errors):
    """Fails with the first error there is.

    Args:
      *errors: What the functions below return: a message, or None.
    """
    for error in errors:
        if error:
            fail(error)

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
    return '{}: attribute device: no device "{}"{}'.format(where, device, nearest(device, DEVICE_NAMES))

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
      str: an https URL without a trailing slash.
    """
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
    if bundle_weight and weights == None:
        return "{}: attribute bundle_weight: there are no weights to bundle; set attribute weights to an mlc_weight_bundle".format(where)
    if not bundle_weight and url == None:
        return "{}: attribute url: weights that are not bundled are fetched by the app; set url, or bundle_weight = True".format(where)
    if estimated_vram_bytes != None and (type(estimated_vram_bytes) != "int" or estimated_vram_bytes < 1):
        return "{}: attribute estimated_vram_bytes: expected a positive integer of bytes, got {}".format(where, repr(estimated_vram_bytes))
    return None

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
    parts = version.removeprefix("v").split(".")
    if len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit():
        return None
    return "{}: attribute version: expected the version of TVM, such as 0.27.0, got {}".format(where, repr(version))

def application_id_error(where, application_id):
    """What is wrong with the id of an Android app: it names a directory of the device.

    Args:
      where: str, the target.
      application_id: str.

    Returns:
      str or None: a message.
    """
    bad = [c for c in application_id.elems() if c not in _LETTERS + _DIGITS + "_."]
    if not bad and "." in application_id.strip("."):
        return None
    return "{}: attribute application_id: expected an id such as com.example.app, got {}".format(where, repr(application_id))

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
        return '{}: attribute device: upstream has no script for "{}"{}'.format(where, device, nearest(device, devices))
    if device == "android" and not model_archive:
        return "{}: attribute model_archive: the runtime for android holds the libraries; give the libmodel_android.a of the package's models".format(where)
    if device != "android" and model_archive:
        return "{}: attribute model_archive: the app for {} links it, not the runtime; leave it out".format(where, device)
    return None
