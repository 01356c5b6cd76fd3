"""A Python environment that looks as one with upstream's compiler, and compiles nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests import objects

# Takes what upstream takes, and writes a library that says what it was given.
_MLC_LLM = """\
import argparse, io, json, os, sys, tarfile
sys.path.insert(0, os.path.dirname(__file__))
from objects import STRONG, elf_object, library_bin

parser = argparse.ArgumentParser()
parser.add_argument("command")
parser.add_argument("model")
for name in ("device", "opt", "overrides", "output", "system-lib-prefix"):
    parser.add_argument(f"--{name}")
args = parser.parse_args()
print("[2026-01-02 03:04:05] INFO compile.py:1: \\033[1mcompiling\\033[0m", args.output)
print("[03:04:05] /src/block.cc:66: Warning: TVM's own")
config = json.load(open(f"{args.model}/mlc-chat-config.json"))
if config["model_config"].get("crash"):
    raise ValueError("no such model\\nsecond line")
assert set(config) == {"model_type", "quantization", "model_config"}, sorted(config)
metadata = {
    "model_type": config["model_type"],
    "quantization": config["quantization"],
    "context_window_size": config["model_config"]["context_window_size"],
    "sliding_window_size": -1,
    "params": [],
    "memory_usage": {"decode": 7},
    "given": {"device": args.device, "opt": args.opt, "overrides": args.overrides},
}
for part in filter(None, args.overrides.split(";")):
    name, value = part.split("=")
    metadata[name] = int(value)
symbol = f"{args.system_lib_prefix}__tvm_ffi__library_bin"
data = elf_object({symbol: STRONG}, library_bin({"opencl": "cl"}, metadata))
with tarfile.open(args.output, "w:gz") as tar:
    member = tarfile.TarInfo("lib0.o")
    member.size = len(data)
    member.mtime = os.getpid()
    tar.addfile(member, io.BytesIO(data))
sys.exit(3)
"""

_FILES = {
    # The engine, which sources without its native library have not.
    "mlc_llm/__init__.py": "raise RuntimeError('no compile needs the engine')\n",
    "mlc_llm/__main__.py": _MLC_LLM,
    "mlc_llm/libinfo.py": '__version__ = "0.1.dev7"\n',
    "tvm/__init__.py": '__version__ = "0.26.0"\n',
    "tvm_ffi/__init__.py": '__version__ = "0.1.13.post3"\n',
    "tvm_ffi/include/tvm/ffi/extra/module.h": 'const char* x = "__tvm_ffi__library_bin";\n',
}


def make(directory: Path) -> Path:
    """Writes the packages; returns the directory, which is to be on the path of a Python."""
    for name, text in _FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copyfile(objects.__file__, directory / "mlc_llm/objects.py")
    return directory
