"""Command line: ``python -m tools.config --config mlc-chat-config.json --device android ...``."""

from __future__ import annotations

import argparse

from tools import cli
from tools.config import build_key, devices, families, quantizations, strict_json
from tools.config.any_model import build_any_key

PRELOAD = ["jsonschema"]
"""What a persistent worker loads before the first request."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser; its epilog lists the families, quantizations and devices there are."""
    result = argparse.ArgumentParser(
        prog="python -m tools.config",
        description="Validates mlc-chat-config.json and overrides; writes the compile key.",
        epilog=(
            f"model types: {', '.join(families())}. quantizations: {', '.join(quantizations())}. "
            f"devices: {', '.join(devices())}."
        ),
        fromfile_prefix_chars="@",
    )
    result.add_argument("--config", required=True, metavar="FILE", help="mlc-chat-config.json")
    result.add_argument("--overrides", default="{}", metavar="JSON", help="fields to replace")
    result.add_argument("--device", required=True, help="what the library is compiled for")
    result.add_argument("--opt", help="O0 to O3; default: the overrides' opt, else O2")
    result.add_argument(
        "--target",
        default="{}",
        metavar="JSON",
        help="attributes of the device's TVM target to replace, such as "
        """{"max_threads_per_block": 512, "host.mcpu": "cortex-a76"}""",
    )
    result.add_argument(
        "--architecture",
        action="append",
        default=[],
        dest="architectures",
        metavar="SM",
        help="a compute capability to compile for, such as 80 or 90a, where the device is CUDA's; "
        "repeatable",
    )
    result.add_argument("--model-lib", metavar="NAME", help="the library's name; default: made up")
    result.add_argument(
        "--any-model",
        action="store_true",
        help="for another compiler, which knows which families, quantizations and fields there are",
    )
    result.add_argument("--where", default="", help="what errors call the place of the arguments")
    result.add_argument("--output", required=True, metavar="FILE", help="the compile key to write")
    return result


def main(argv: list[str]) -> None:
    """Writes the compile key; the notes go to stdout."""
    args = parser().parse_args(argv)
    where = f"{args.where} " if args.where else ""
    build = build_any_key if args.any_model else build_key
    key = build(
        strict_json.load(args.config),
        args.device,
        overrides=strict_json.loads(args.overrides, f"{where}overrides"),
        opt=args.opt,
        target=strict_json.loads(args.target, f"{where}target"),
        architectures=args.architectures,
        model_lib=args.model_lib,
        config_name=args.config,
        where=args.where,
    )
    key.write(args.output)
    for note in key.notes:
        print(f"{args.config}: {note}")


if __name__ == "__main__":
    cli.run(main)
