"""Converted models for a Hub on loopback, and workspaces that use them."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import random

from tests.hub.repository import sha256
from tests.hub.server import Hub
from tests.integration.conftest import PREAMBLE, TINY_CONFIG
from tests.integration.workspace import Workspace
from tools.hub.lock import Model, lock

SHARD_BYTES = 300_000

EXTENSION = """
mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")
{tags}
use_repo(mlc, {names})
"""

TAG = """mlc.hub_model(
    name = "{name}",
    model = "{model}",
    {attributes}
)"""


def shard(seed: int) -> bytes:
    """Weights, which differ with the seed."""
    return random.Random(seed).randbytes(SHARD_BYTES)


def model_files(*seeds: int) -> dict[str, bytes]:
    """The files of a converted model with one shard for each seed."""
    shards = {f"params_shard_{index}.bin": shard(seed) for index, seed in enumerate(seeds)}
    records = [
        {
            "dataPath": name,
            "format": "raw-shard",
            "nbytes": len(data),
            "md5sum": hashlib.md5(data).hexdigest(),
            "records": [
                {
                    "name": name.partition(".")[0],
                    "shape": [len(data)],
                    "dtype": "uint8",
                    "format": "raw",
                    "byteOffset": 0,
                    "nbytes": len(data),
                }
            ],
        }
        for name, data in shards.items()
    ]
    return {
        ".gitattributes": b"*.bin filter=lfs\n",
        "README.md": b"# A model\n",
        "mlc-chat-config.json": json.dumps(TINY_CONFIG).encode(),
        "tensor-cache.json": json.dumps({"metadata": {}, "records": records}).encode(),
        "tokenizer.json": json.dumps({"seeds": seeds}).encode(),
        **shards,
    }


def use_models(workspace: Workspace, hub: Hub, **attributes: str) -> None:
    """Makes a workspace use models of a Hub.

    Args:
        workspace: Its MODULE.bazel gets a tag for each model, its BUILD.bazel a bundle and a
            library.
        hub: Where ``org/<name>`` is.
        attributes: More attributes of the tags, as Starlark, by the name of the model.
    """
    tags = [
        TAG.format(name=name, model=f"HF://org/{name}", attributes=more)
        for name, more in attributes.items()
    ]
    names = ", ".join(f'"{name}"' for name in [*attributes, "mlc_hub"])
    extension = EXTENSION.format(tags="\n".join(tags), names=names)
    workspace.write("MODULE.bazel", workspace.module + extension)
    workspace.write(
        "BUILD.bazel",
        PREAMBLE
        + "".join(
            f"""
mlc_weight_bundle(name = "{name}_weights", srcs = ["@{name}"])
mlc_model_lib(name = "{name}_lib", config = "@{name}", device = "android")
"""
            for name in attributes
        ),
    )
    ask_hub(workspace, hub)


def ask_hub(workspace: Workspace, hub: Hub) -> None:
    """Makes a workspace ask a Hub, and keeps the user's caches out of its sight."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    home = workspace.root.parent / "home"
    home.mkdir(exist_ok=True)
    workspace.variables.update(
        # Where the launcher has its Bazel; everything else of the user's is out of reach.
        MLC_CACHE_HOME=os.environ.get("MLC_CACHE_HOME", str(cache / "rules_mlc")),
        HOME=str(home),
        XDG_CACHE_HOME=str(home / ".cache"),
        HF_ENDPOINT=hub.url,
        HF_HUB_DOWNLOAD_TIMEOUT="5",
    )


def write_lock(workspace: Workspace, hub: Hub, *names: str) -> None:
    """Writes a workspace's lock as ``bazel run @mlc_hub//:lock`` does."""
    for name in names:
        model = Model(f"HF://org/{name}", exclude=[".*", "*/.*", "*.md"], name=name)
        lock(model, workspace.root, {"HF_ENDPOINT": hub.url})


def blobs_asked(hub: Hub) -> list[str]:
    """The sha256 of each file that the storage was asked for, in order."""
    return [
        request.path.partition("?")[0].rpartition("/")[2]
        for request in hub.asked("storage", "/blobs/*")
    ]


def digests(*seeds: int) -> list[str]:
    """The sha256 of shards."""
    return [sha256(shard(seed)) for seed in seeds]
