"""Fills in and bounds the fields of a model_config as upstream's config classes do on loading.

The rules stand in the family's schema (see the description of ``schemas/llama.schema.json``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.config import registry

# What all of TVM's attention kernels for GPUs can be scheduled for.
_SHORTEST_HEAD = 16
_LONGEST_HEAD = 256


class MissingFieldError(Exception):
    """A field has no value, no older name and no default; ``names`` are those that would do."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names[0])
        self.names = names


class ContradictionError(Exception):
    """No default can be made of two fields; ``field`` is at fault, ``problem`` says why."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


def normalize(values: dict[str, Any], family: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Returns every field of the family's compile key, and nothing else.

    Args:
        values: Fields that satisfy the family's schema; others are ignored, and so is None.
        family: The family's schema.
        notes: Receives a line for each value that could not be used as it was given.

    Raises:
        MissingFieldError: A field is missing that nothing else determines.
        ContradictionError: A field is missing that two others cannot determine.
    """
    result: dict[str, Any] = {}
    for name, spec in family["properties"].items():
        if spec.get("x-input-only"):
            continue
        absent = [None, *registry.resolved(spec).get("x-absent", ())]
        value = spec["default"] if spec.get("x-unused") else values.get(name)
        if value in absent and result.get(spec.get("x-unlimited-with"), -1) != -1:
            value = -1
        for alias in spec.get("x-aliases", ()):
            value = values.get(alias, value) if value in absent else value
        value = spec.get("default") if value is None else value
        if value in absent:
            value = _default(name, spec, result)
        result[name] = _canonical(name, value, spec, notes)
    for name, value in list(result.items()):
        limit = result.get(family["properties"][name].get("x-clamp-to"))
        if limit is not None and value > limit:
            bound = result[name] = _default(name, family["properties"][name], result)
            label = family["properties"][name]["x-clamp-to"]
            reason = f"{label} {limit}" if bound == limit else f"{bound}, {label} being {limit}"
            notes.append(f"{name} {value} clamped to {reason}")
    return result


def contradictions(
    config: dict[str, Any],
    family: dict[str, Any],
    quantization: registry.Quantization,
    device: registry.Device,
) -> Iterator[tuple[str, str]]:
    """Yields ``(field, what is wrong)`` for normalized fields that exclude each other."""
    for name in ("tensor_parallel_shards", "pipeline_parallel_stages"):
        if config.get(name, 1) > device.max_shards:
            problem = f"{config[name]} is more than a library for {device.name} can run on"
            yield name, f"{problem}; set it to {device.max_shards}"
    for divisor, dividend in family.get("x-divides", ()):
        small, large = config[divisor], config[dividend]
        if large % small:
            yield divisor, f"{small} does not divide {dividend} {large}; {_divisors(large)}"
    for first, second, product in family.get("x-products", ()):
        if config[first] * config[second] != config[product]:
            problem = f"{config[first]} times {second} {config[second]} is not {product}"
            yield first, f"{problem} {config[product]}; expected {config[product]} in all"
    if "x-rotary" in family:
        yield from _rotary_problems(config, family["x-rotary"])
    if device.target["kind"] != "llvm":
        yield from _kernel_problems(config["head_dim"], quantization, device)
    elif config["head_dim"] % 2 and family.get("x-even-heads"):
        problem = f"{config['head_dim']} is odd, and dimensions are rotated in pairs"
        yield "head_dim", f"{problem}; expected an even number"
    for low, high in family.get("x-at-most", ()):
        if config[low] > config[high]:
            yield low, f"{config[low]} is more than {high} {config[high]}; expected at most that"
    for low, high in family.get("x-below", ()):
        small, large = _at(config, low), _at(config, high)
        if small is not None and small >= large != -1:
            yield low, f"{small} is not less than {high} {large}; expected less"
    for name, other in family.get("x-either", ()):
        if config[name] == config[other] == -1:
            yield name, f"-1, and {other} is -1 too; expected a positive integer for one of them"
    if quantization.layout == "KN" and config["tensor_parallel_shards"] > 1:
        yield (
            "tensor_parallel_shards",
            f"{quantization.name} weights cannot be sharded; expected 1, or a quantization _1",
        )


def _kernel_problems(
    head_dim: int, quantization: registry.Quantization, device: registry.Device
) -> Iterator[tuple[str, str]]:
    """Yields why TVM has no attention kernels for heads of this length on a GPU.

    128 threads load tiles of 16 tokens in float32, 32 in other types, in equal parts; for Metal TVM
    looks for tiles that fit.
    """
    tiles_vary = device.target["kind"] == "metal"
    step = 8 if quantization.model_dtype == "float32" and not tiles_vary else 4
    if head_dim % step or not _SHORTEST_HEAD <= head_dim <= _LONGEST_HEAD:
        yield (
            "head_dim",
            f"{device.name} has no attention kernels for heads of {head_dim} in "
            f"{quantization.model_dtype}; expected a multiple of {step} from {_SHORTEST_HEAD} to "
            f"{_LONGEST_HEAD}",
        )


def _rotary_problems(config: dict[str, Any], field: str) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with a rotation of the first dimensions of a head.

    Args:
        config: Normalized fields.
        field: Name of the one that tells how many dimensions: a number of them, or a share.
    """
    value, head_dim = config[field], config["head_dim"]
    rotary_dim = value if isinstance(value, int) else int(head_dim * value)
    if rotary_dim % 2 or not 0 < rotary_dim <= head_dim:
        problem = f"{value} rotates {rotary_dim} of head_dim {head_dim} dimensions"
        yield field, f"{problem}; expected an even number from 2 to {head_dim}"
    scaling = config.get("rope_scaling")
    if scaling is None:
        return
    for name in ("long_factor", "short_factor"):
        if len(scaling[name]) != rotary_dim // 2:
            problem = f"{name} has {len(scaling[name])} numbers"
            yield "rope_scaling", f"{problem}; expected {rotary_dim // 2}, one a frequency"
    if config["original_max_position_embeddings"] < 2:
        yield (
            "original_max_position_embeddings",
            "missing, and rope_scaling needs it; expected an integer above 1",
        )


def _default(name: str, spec: dict[str, Any], result: dict[str, Any]) -> Any:
    if "x-default-field" in spec:
        fields = spec["x-default-field"]
        names = [fields] if isinstance(fields, str) else fields
        bounds = [result[field] for field in names if result[field] != -1]
        return min([*bounds, spec["x-default-max"]] if "x-default-max" in spec else bounds)
    if "x-default-product" in spec:
        factor, number = spec["x-default-product"]
        return result[factor] * number
    if "x-default-quotient" in spec:
        dividend, divisor = (result[field] for field in spec["x-default-quotient"])
        if dividend % divisor:
            names = spec["x-default-quotient"]
            problem = f"{divisor} does not divide {names[0]} {dividend}; {_divisors(dividend)}"
            raise ContradictionError(names[1], problem)
        return dividend // divisor
    if "default" in spec:
        return spec["default"]
    raise MissingFieldError([name, *spec.get("x-aliases", ())])


def _canonical(name: str, value: Any, spec: dict[str, Any], notes: list[str]) -> Any:
    """Returns equal settings as equal JSON: 10000 and 10000.0, or an object that is not used."""
    spec = registry.resolved(spec)
    if value is None:
        return None
    if isinstance(value, list):
        return [float(number) for number in value]
    if isinstance(value, dict):
        needed = spec["x-ignored-without"]
        if needed not in value:
            notes.append(f"{name} has no {needed}: ignored")
            return None
        fields = spec["then"]["properties"].items()
        return {field: _canonical(field, value[field], sub, notes) for field, sub in fields}
    if spec.get("type") == "number":
        return float(value)
    if spec.get("type") == "integer":
        return int(value)
    return spec.get("x-spelled", {}).get(value, value) if isinstance(value, str) else value


def _at(config: dict[str, Any], path: str) -> Any:
    """Returns a field, or one of an object's by ``object.field``; None where there is no object."""
    name, _, inner = path.partition(".")
    return (config[name] or {}).get(inner) if inner else config[name]


def _divisors(number: int) -> str:
    found = [n for n in range(1, min(number, 4096) + 1) if number % n == 0]
    listing = ", ".join(map(str, found))
    return f"expected one of {listing}" if len(found) <= 12 else f"expected a divisor of {number}"
