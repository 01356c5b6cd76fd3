"""Provider: an entry of a package."""

MlcModelInfo = provider(
    doc = "A model as an app sees it: an id, a library, and weights that are bundled or fetched from a URL.",
    fields = {
        "bundle_weight": "bool: whether the weights are part of the package.",
        "entry": "File: JSON; the entry as written by the user, without any path.",
        "lib": "MlcModelLibInfo: the model's library.",
        "lib_label": "Label: the target of the library.",
        "model_id": "str: the id; the name of the model's directory in the bundle.",
        "weights": "MlcWeightInfo or None: the weights.",
    },
)
