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
    types = [str(each.get("type")) for each in decoders]
    methods = [_METHODS[name] for name in types if name in _METHODS]
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
        UserError: The tokens are no list, or one was added twice, which tokenizers read wrongly.
    """
    fields = tokenizer if isinstance(tokenizer, dict) else {}
    model = fields.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, list):
        known = {str(entry[0]) for entry in vocabulary if isinstance(entry, list) and entry}
    elif isinstance(vocabulary, dict):
        known = set(vocabulary)
    else:
        return None
    added: set[str] = set()
    tokens = fields.get("added_tokens") or []
    for token in tokens if isinstance(tokens, list) else [None]:
        content = token.get("content") if isinstance(token, dict) else None
        if not isinstance(content, str):
            raise UserError(f"{where}: $.added_tokens: expected a list of objects with content")
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
    yield from (
        step for step in (steps if isinstance(steps, list) else []) if isinstance(step, dict)
    )
