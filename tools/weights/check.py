"""Checks that a directory of converted weights is complete and is what its tensor cache says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tools.cli import UserError
from tools.config.plain_name import path_problem, problem
from tools.weights import tensor_cache

CHAT_CONFIG = "mlc-chat-config.json"
TENSOR_CACHE = "tensor-cache.json"
OLD_TENSOR_CACHE = "ndarray-cache.json"

_MOST_LINES = 20


def check(
    where: str,
    chat_config: Any,
    cache: Any,
    cache_name: str,
    digests: Iterable[tuple[str, dict[str, Any]]],
) -> dict[str, Any]:
    """Returns the weights manifest of a bundle.

    Args:
        where: The target that errors name.
        chat_config: The parsed mlc-chat-config.json.
        cache: The parsed tensor-cache.json.
        cache_name: The cache's name among the files: ``tensor-cache.json``, or the older
            ``ndarray-cache.json``, which the bundle gets under the new name.
        digests: The name of every file of the bundle, and what `tools.weights.digest.digest`
            says of it. A file that a sha256 has been held against may lack the md5.

    Returns:
        ``{"files": [{"path", "nbytes", "sha256"}], "params": {name: {"shape", "dtype"}},
        "parameter_bytes", "chat_config": {"model_type", "quantization"}}``. Paths are relative to
        ``bundle/<model_id>/``; ``parameter_bytes`` counts loaded tensors.

    Raises:
        UserError: One line for each mistake, at most 20.
    """
    problems: list[str] = []
    files = _files(digests, problems)
    for name in (CHAT_CONFIG, cache_name):
        if name not in files:
            problems.append(f"{name}: is missing; add it to the bundle")
    if cache_name != TENSOR_CACHE and TENSOR_CACHE in files:
        problems.append(f"{TENSOR_CACHE}: is given beside {cache_name}; keep the newer of them")
    cache_problems: list[str] = []
    shards = tensor_cache.parse(cache, cache_problems)
    problems += [f"{cache_name}: {line}" for line in cache_problems]
    _check_shards(shards, files, cache_name, problems)
    params = _params(shards, cache_name, problems)
    config = _check_chat_config(chat_config, files, problems)
    if problems:
        more = len(problems) - _MOST_LINES
        lines = problems[:_MOST_LINES] + ([f"and {more} more mistakes"] if more > 0 else [])
        raise UserError("\n".join(f"{where}: {line}" for line in lines))
    return {
        "chat_config": config,
        "files": [
            {"path": path, "nbytes": entry["nbytes"], "sha256": entry["sha256"]}
            for path, entry in sorted(_renamed(files, cache_name).items())
        ],
        "parameter_bytes": sum(t.loaded_bytes for shard in shards for t in shard.tensors),
        "params": params,
    }


def _files(
    digests: Iterable[tuple[str, dict[str, Any]]], problems: list[str]
) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    folded: dict[str, str] = {}
    for name, entry in digests:
        wrong = path_problem(name)
        other = folded.setdefault(name.casefold(), name)
        if wrong:
            problems.append(f"{name!r} {wrong}; rename the file")
        elif name in files:
            problems.append(f"{name}: is given twice; keep one of the files")
        elif other != name:
            # One file on a Mac, where the app is built.
            problems.append(f"{name}: differs from {other} in letter case only; remove one of them")
        else:
            files[name] = entry
    return files


def _renamed(files: dict[str, dict[str, Any]], cache_name: str) -> dict[str, dict[str, Any]]:
    result = {name: entry for name, entry in files.items() if name != cache_name}
    return {**result, TENSOR_CACHE: files[cache_name]}


def _check_shards(
    shards: list[tensor_cache.Shard],
    files: dict[str, dict[str, Any]],
    cache_name: str,
    problems: list[str],
) -> None:
    seen: set[str] = set()
    for shard in shards:
        entry = files.get(shard.path)
        if shard.path in seen:
            problems.append(
                f"{cache_name}: {shard.path} is listed twice; convert the weights again"
            )
        elif entry is None:
            problems.append(
                f"{shard.path}: is missing, and {cache_name} lists it; add it to the bundle"
            )
        elif entry["nbytes"] != shard.nbytes:
            problems.append(
                f"{shard.path}: has {entry['nbytes']} bytes, {cache_name} says {shard.nbytes}; "
                "get the file again"
            )
        elif shard.md5 is not None and entry.get("md5", shard.md5) != shard.md5:
            problems.append(
                f"{shard.path}: has the md5 {entry['md5']}, {cache_name} says {shard.md5}; "
                "get the file again"
            )
        seen.add(shard.path)


def _params(
    shards: list[tensor_cache.Shard], cache_name: str, problems: list[str]
) -> dict[str, dict[str, Any]]:
    params: dict[str, dict[str, Any]] = {}
    for shard in shards:
        for tensor in shard.tensors:
            if tensor.name in params:
                problems.append(
                    f"{cache_name}: the parameter {tensor.name} is listed twice; "
                    "convert the weights again"
                )
            params[tensor.name] = {"shape": list(tensor.shape), "dtype": tensor.dtype}
    return params


def _check_chat_config(
    config: Any, files: dict[str, dict[str, Any]], problems: list[str]
) -> dict[str, Any]:
    if not isinstance(config, dict):
        problems.append(f"{CHAT_CONFIG}: $: expected an object")
        return {}
    result = {}
    for name in ("model_type", "quantization"):
        result[name] = config.get(name)
        if not isinstance(result[name], str):
            problems.append(f"{CHAT_CONFIG}: $.{name}: expected a string")
    names = config.get("tokenizer_files", [])
    if not isinstance(names, list):
        problems.append(f"{CHAT_CONFIG}: $.tokenizer_files: expected a list of file names")
        return result
    for index, name in enumerate(names):
        wrong = problem(name)
        if wrong:
            problems.append(
                f"{CHAT_CONFIG}: $.tokenizer_files[{index}]: {name!r} {wrong}; "
                "expected a plain file name"
            )
        elif name not in files:
            problems.append(
                f"{name}: is missing, and tokenizer_files of {CHAT_CONFIG} lists it; "
                "add it to the bundle"
            )
    return result
