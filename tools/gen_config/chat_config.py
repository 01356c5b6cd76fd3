"""mlc-chat-config.json, field by field as `mlc_llm gen_config` writes it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.config import CompileKey, strict_json
from tools.config.suggest import hint
from tools.gen_config.tokenizer import FILES, tokenizer_info, vocab_size

# Where neither generation_config.json nor config.json has a value; null counts as none.
_DEFAULTS = {
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "temperature": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "repetition_penalty": 1.0,
    "top_p": 1.0,
}

_TEMPLATE_DEFAULTS = {
    "system_template": "{system_message}",
    "system_message": "",
    "system_prefix_token_ids": None,
    "add_role_after_system_message": True,
    "roles": {},
    "role_templates": {},
    "messages": [],
    "seps": [],
    "role_content_sep": "",
    "role_empty_sep": "",
    "stop_str": [],
    "stop_token_ids": [],
    "strip_reasoning_in_history": False,
    "function_string": "",
    "use_function_calling": False,
}

_ROLE_TEMPLATES = {
    "user": "{user_message}",
    "assistant": "{assistant_message}",
    "tool": "{tool_message}",
}


@functools.cache
def _templates() -> dict[str, dict[str, Any]]:
    return strict_json.load(Path(__file__).parent / "conv_templates.json")


def conv_templates() -> list[str]:
    """Returns the names of the known conversation templates, sorted."""
    return sorted(_templates())


def conv_template(name: str, where: str) -> dict[str, Any]:
    """Returns a conversation template with all its fields.

    Raises:
        UserError: There is none of this name.
    """
    if name not in _templates():
        known = hint(name, conv_templates())
        raise UserError(f'{where}: unknown conversation template "{name}"; {known}')
    given = _templates()[name]
    roles = {**_ROLE_TEMPLATES, **given.get("role_templates", {})}
    return {"name": name, **_TEMPLATE_DEFAULTS, **given, "role_templates": roles}


def chat_config(
    key: CompileKey,
    template: dict[str, Any],
    generation: Mapping[str, Any],
    tokenizer: Any,
    files: set[str],
    where: str = "tokenizer.json",
) -> dict[str, Any]:
    """Returns mlc-chat-config.json of a checkpoint.

    Args:
        key: Of the checkpoint's model, with the overrides.
        template: What `conv_template` returned.
        generation: Fields of generation_config.json and, where it lacks them, of config.json.
        tokenizer: The parsed tokenizer.json; None where there is none.
        files: The names of the checkpoint's files.
        where: What errors call tokenizer.json.
    """
    fields = {name: value for name, value in key.model_config.items() if value is not None}
    active = vocab_size(tokenizer, where)
    sizes = ("context_window_size", "sliding_window_size", "prefill_chunk_size")
    generated = {
        name: default if generation.get(name) is None else generation[name]
        for name, default in _DEFAULTS.items()
    }
    ids = ("pad_token_id", "bos_token_id", "eos_token_id")
    return {
        "version": "0.1.0",
        "model_type": key.model_type,
        "quantization": key.quantization,
        "model_config": fields,
        "vocab_size": fields["vocab_size"],
        **{name: fields.get(name, -1) for name in sizes},
        "attention_sink_size": fields.get("attention_sink_size", -1),
        "tensor_parallel_shards": fields.get("tensor_parallel_shards", 1),
        "pipeline_parallel_stages": fields.get("pipeline_parallel_stages", 1),
        "active_vocab_size": fields["vocab_size"] if active is None else active,
        **{name: value for name, value in generated.items() if name not in ids},
        "tokenizer_files": [name for name in FILES if name in files],
        "tokenizer_info": tokenizer_info(tokenizer),
        "conv_template": template,
        **{name: generated[name] for name in ids},
        "model_task": "chat",
        "embedding_metadata": None,
    }
