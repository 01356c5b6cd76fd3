"""Public rule: an entry of a package."""

load("//rules/private:checks.bzl", "model_error", "model_id_error", "normalize_url", "url_error")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:model.bzl", _mlc_model = "mlc_model")

def mlc_model(
        name,
        lib,
        model_id = None,
        weights = None,
        url = None,
        estimated_vram_bytes = None,
        bundle_weight = None,
        **kwargs):
    """Declares a model as apps see it: an entry of mlc-app-config.json.

    Args:
      name: str: the target's name.
      lib: label: the mlc_model_lib, or mlc_prebuilt_model_lib.
      model_id: str: the id, unique in a package; names `bundle/<model_id>/`. Letters, digits, `_`, `-`, `+`,
        parentheses, and inside also `.` and spaces. If not given, the target's name.
      weights: label: the mlc_weight_bundle. Needed to bundle them; without it `url` is.
      url: str: where the app fetches weights that are not bundled: `HF://org/repo` or an https URL. Android's app also
        reads it for bundled weights, to fetch what is not on the device.
      estimated_vram_bytes: int: memory the model may use, in bytes, 1 or more; the iOS app refuses a model that does not fit. If not
        given, it is computed: parameters, largest temporary buffers, KV cache of the full context. If given and
        smaller than that, the build says so.
      bundle_weight: bool: whether the weights become part of the package. If not given, True where `weights` is given and
        `url` is not.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    where = label_of(name)
    model_id = name if model_id == None else model_id
    url = normalize_url(url) if url != None else None
    if bundle_weight == None:
        bundle_weight = weights != None and url == None
    first_error(
        model_id_error(where, model_id),
        url_error(where, url) if url != None else None,
        model_error(where, url, weights, estimated_vram_bytes, bundle_weight),
    )
    _mlc_model(
        name = name,
        bundle_weight = bundle_weight,
        estimated_vram_bytes = str(estimated_vram_bytes) if estimated_vram_bytes else "",
        lib = lib,
        model_id = model_id,
        url = url or "",
        weights = weights,
        **kwargs
    )
