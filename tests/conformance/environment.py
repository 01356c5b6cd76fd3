"""The environment of upstream's compiler that the caller names."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.conformance.compared import Compared
from tools.upstream import compile as upstream
from tools.upstream import probe
from tools.upstream.arguments import chat_config

_ROOT = Path(__file__).parents[2]


class NotGivenError(Exception):
    """There is none; its message says how to name one."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """What a repository of `mlc.upstream_compiler` has.

    Attributes:
        interpreter: The Python that runs mlc_llm.
        site: The directory of its packages.
        stamp: What the probe said.
        symbol_suffix: What follows the prefix in a library's symbol.
    """

    interpreter: Path
    site: Path
    stamp: Path
    symbol_suffix: str

    def run(self, module: str, *arguments: str | Path) -> None:
        """Runs a module of the tests with its packages."""
        subprocess.run(
            [self.interpreter, "-s", "-B", "-m", module, *arguments],
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": f"{self.site}{os.pathsep}{_ROOT}",
                "SKIP_LOADING_MLCLLM_SO": "1",
            },
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def interface(self, model: Compared) -> dict[str, Any]:
        """Returns what `tests.conformance.export_interface` writes of a model."""
        with tempfile.TemporaryDirectory() as directory:
            given, found = Path(directory, "mlc-chat-config.json"), Path(directory, "found.json")
            given.write_text(json.dumps(chat_config(model.upstream_key("android"))))
            self.run("tests.conformance.export_interface", given, found)
            return json.loads(found.read_text())

    def compile(self, model: Compared, device: str, library: Path) -> dict[str, Any]:
        """Compiles a model; returns the metadata file, which lies beside the library."""
        metadata = library.with_suffix(".json")
        upstream.compile_library(
            model.upstream_key(device),
            library,
            metadata,
            library.with_suffix(".log"),
            interpreter=self.interpreter,
            site=self.site,
            versions=upstream.load_versions(self.stamp),
            symbol_suffix=self.symbol_suffix,
        )
        return json.loads(metadata.read_text())


def given_environment(directory: Path) -> Environment:
    """Returns the environment of MLC_UPSTREAM_PYTHON and MLC_UPSTREAM_PATH.

    Args:
        directory: An empty directory for links to its packages.

    Raises:
        NotGivenError: No environment is named.
    """
    python = os.environ.get("MLC_UPSTREAM_PYTHON")
    if not python:
        raise NotGivenError(
            "MLC_UPSTREAM_PYTHON is not set: name the interpreter of an environment that has "
            "mlc_llm and its TVM (and in MLC_UPSTREAM_PATH further directories of packages)"
        )
    paths = [path for path in os.environ.get("MLC_UPSTREAM_PATH", "").split(os.pathsep) if path]
    command = [python, "-s", "-B", probe.__file__]
    command += [argument for path in paths for argument in ("--path", path)]
    answer = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    site = directory / "site"
    site.mkdir()
    for name, path in answer["entries"].items():
        (site / name).symlink_to(path)
    stamp = directory / "stamp.json"
    stamp.write_text(json.dumps(answer["stamp"]))
    return Environment(Path(answer["interpreter"]), site, stamp, answer["symbol_suffix"])
