"""What upstream's own packaging passes to ``mlc_llm compile``, for the devices that it has here."""

from __future__ import annotations

import json
from typing import Any

from tools.cli import UserError
from tools.config import CompileKey, registry

# Where upstream's name says all. Elsewhere the target is given: nothing is read off the machine.
_NAMED = ("android", "android:adreno", "iphone", "macabi", "macabi:x86_64", "mali")
_HOSTED = ("cpu", "cuda", "opencl")
APPLE = ("iphone", "macabi", "macabi:x86_64")


def compile_arguments(key: CompileKey, model: str, output: str, where: str) -> list[str]:
    """Returns the arguments after ``python -m mlc_llm``.

    Args:
        key: A key for compilers other than the embedded one.
        model: The directory of mlc-chat-config.json.
        output: The library to write.
        where: What errors call the library.

    Raises:
        UserError: The key asks for what only the embedded compiler does.
    """
    if key.target or key.architectures:
        name = "target" if key.target else "architectures"
        raise UserError(f"{where} {name}: only the embedded compiler takes it; leave it out")
    overrides = key.model_config["overrides"]
    arguments = [
        *("compile", model, "--device", _device(key.device, where)),
        *("--opt", key.model_config["opt"]),
        *("--overrides", ";".join(f"{name}={_value(v)}" for name, v in sorted(overrides.items()))),
        *("--output", output),
    ]
    if registry.device(key.device).library == "tar":
        arguments += ["--system-lib-prefix", f"{key.model_lib}_"]
    return arguments


def chat_config(key: CompileKey) -> dict[str, Any]:
    """Returns an mlc-chat-config.json with what a compile reads, and nothing else."""
    fields = dict(key.model_config["fields"])
    result = {"model_type": key.model_type, "quantization": key.quantization}
    # The one field that upstream reads at the top level only.
    if "active_vocab_size" in fields:
        result["active_vocab_size"] = fields.pop("active_vocab_size")
    return {**result, "model_config": fields}


def _device(name: str, where: str) -> str:
    device = registry.device(name)
    if name in _NAMED:
        return name.partition(":")[0] if name == "macabi:x86_64" else name
    if device.kind in _HOSTED:
        target = device.target
        host = target if target["kind"] == "llvm" else target["host"]
        return json.dumps({**target, "host": host})
    raise UserError(f"{where} device: upstream's compiler makes no such library for {name} here")


def _value(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
