"""Command line: ``python -m tools.library accept|runtime|linked ...``."""

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
from tools.library.describe import describe
from tools.library.memory import memory_figures
from tools.objects_tar import tar_bytes

PRELOAD = ["tools.library.runtime"]
"""What a persistent worker loads before the first request."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the commands."""
    result = argparse.ArgumentParser(
        prog="python -m tools.library",
        description="Checks libraries and runtimes that were compiled elsewhere.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    _add_accept(commands.add_parser("accept", help="check a model library; say what is in it"))
    _add_runtime(commands.add_parser("runtime", help="check the files of a runtime; list them"))
    _add_linked(commands.add_parser("linked", help="check that a runtime holds model libraries"))
    return result


def main(argv: list[str]) -> None:
    """Runs one command."""
    args = parser().parse_args(argv)
    args.function(args)


def _add_accept(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--library", required=True, metavar="FILE", help=".tar, .a or .o for devices that link; .so"
    )
    command.add_argument("--config", required=True, metavar="FILE", help="mlc-chat-config.json")
    command.add_argument(
        "--overrides", default="{}", metavar="JSON", help="what it must agree with"
    )
    command.add_argument("--device", required=True, help="what the library is for")
    command.add_argument("--model-lib", required=True, metavar="NAME", help="the library's name")
    command.add_argument(
        "--symbol-suffix",
        default="__tvm_ffi__library_bin",
        metavar="NAME",
        help="what follows <model_lib>_ in its symbol (default: %(default)s)",
    )
    command.add_argument("--tvm", default="", metavar="VERSION", help="the TVM that made it")
    command.add_argument("--where", default="", help="what errors call the library")
    command.add_argument("--key", metavar="OUT", required=True, help="its key, for the package")
    command.add_argument("--objects", metavar="OUT.tar", help="its objects, always the same bytes")
    command.add_argument("--metadata", metavar="OUT", required=True)
    command.add_argument("--log", metavar="OUT", required=True)
    command.set_defaults(function=_accept)


def _accept(args: argparse.Namespace) -> None:
    """Writes what is known of the library, if it can be packaged."""
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
    description = describe(key, device, found, memory, {"tvm": args.tvm} if args.tvm else {})
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


def _add_runtime(command: argparse.ArgumentParser) -> None:
    command.add_argument("--where", required=True, help="the target that errors name")
    command.add_argument("--device", required=True, help="what the runtime is for")
    command.add_argument(
        "--file",
        action="append",
        nargs=2,
        required=True,
        metavar=("PATH", "FILE"),
        help="a file, and where it is in the package; repeatable",
    )
    command.add_argument("--output", metavar="OUT", required=True, help="sizes and digests")
    command.set_defaults(function=_runtime)


def _runtime(args: argparse.Namespace) -> None:
    from tools.library.runtime import describe_runtime

    device = config.device(args.device, f"{args.where} device")
    cli.write_json(args.output, describe_runtime(args.file, device, args.where))


def _add_linked(command: argparse.ArgumentParser) -> None:
    command.add_argument("--where", required=True, help="the target that errors name")
    command.add_argument("--runtime", required=True, metavar="LIB.so")
    command.add_argument(
        "--library",
        action="append",
        required=True,
        metavar="LIB.tar",
        help="a library that the runtime must hold; repeatable",
    )
    command.add_argument("--output", required=True, metavar="FILE", help="written when all is well")
    command.set_defaults(function=_linked)


def _linked(args: argparse.Namespace) -> None:
    from tools.library.runtime import check_linked

    check_linked(args.runtime, args.library, args.where)
    cli.write_text(args.output, "")


if __name__ == "__main__":
    cli.run(main)
