"""Command line: ``python -m tools.library --library LIB --config mlc-chat-config.json ...``."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from tools import cli, config
from tools.cli import UserError
from tools.config import CompileKey, strict_json
from tools.config.key import check_model_lib
from tools.library.accept import Accepted, accept, check_config
from tools.library.containers import read_objects
from tools.library.memory import memory_figures
from tools.objects_tar import tar_bytes


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.library",
        description="Checks a library that was compiled elsewhere, and says what is in it.",
        fromfile_prefix_chars="@",
    )
    result.add_argument(
        "--library", required=True, metavar="FILE", help=".tar, .a or .o for devices that link; .so"
    )
    result.add_argument("--config", required=True, metavar="FILE", help="mlc-chat-config.json")
    result.add_argument("--overrides", default="{}", metavar="JSON", help="what it must agree with")
    result.add_argument("--device", required=True, help="what the library is for")
    result.add_argument("--model-lib", required=True, metavar="NAME", help="the library's name")
    result.add_argument(
        "--symbol-suffix",
        default="__tvm_ffi__library_bin",
        metavar="NAME",
        help="what follows <model_lib>_ in its symbol (default: %(default)s)",
    )
    result.add_argument("--tvm", default="", metavar="VERSION", help="the TVM that made it")
    result.add_argument("--where", default="", help="what errors call the library")
    result.add_argument("--key", metavar="OUT", required=True, help="its key, for the package")
    result.add_argument("--objects", metavar="OUT.tar", help="its objects, always the same bytes")
    result.add_argument("--metadata", metavar="OUT", required=True)
    result.add_argument("--log", metavar="OUT", required=True)
    return result


def main(argv: list[str]) -> None:
    """Writes what is known of the library, if it can be packaged."""
    args = parser().parse_args(argv)
    where = f"{args.where}: {args.library}" if args.where else args.library
    device = config.device(args.device, f"{args.where} device")
    model_lib = check_model_lib(args.model_lib, f"{args.where} model_lib")
    chat_config = strict_json.load(args.config)
    overrides = strict_json.loads(args.overrides, f"{args.where} overrides")
    objects = read_objects(args.library)
    found = accept(objects, device, model_lib, args.symbol_suffix, where)
    check_config(found.metadata, chat_config, overrides, where, args.config)
    memory = memory_figures(found.metadata, _vocab_size(chat_config, args.config), where)
    key = CompileKey(
        device=device.name,
        # What tells two libraries of one name apart; how each was compiled is not known.
        model_config={"library_sha256": _sha256(args.library)},
        model_lib=model_lib,
        model_type=found.metadata["model_type"],
        quantization=found.metadata["quantization"],
    )
    description = {
        "model_lib": model_lib,
        "device": device.name,
        "library": {
            "format": device.library,
            "object": device.object,
            "symbol": found.symbol,
            "device_code": found.device_code,
        },
        "metadata": found.metadata,
        "memory": memory,
        "versions": {"tvm": args.tvm} if args.tvm else {},
    }
    if args.objects:
        cli.write_bytes(args.objects, tar_bytes(objects))
    key.write(args.key)
    cli.write_json(args.metadata, description, sort_keys=False)
    cli.write_text(args.log, _log(found, objects, memory, args.tvm))


def _vocab_size(chat_config: dict[str, object], name: str) -> int:
    size = chat_config.get("vocab_size") or chat_config.get("model_config", {}).get("vocab_size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise UserError(f"{name}: $.vocab_size: expected a positive integer, got {size!r}")
    return size


def _sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _log(found: Accepted, objects: dict[str, bytes], memory: dict[str, int], tvm: str) -> str:
    lines = [
        "compiled elsewhere, and accepted",
        f"made by tvm: {tvm or 'not said'}",
        f"symbol: {found.symbol}",
        f"device code: {found.device_code}",
        *[f"object: {name}, {len(data)} bytes" for name, data in sorted(objects.items())],
        "memory on the device, bytes:",
        *[f"  {name.removesuffix('_bytes')}: {size}" for name, size in memory.items()],
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    cli.run(main)
