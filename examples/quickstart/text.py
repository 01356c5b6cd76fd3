"""Between text and tokens: the prompt, and text that appears token by token."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from tools.cli import UserError


def byte_alphabet() -> dict[str, int]:
    """Byte-level BPE's character for each byte (GPT-2's table), mapped to the byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + index): byte for index, byte in enumerate(others)}


class TextStream:
    """Turns token ids into text, holding back the bytes of an unfinished UTF-8 character."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._special = set(tokenizer.get_added_tokens_decoder())
        self._alphabet = byte_alphabet()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """The text that `token` completes; empty for special and unknown tokens."""
        piece = None if token in self._special else self._tokenizer.id_to_token(token)
        return self._decoder.decode(bytes(self._alphabet[char] for char in piece or ""))

    def finish(self) -> str:
        """What is left at the end: U+FFFD where a character was never completed."""
        return self._decoder.decode(b"", final=True)


def load_tokenizer(weights: Path) -> Tokenizer:
    """The tokenizer of a weights folder.

    Raises:
        UserError: tokenizer.json is missing or cannot be read.
    """
    path = weights / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises the bare class
        raise UserError(f"{path}: {error}; build the package again") from error


def templated(template: dict[str, Any], message: str) -> str:
    """The text that asks for an answer to one user message.

    Args:
        template: `conv_template` of mlc-chat-config.json.
        message: what the user wrote.
    """
    system = template["system_template"].replace("{system_message}", template["system_message"])
    role = template["roles"]["user"] + template["role_content_sep"]
    if system and not template["add_role_after_system_message"]:
        role = ""
    user = template["role_templates"]["user"].replace("{user_message}", message)
    answer = template["roles"]["assistant"] + template["role_empty_sep"]
    return system + role + user + template["seps"][0] + answer


def prompt_tokens(tokenizer: Tokenizer, template: dict[str, Any], message: str) -> list[int]:
    """The ids of the prompt, the template's prefix first.

    Raises:
        UserError: the message is empty or not valid UTF-8.
    """
    if not message.strip():
        raise UserError('--prompt: empty; give the text to continue, such as "Once upon a time"')
    try:
        message.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError("--prompt: not valid UTF-8; give text in UTF-8") from error
    prefix = template.get("system_prefix_token_ids") or []
    text = templated(template, message)
    return [*prefix, *tokenizer.encode(text, add_special_tokens=False).ids]


def stop_tokens(chat_config: dict[str, Any]) -> set[int]:
    """The ids that end an answer: the template's and `eos_token_id` (a number or a list)."""
    end = chat_config.get("eos_token_id", [])
    ends = end if isinstance(end, list) else [end]
    return {*ends, *chat_config["conv_template"].get("stop_token_ids", [])}
