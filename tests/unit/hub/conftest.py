"""Fixtures: a Hub on loopback with one model, and the commands as a user runs them."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.hub.repository import Repository, sha256
from tests.hub.server import Hub, serve
from tools import cli
from tools.hub import attempts
from tools.hub.__main__ import main

REPO = "mlc-ai/tiny-q4f16_1-MLC"
SHARD = "params_shard_0.bin"
FILES = {
    ".gitattributes": b"*.bin filter=lfs\n",
    "mlc-chat-config.json": b'{"model_type": "llama"}\n',
    SHARD: random.Random(0).randbytes((2 << 20) + 5),
    "params_shard_1.bin": random.Random(1).randbytes(1000),
    "tensor-cache.json": b'{"records": []}\n',
    "tokenizer/merges.txt": b"a b\n",
}
TOKEN = "hf_TheSecretOfTheTests"

_SETTINGS = ("HF_", "HUGGINGFACE_", "MLC_LLM_", "XDG_CACHE_HOME")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass
class Result:
    """What a command did: its exit status, and what it wrote."""

    status: int
    out: str
    err: str


@dataclass
class Commands:
    """The two commands, with their usual arguments.

    Attributes:
        directory: Where outputs go.
        file: The options of ``fetch`` that name a file.
    """

    directory: Path
    capsys: pytest.CaptureFixture[str]
    file: dict[str, object] = field(default_factory=dict)

    @property
    def output(self) -> Path:
        """What ``fetch`` writes."""
        return self.directory / "out" / "file"

    @property
    def lock_path(self) -> Path:
        """What ``lock`` writes."""
        return self.directory / "mlc.lock.json"

    def run(self, *arguments: object) -> Result:
        """Runs a command in this process."""
        with pytest.raises(SystemExit) as exit_:
            cli.run(main, [str(argument) for argument in arguments])
        captured = self.capsys.readouterr()
        return Result(exit_.value.code, captured.out, captured.err)

    def lock(self, *arguments: object, model: str = REPO) -> Result:
        """Runs ``lock``."""
        return self.run("lock", "--model", model, "--lock", self.lock_path, *arguments)

    def fetch_arguments(self, **changes: object) -> list[str]:
        """Returns the arguments of ``fetch`` for the shard, with some changed."""
        options = {**self.file, "output": self.output, **changes}
        return [
            "fetch",
            *(str(word) for key, value in options.items() for word in (f"--{key}", value)),
        ]

    def fetch(self, *arguments: object, **changes: object) -> Result:
        """Runs ``fetch``."""
        return self.run(*self.fetch_arguments(**changes), *arguments)

    def leftovers(self) -> list[str]:
        """Returns the names of all files beside the output."""
        return sorted(path.name for path in self.output.parent.glob("*") if path != self.output)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub that the environment points to; nothing else of the environment reaches the tests."""
    with monkeypatch.context() as patch, serve() as served:
        for name in list(os.environ):
            if name.startswith(_SETTINGS) or name.lower() in _PROXIES:
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path / "home"))
        patch.setenv("HF_ENDPOINT", served.url)
        patch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "5")
        patch.setattr(attempts, "FIRST_WAIT", 0.01)
        yield served


@pytest.fixture
def model(hub: Hub) -> Repository:
    """A public model with `FILES`."""
    repository = hub.add(REPO)
    repository.commit(FILES)
    return repository


@pytest.fixture
def commands(model: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    """The commands; ``fetch`` is for the first shard of the model."""
    return Commands(
        tmp_path,
        capsys,
        {
            "repo": REPO,
            "commit": model.branches["main"],
            "path": SHARD,
            "sha256": sha256(FILES[SHARD]),
            "nbytes": len(FILES[SHARD]),
        },
    )
