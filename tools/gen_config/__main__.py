"""Command line: ``python -m tools.gen_config --config config.json --conv-template NAME ...``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tools import cli
from tools.cli import UserError
from tools.config import checkpoint_key, strict_json
from tools.gen_config.chat_config import chat_config, conv_template, conv_templates
from tools.gen_config.tokenizer import FILES, check_files

_GENERATION = "generation_config.json"
_MAX_BATCH_SIZE = 128  # as upstream's command line has it


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.gen_config",
        description="Makes mlc-chat-config.json of a Hugging Face checkpoint.",
        epilog=f"conversation templates: {', '.join(conv_templates())}",
        fromfile_prefix_chars="@",
    )
    result.add_argument("--config", required=True, metavar="FILE", help="config.json")
    result.add_argument(
        "--file",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "FILE"),
        help=f"{_GENERATION}, or one of {', '.join(FILES)}; repeatable",
    )
    result.add_argument("--quantization", required=True, help="for example q4f16_1")
    result.add_argument("--conv-template", required=True, metavar="NAME")
    result.add_argument("--model-type", help="the family (default: what config.json says)")
    result.add_argument(
        "--overrides", default="{}", metavar="JSON", help="sizes, such as context_window_size"
    )
    result.add_argument("--where", default="", help="what errors call the place of the arguments")
    result.add_argument("--output", required=True, metavar="FILE", help="mlc-chat-config.json")
    return result


def main(argv: list[str]) -> None:
    """Writes the file."""
    args = parser().parse_args(argv)
    where = f"{args.where} " if args.where else ""
    files = dict(args.file)
    template = conv_template(args.conv_template, f"{where}conv_template")
    overrides = strict_json.loads(args.overrides, f"{where}overrides")
    if not isinstance(overrides, dict):
        raise UserError(f"{where}overrides: expected an object")
    config = strict_json.load(args.config)
    key = checkpoint_key(
        config,
        args.quantization,
        args.model_type,
        overrides={"max_batch_size": _MAX_BATCH_SIZE, **overrides},
        config_name=args.config,
        where=args.where,
    )
    check_files(set(files), args.where or str(Path(args.config).parent))
    tokenizer = strict_json.load(files["tokenizer.json"]) if "tokenizer.json" in files else None
    value = chat_config(
        key,
        template,
        {**config, **_generation(files.get(_GENERATION))},
        tokenizer,
        set(files),
        files.get("tokenizer.json", "tokenizer.json"),
    )
    cli.write_json(args.output, value, sort_keys=False)


def _generation(path: str | None) -> dict[str, Any]:
    """Returns the fields of generation_config.json that are set."""
    value = strict_json.load(path) if path else {}
    if not isinstance(value, dict):
        raise UserError(f"{path}: $: expected an object")
    return {name: field for name, field in value.items() if field is not None}


if __name__ == "__main__":
    cli.run(main)
