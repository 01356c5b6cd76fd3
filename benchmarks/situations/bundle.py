"""Bundles of few and of many bytes: unchanged, and with one shard changed."""

from __future__ import annotations

import itertools
import pathlib

from benchmarks.fetch.hub import SHARD_BYTES, filler, model_files
from benchmarks.situations.rows import Row, ratio
from benchmarks.workspace import Workspace, take_turns

_BUILD = """\
load("@rules_mlc//rules:defs.bzl", "mlc_model", "mlc_model_lib", "mlc_package", "mlc_weight_bundle")

mlc_model_lib(name = "lib", config = "{first}/mlc-chat-config.json")
"""

_PACKAGE = """
mlc_weight_bundle(name = "{name}_weights", directory = "{name}")
mlc_model(name = "{name}", lib = ":lib", weights = ":{name}_weights")
mlc_package(name = "{name}_pkg", device = "android", models = [":{name}"])
"""


def write_models(workspace: Workspace, models: dict[str, list[int]]) -> None:
    """Writes a package for each model, `//:<name>_pkg`, given the sizes of its shards in bytes."""
    text = _BUILD.format(first=next(iter(models)))
    text += "".join(_PACKAGE.format(name=name) for name in models)
    workspace.write("BUILD.bazel", text)
    for name, sizes in models.items():
        directory = workspace.root / name
        directory.mkdir()
        for path, data in model_files(sizes, 0).items():
            (directory / path).write_bytes(data)


def measure(root: pathlib.Path, repeats: int) -> list[Row]:
    """Returns the rows of bundles; seconds are the least of the runs.

    Args:
        root: A directory for the workspace.
        repeats: How many runs.
    """
    count = itertools.count(1000)
    with Workspace(root / "bundles") as workspace:
        write_models(workspace, {"small": [SHARD_BYTES], "large": [SHARD_BYTES] * 64})

        def build(name: str) -> float:
            return workspace.bazel("build", f"//:{name}_pkg")

        def change_shard(name: str) -> float:
            shard = workspace.root / name / "filler_0.bin"
            shard.write_bytes(filler(next(count), SHARD_BYTES))
            return build(name)

        for name in ("small", "large"):
            build(name)
        runs = {
            "small": lambda: build("small"),
            "large": lambda: build("large"),
            "small changed": lambda: change_shard("small"),
            "large changed": lambda: change_shard("large"),
            # What was changed last is looked at once more.
            "small again": lambda: build("small"),
            "large again": lambda: build("large"),
        }
        take_turns(runs, 1)
        least = {name: min(found) for name, found in take_turns(runs, repeats).items()}
    nothing = {name: min(least[name], least[f"{name} again"]) for name in ("small", "large")}
    one = "the same with one shard of 32 MiB"
    changed = "bundle of 2 GiB, one shard of 32 MiB changed"
    return [
        ratio("bundle of 2 GiB, nothing changed", nothing["large"], one, nothing["small"], 1.2),
        ratio(changed, least["large changed"], one, least["small changed"], 1.2),
    ]
