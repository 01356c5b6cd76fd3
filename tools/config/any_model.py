"""The compile key of a model that only another compiler need know: what that compiler is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tools.cli import UserError
from tools.config import registry
from tools.config.build import KEPT_IF_MINUS_ONE
from tools.config.key import CompileKey, check_model_lib, default_model_lib
from tools.config.schema import violations
from tools.config.target import OPT_LEVELS

# Fields at the top level of mlc-chat-config.json that no compiler reads.
_CHAT_FIELDS = frozenset(
    [
        *("version", "model_type", "quantization", "model_config", "conv_template"),
        *("temperature", "presence_penalty", "frequency_penalty", "repetition_penalty", "top_p"),
        *("mean_gen_len", "max_gen_len", "shift_fill_factor", "tokenizer_files", "tokenizer_info"),
        *("pad_token_id", "bos_token_id", "eos_token_id"),
    ]
)


def build_any_key(
    chat_config: Any,
    device: str,
    *,
    overrides: dict[str, Any],
    opt: str | None,
    target: dict[str, Any],
    architectures: Sequence[str],
    model_lib: str | None,
    config_name: str,
    where: str,
) -> CompileKey:
    """Merges the fields as upstream does on loading; which there are is left to the compiler.

    Args: as of `tools.config.build_key`.

    Returns:
        A key whose ``model_config`` has ``fields``, ``overrides`` and ``opt``.

    Raises:
        UserError: The config lacks what names a model, or an override has no such type.
    """
    lines = [
        line
        for value, schema, place in (
            (chat_config, "chat_config", f"{config_name}: $"),
            (overrides, "overrides", f"{where} overrides"),
        )
        for _, line in violations(
            value, schema, lambda path, at=place: ".".join([at, *map(str, path)])
        )
    ]
    if lines:
        raise UserError("\n".join(lines))
    opt = opt or overrides.get("opt") or "O2"
    if opt not in OPT_LEVELS:
        raise UserError(f"{where} opt: expected one of {', '.join(OPT_LEVELS)}, got {opt!r}")
    top = {name: v for name, v in chat_config.items() if name not in _CHAT_FIELDS and v is not None}
    given = {
        name: value
        for name, value in overrides.items()
        if name != "opt" and not (value == -1 and name in KEPT_IF_MINUS_ONE)
    }
    key = CompileKey(
        device=registry.device(device, f"{where} device").name,
        model_config={
            "fields": {**chat_config["model_config"], **top},
            "overrides": given,
            "opt": opt,
        },
        model_lib="" if model_lib is None else check_model_lib(model_lib, f"{where} model_lib"),
        model_type=chat_config["model_type"],
        quantization=chat_config["quantization"],
        target=target,
        architectures=tuple(architectures),
    )
    return dataclasses.replace(key, model_lib=default_model_lib(key)) if not key.model_lib else key
