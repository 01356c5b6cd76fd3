"""What the tests of tools/weights share: a small converted model, written by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools import cli
from tools.weights.__main__ import main


class Bundle:
    """Files of a bundle and its tensor cache, to be damaged by a test before the check."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache_name = "tensor-cache.json"
        self.digests = ("nbytes", "md5", "sha256")
        self.chat_config: Any = {
            "model_type": "llama",
            "quantization": "q4f16_1",
            "tokenizer_files": ["tokenizer.json"],
        }
        self.files = {
            "params_shard_0.bin": bytes(range(96)),
            "params_shard_1.bin": b"x" * 10,
            "tokenizer.json": b"{}",
        }
        self.cache: Any = {
            "metadata": {"ParamSize": 3},
            "records": [
                self._shard(
                    "params_shard_0.bin",
                    [
                        ("a.q_weight", [4, 4], "uint32", "raw", 0, 64),
                        ("a.bias", [4, 4], "float32", "f32-to-bf16", 64, 32),
                    ],
                ),
                self._shard("params_shard_1.bin", [("norm", [5], "float16", "raw", 0, 10)]),
            ],
        }

    def _shard(self, name: str, tensors: list[tuple]) -> dict[str, Any]:
        fields = ("name", "shape", "dtype", "format", "byteOffset", "nbytes")
        return {
            "dataPath": name,
            "format": "raw-shard",
            "nbytes": len(self.files[name]),
            "md5sum": hashlib.md5(self.files[name], usedforsecurity=False).hexdigest(),
            "records": [dict(zip(fields, tensor, strict=True)) for tensor in tensors],
        }

    def check(self) -> dict[str, Any]:
        """Hashes every file and checks the bundle by the command; returns the manifest."""
        contents = {
            **self.files,
            "mlc-chat-config.json": json.dumps(self.chat_config).encode(),
            self.cache_name: json.dumps(self.cache).encode(),
        }
        argv = ["check", "--where", "//app:weights"]
        for index, (name, data) in enumerate(contents.items()):
            path = self.folder / f"{index}.bin"
            path.write_bytes(data)
            digest = f"{path}.digest.json"
            main(["digest", str(path), "--output", digest])
            known = json.loads(Path(digest).read_text(encoding="utf-8"))
            cli.write_json(digest, {kind: known[kind] for kind in self.digests})
            argv += ["--digest", name, digest]
            if name == "mlc-chat-config.json":
                argv += ["--chat-config", str(path)]
            if name == self.cache_name:
                argv += ["--tensor-cache", str(path), "--tensor-cache-name", name]
        output = self.folder / "weights.json"
        main([*argv, "--output", str(output)])
        return json.loads(output.read_text(encoding="utf-8"))


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    """A complete and correct bundle."""
    return Bundle(tmp_path)


@pytest.fixture
def errors_of() -> Callable[[Bundle], list[str]]:
    """Checks a bundle that must be refused; returns the error's lines, without the target."""

    def call(bundle: Bundle) -> list[str]:
        with pytest.raises(cli.UserError) as caught:
            bundle.check()
        lines = str(caught.value).splitlines()
        assert all(line.startswith("//app:weights: ") for line in lines)
        return [line.removeprefix("//app:weights: ") for line in lines]

    return call
