"""What a model's library takes as weights, and which tensors each weight is stored as."""

from __future__ import annotations

from typing import Any

from tvm.relax.frontend import nn
from tvm.target import Target

from tools import config
from tools.compiler.families import create_model
from tools.compiler.metadata import parameter_shape
from tools.compiler.quantization import create_quantization
from tools.compiler.quantization.none import NoQuantization
from tools.config import CompileKey

_QUANTIZED = (".q_weight", ".q_scale")


def stored_weights(key: CompileKey) -> dict[str, Any]:
    """Returns the weights of a model, in the order of the library's parameters.

    Returns:
        ``model_type``, ``quantization``, ``model_config``, and ``weights``, a list of ``name``,
        ``shape`` and ``dtype`` of a weight before it is quantized, ``layout`` (``NK`` or ``KN``;
        None where it is not quantized) and ``stored``: the parameters of the library that hold
        it, each with ``name``, ``shape`` and ``dtype``.
    """
    quantization = create_quantization(key.quantization, Target(config.device(key.device).target))
    plain = NoQuantization("", quantization.model_dtype, quantization.model_dtype)
    stored = _parameters(key, quantization)
    weights = []
    for name, parameter in _parameters(key, plain).items():
        names, layout = [name], None
        if name not in stored:
            names = [name.removesuffix(".weight") + ending for ending in _QUANTIZED]
            layout = stored[names[0]].attrs["layout"]
        weights.append(
            {
                **_described(name, parameter, key),
                "layout": layout,
                "stored": [_described(each, stored[each], key) for each in names],
            }
        )
    return {
        "model_type": key.model_type,
        "quantization": key.quantization,
        "model_config": key.model_config,
        "weights": weights,
    }


def _parameters(key: CompileKey, quantization) -> dict[str, nn.Parameter]:
    model = create_model(key.model_type, key.model_config, quantization)
    return dict(model.named_parameters())


def _described(name: str, parameter: nn.Parameter, key: CompileKey) -> dict[str, Any]:
    shape = [key.model_config.get(size, size) for size in parameter_shape(parameter)]
    return {"name": name, "shape": shape, "dtype": str(parameter.dtype)}
