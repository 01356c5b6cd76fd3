"""A package of four models without weights: cold, unchanged, and edited."""

from __future__ import annotations

import gzip
import itertools
import json
import pathlib
from collections.abc import Callable

from benchmarks.models import chat_config
from benchmarks.situations.rows import Row, ratio
from benchmarks.workspace import EMPTY, EMPTY_TARGET, Workspace, take_turns

UPSTREAM = {"Llama-3.2-1B": 23, "Qwen3-0.6B": 28, "gemma-2-2b": 23, "phi-2": 22}
"""User seconds of upstream's compiles for android, one after the other; the least that was measured
on two cores: mlc-llm 79d603f0 on apache-tvm 0.26.0."""

UPSTREAM_RERUN = 1.85
"""Seconds of upstream's command for a tiny model, nothing changed."""

_BUILD = """\
load("@rules_mlc//rules:defs.bzl", "mlc_model", "mlc_model_lib", "mlc_package")

OVERRIDES = {overrides}

[mlc_model_lib(name = name + "_lib", config = name + ".json", overrides = OVERRIDES[name])
 for name in OVERRIDES]

[mlc_model(name = name, lib = name + "_lib", url = "HF://example/" + name) for name in OVERRIDES]

mlc_package(name = "pkg", device = "android", models = OVERRIDES.keys())
"""

_EDITED = next(iter(UPSTREAM))


class Package:
    """The package in its workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._count = itertools.count(1)
        self.configs = {name: chat_config(name, "q4f16_1") for name in UPSTREAM}
        for name, config in self.configs.items():
            workspace.write(f"{name}.json", json.dumps(config))
        self._write_build(0)

    def _write_build(self, context: int) -> None:
        overrides: dict[str, dict[str, int]] = {name: {} for name in UPSTREAM}
        if context:
            overrides[_EDITED]["context_window_size"] = context
        self.workspace.write("BUILD.bazel", _BUILD.format(overrides=json.dumps(overrides)))

    def build(self, *flags: str) -> float:
        """Builds; returns the seconds."""
        return self.workspace.bazel("build", *flags, "//:pkg")

    def edit_chat(self) -> float:
        """Builds after an edit of a chat setting."""
        edited = {**self.configs[_EDITED], "temperature": next(self._count) / 1000}
        self.workspace.write(f"{_EDITED}.json", json.dumps(edited))
        return self.build()

    def edit_override(self) -> tuple[float, float]:
        """Builds after an edit of an override; returns the seconds, and those of the compile."""
        self._write_build(2048 + next(self._count))
        profile = self.workspace.root.parent / "profile.gz"
        seconds = self.build(f"--profile={profile}")
        return seconds, _compile_seconds(profile)


def _compile_seconds(profile: pathlib.Path) -> float:
    with gzip.open(profile) as file:
        events = json.load(file)["traceEvents"]
    mnemonics = [(e, e.get("args", {}).get("mnemonic")) for e in events]
    (compiled,) = [e["dur"] for e, mnemonic in mnemonics if mnemonic == "MlcCompile"]
    return compiled / 1e6


def measure(
    root: pathlib.Path, repeats: int, upstream: Callable[[dict], float] | None
) -> list[Row]:
    """Returns the rows of the package; seconds are the least of the runs, which other load spares.

    Args:
        root: A directory for the workspaces.
        repeats: How many runs.
        upstream: Compiles a config with another compiler and returns the seconds; None takes
            `UPSTREAM`.
    """
    with Workspace(root / "four") as workspace, Workspace(root / "empty") as empty:
        empty.write("BUILD.bazel", EMPTY)
        empty.bazel("build", EMPTY_TARGET)
        package = Package(workspace)
        package.build("--nobuild")  # which installs the Python environment
        before = workspace.processor_seconds()
        cold = package.build("--worker_quit_after_build")
        print(f"cold: {workspace.processor_seconds() - before:.1f} s of processors", flush=True)
        serial = (
            sum(map(upstream, package.configs.values())) if upstream else sum(UPSTREAM.values())
        )
        package.edit_override()  # which starts a worker
        runs = {
            "empty": lambda: empty.bazel("build", EMPTY_TARGET),
            "nothing": package.build,
            "chat": package.edit_chat,
        }
        take_turns(runs, 2)
        least = {name: min(found) for name, found in take_turns(runs, 2 * repeats).items()}
        before = workspace.processor_seconds()
        overrides = [package.edit_override() for _ in range(repeats)]
        server = (workspace.processor_seconds() - before) / repeats
        print(f"override: {server:.2f} s of processors beside the compile", flush=True)
        override, compiled = min(overrides, key=lambda pair: pair[0] - pair[1])
    compiles = "the sum of upstream's compiles"
    return [
        ratio("cold package of 4 models, android", cold, compiles, serial, 0.25),
        ratio("nothing changed", least["nothing"], "upstream's rerun", UPSTREAM_RERUN, 0.15),
        Row(
            "nothing changed",
            least["nothing"],
            "an empty Bazel no-op",
            least["empty"],
            "within 100 ms",
            least["empty"] + 0.1,
        ),
        ratio("chat field edited", least["chat"], "nothing changed", least["nothing"], 1.5),
        Row(
            "one override of one model edited",
            override,
            "its compile",
            compiled,
            "0.5 s more at most",
            compiled + 0.5,
        ),
    ]
