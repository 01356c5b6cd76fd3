"""From config.json of a Hugging Face checkpoint to the fields of a model_config."""

from __future__ import annotations

from typing import Any

from tools.cli import UserError
from tools.config.build import build_key
from tools.config.key import CompileKey

# A library is compiled for a device; what it takes as weights is the same for each, and this one
# takes heads of any length.
_ANY_DEVICE = "cpu:x86_64-linux"

# Older names of model types.
_MODEL_TYPES = {"mixformer-sequential": "phi-msft"}


def checkpoint_key(
    config: Any,
    quantization: str,
    model_type: str | None = None,
    overrides: Any = None,
    config_name: str = "config.json",
    where: str = "",
) -> CompileKey:
    """Returns the compile key of a checkpoint's model, for any device.

    Args:
        config: The parsed config.json.
        quantization: A name that `tools.config.quantization` knows.
        model_type: The family; None for the one that config.json names.
        overrides: The parsed overrides, an object.
        config_name: What errors call config.json.
        where: What errors call the place of the other arguments: a target.

    Raises:
        UserError: One line for each mistake.
    """
    chat_config = {
        "model_config": model_fields(config, config_name),
        "model_type": model_type or checkpoint_model_type(config, config_name),
        "quantization": quantization,
    }
    return build_key(
        chat_config,
        _ANY_DEVICE,
        overrides=overrides,
        quantization=quantization,
        config_name=config_name,
        where=where,
        fields_at_top=True,
    )


def checkpoint_model_type(config: Any, config_name: str) -> str:
    """Returns the family that a checkpoint's config names."""
    name = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(name, str):
        raise UserError(
            f'{config_name}: $.model_type: missing; expected a string, such as "llama", there or '
            "as attribute model_type"
        )
    return _MODEL_TYPES.get(name, name)


def model_fields(config: Any, config_name: str) -> dict[str, Any]:
    """Returns the fields of config.json under the names that families read.

    What transformers 5 writes as one object, ``rope_parameters``, becomes the fields that it was
    before: ``rope_theta``, ``partial_rotary_factor`` and ``rope_scaling``, and where it has an
    object for each kind of layer ``rope_local_base_freq``, too; also in a ``text_config``.

    Raises:
        UserError: It is no object, or says that the weights are quantized already.
    """
    if not isinstance(config, dict):
        raise UserError(f"{config_name}: $: expected an object")
    if config.get("quantization_config"):
        method = config["quantization_config"]
        method = method.get("quant_method") if isinstance(method, dict) else method
        raise UserError(
            f"{config_name}: $.quantization_config: the checkpoint is quantized already"
            f" ({method}); use the model's checkpoint in bfloat16, float16 or float32"
        )
    fields = {name: value for name, value in config.items() if name != "rope_parameters"}
    if isinstance(config.get("text_config"), dict):
        fields["text_config"] = model_fields(config["text_config"], config_name)
    rope = config.get("rope_parameters")
    if not isinstance(rope, dict):
        return fields
    if isinstance(rope.get("full_attention"), dict):
        local = rope.get("sliding_attention") or {}
        if "rope_theta" in local:
            fields.setdefault("rope_local_base_freq", local["rope_theta"])
        rope = rope["full_attention"]
    for name in ("rope_theta", "partial_rotary_factor", "original_max_position_embeddings"):
        if name in rope:
            fields.setdefault(name, rope[name])
    if rope.get("rope_type", "default") != "default":
        scaling = {name: rope[name] for name in rope if name != "rope_theta"}
        fields.setdefault("rope_scaling", {"type": rope["rope_type"], **scaling})
    return fields
