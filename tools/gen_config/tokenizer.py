"""What mlc-chat-config.json says of a tokenizer, found in its tokenizer.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.cli import UserError

FILES = (
    "tokenizer.model",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "tokenizer_config.json",
)
"""What an app may need, in the order in which upstream lists them."""

_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
_METHODS = {"ByteFallback": "byte_fallback", "ByteLevel": "byte_level"}


def check_files(names: set[str], where: str) -> None:
    """Raises a UserError where no app could make a tokenizer of the files.

    Args:
        names: Names of the files there are.
        where: What errors call the checkpoint.
    """
    if "tokenizer.json" in names or {"vocab.json", "merges.txt", "added_tokens.json"} <= names:
        return
    raise UserError(
        f"{where}: has no tokenizer.json; make one with transformers: "
        "AutoTokenizer.from_pretrained(DIR).backend_tokenizer.save('tokenizer.json')"
    )


def tokenizer_info(tokenizer: Any) -> dict[str, Any]:
    """Returns ``tokenizer_info``, by which apps turn tokens into text.

    Args:
        tokenizer: The parsed tokenizer.json; None where there is none.
    """
    fields = tokenizer if isinstance(tokenizer, dict) else {}
    decoders = list(_steps(fields.get("decoder"), "decoders"))
    methods = [_METHODS[each["type"]] for each in decoders if each.get("type") in _METHODS]
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    prepend = {"type": "Prepend", "prepend": _SPACE}
    return {
        "token_postproc_method": methods[-1] if methods else "byte_fallback",
        "prepend_space_in_encode": any(
            prepend.items() <= each.items()
            for each in _steps(fields.get("normalizer"), "normalizers")
        ),
        "strip_space_in_decode": any(strip.items() <= each.items() for each in decoders),
    }


def vocab_size(tokenizer: Any, where: str) -> int | None:
    """Returns how many tokens a tokenizer.json has, or None where it has no vocabulary.

    Raises:
        UserError: An added token appears twice, which tokenizers read wrongly.
    """
    fields = tokenizer if isinstance(tokenizer, dict) else {}
    model = fields.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, list):
        known = {entry[0] for entry in vocabulary if isinstance(entry, list) and entry}
    elif isinstance(vocabulary, dict):
        known = set(vocabulary)
    else:
        return None
    added: set[str] = set()
    for token in fields.get("added_tokens") or []:
        content = token.get("content") if isinstance(token, dict) else None
        if content in added:
            raise UserError(
                f"{where}: $.added_tokens: {content!r} appears twice; remove one of them"
            )
        added.add(content)
    return len(known | added)


def _steps(value: Any, name: str) -> Iterator[dict[str, Any]]:
    """Yields a decoder or normalizer, or those that it is a sequence of."""
    if not isinstance(value, dict):
        return
    steps = value.get(name) if value.get("type") == "Sequence" else [value]
    yield from (step for step in steps or [] if isinstance(step, dict))
