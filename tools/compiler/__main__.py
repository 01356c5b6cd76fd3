"""Command line: ``python -m tools.compiler compile|describe|parameters ...``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tools import cli, config
from tools.config import CompileKey, strict_json

PRELOAD = ["tools.compiler.compile"]
"""What a persistent worker loads before the first request."""

SHARED_OUTPUTS = ("--library", "--metadata", "--log")
"""A library is its key's: a persistent worker compiles for two targets once."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.compiler",
        description="Compiles a chat model's functions into a library for one device.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(dest="command", required=True)
    compile_ = commands.add_parser(
        "compile",
        help="write a model's library, its metadata and a log",
        epilog=f"devices: {', '.join(config.devices())}",
    )
    _add_model_arguments(compile_)
    compile_.add_argument("--device", help="with --config: what to compile for")
    compile_.add_argument("--overrides", default="{}", metavar="JSON", help="with --config")
    compile_.add_argument("--opt", help="with --config: O0 to O3, default O2")
    compile_.add_argument(
        "--target",
        default="{}",
        metavar="JSON",
        help="with --config: attributes of the device's TVM target to replace, such as "
        """{"max_threads_per_block": 512, "host.mcpu": "cortex-a76"}""",
    )
    compile_.add_argument(
        "--architecture",
        action="append",
        default=[],
        dest="architectures",
        metavar="SM",
        help="with --config: a compute capability to compile for, such as 80 or 90a, where the "
        "device is CUDA's; repeatable",
    )
    compile_.add_argument("--model-lib", metavar="NAME", help="with --config: the library's name")
    compile_.add_argument(
        "--library",
        required=True,
        type=Path,
        metavar="FILE",
        help=".tar: objects that register themselves under the library's name; "
        ".so, .dylib, .wasm: linked, where the device has such a library",
    )
    compile_.add_argument("--metadata", type=Path, metavar="FILE", help="metadata as JSON")
    compile_.add_argument("--log", type=Path, metavar="FILE", help="default: LIBRARY.log")
    compile_.add_argument(
        "--log-name",
        metavar="NAME",
        help="what messages call the log, where its path here is not the one to find it by",
    )
    compile_.add_argument(
        "--linker",
        type=Path,
        metavar="FILE",
        help="needed for all but .tar; takes the arguments of ld.lld (.so), of clang for macOS "
        "(.dylib) or of emcc (.wasm)",
    )
    compile_.add_argument(
        "--linker-option",
        action="append",
        dest="linker_options",
        metavar="OPTION",
        help="in place of the usual ones; repeatable",
    )
    compile_.add_argument(
        "--linker-input",
        action="append",
        default=[],
        dest="linker_inputs",
        type=Path,
        metavar="FILE",
        help="a further file to link, such as the runtime of a .wasm; repeatable",
    )
    compile_.add_argument(
        "--nvcc", type=Path, metavar="FILE", help="compiles CUDA's kernels, left as source without"
    )
    compile_.add_argument("--verbose", action="store_true", help="show the time of each stage")
    describe = commands.add_parser(
        "describe", help="print a model's parameters and functions as JSON"
    )
    _add_model_arguments(describe)
    # A model exports the same functions for every device; this one takes heads of any length.
    describe.set_defaults(
        device="cpu:x86_64-linux",
        overrides="{}",
        opt=None,
        target="{}",
        architectures=[],
        model_lib=None,
    )
    _add_parameters(commands.add_parser("parameters", help="write what a checkpoint becomes"))
    return result


def _add_parameters(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config", required=True, metavar="FILE", help="config.json of a checkpoint"
    )
    command.add_argument("--quantization", required=True, help="for example q4f16_1")
    command.add_argument("--model-type", help="the family (default: what config.json says)")
    command.add_argument("--where", default="", help="what errors call the place of the arguments")
    command.add_argument("--output", required=True, metavar="JSON")


def main(argv: list[str]) -> None:
    """Runs one command."""
    args = parser().parse_args(argv)
    {"compile": _compile, "describe": _describe, "parameters": _parameters}[args.command](args)


def _add_model_arguments(command: argparse.ArgumentParser) -> None:
    model = command.add_mutually_exclusive_group(required=True)
    model.add_argument("--key", metavar="FILE", help="a compile key, made by tools.config")
    model.add_argument("--config", metavar="FILE", help="mlc-chat-config.json")
    command.add_argument(
        "--quantization", help="with --config: in place of the one it names, for example q4f16_1"
    )


def _compile(args: argparse.Namespace) -> None:
    if args.key is None and args.device is None:
        raise cli.UserError("--config: a library is for one device; give --device")
    key = _key(args)
    # Imported here: it loads TVM, which takes a second that wrong arguments need not wait for.
    from tools.compiler.compile import compile_library

    log = args.log or args.library.with_name(f"{args.library.name}.log")
    compile_library(
        key,
        args.library,
        args.metadata,
        log,
        linker=args.linker,
        linker_options=args.linker_options,
        linker_inputs=args.linker_inputs,
        nvcc=args.nvcc,
        log_name=args.log_name,
        verbose=args.verbose,
    )


def _describe(args: argparse.Namespace) -> None:
    key = _key(args)
    from tools.compiler.describe import describe

    print(json.dumps(describe(key), separators=(",", ":")))


def _parameters(args: argparse.Namespace) -> None:
    key = config.checkpoint_key(
        strict_json.load(args.config),
        args.quantization,
        args.model_type,
        config_name=args.config,
        where=args.where,
    )
    from tools.compiler.parameters import stored_weights

    cli.write_json(args.output, stored_weights(key), sort_keys=False)


def _key(args: argparse.Namespace) -> CompileKey:
    if args.key is not None:
        return config.load_key(args.key)
    return config.build_key(
        strict_json.load(args.config),
        args.device,
        overrides=strict_json.loads(args.overrides, "--overrides"),
        opt=args.opt,
        target=strict_json.loads(args.target, "--target"),
        architectures=args.architectures,
        model_lib=args.model_lib,
        quantization=args.quantization,
        config_name=args.config,
    )


if __name__ == "__main__":
    cli.run(main)
