"""The server speaks as the Hub does to huggingface_hub, and that client's cache serves ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.hub.faults import rate_limited, truncated
from tests.unit.hub.conftest import FILES, REPO, SHARD, TOKEN

# huggingface_hub reads the environment when it is imported.
_LIST = f"""
import json
from huggingface_hub import HfApi
api = HfApi()
print(json.dumps([api.model_info({REPO!r}, revision="main").sha, [
    [file.path, file.size, file.lfs.sha256 if file.lfs else None, file.xet_hash]
    for file in api.list_repo_tree({REPO!r}, recursive=True)
    if hasattr(file, "blob_id")
]]))
"""
_DOWNLOAD = f"""
from huggingface_hub import snapshot_download
print(snapshot_download({REPO!r}))
"""
_ERROR = f"""
from huggingface_hub import hf_hub_download
try:
    hf_hub_download({REPO!r}, {{file!r}}, revision={{revision!r}})
except Exception as error:
    print(type(error).__name__)
"""


@pytest.fixture
def client(hub, tmp_path):
    """Runs Python that uses huggingface_hub, and returns what it prints."""

    def run(code, **variables):
        kept = {name: os.environ[name] for name in ("HF_ENDPOINT", "PATH")}
        variables = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **variables}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={
                **kept,
                "HF_HOME": str(tmp_path / "hf"),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONDONTWRITEBYTECODE": "1",
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_listing(client, hub, model, commands):
    hub.page_size = 2
    model.xet = True
    commit, files = json.loads(client(_LIST))
    assert commit == model.branches["main"]
    assert [path for path, *_ in files] == sorted(FILES)
    commands.lock()
    (entry,) = json.loads(commands.lock_path.read_text(encoding="utf-8"))["models"].values()
    digests = {file["path"]: (file["nbytes"], file["sha256"]) for file in entry["files"]}
    for path, nbytes, digest, xet in files:
        assert digests[path][0] == nbytes
        assert digest in (digests[path][1], None)
        assert bool(digest) == bool(xet) == path.endswith(".bin")


def test_download_with_faults_and_its_cache(client, hub, model, commands, tmp_path, monkeypatch):
    model.access = "gated"
    model.readers.add(TOKEN)
    hub.tokens.add(TOKEN)
    hub.fail("storage", "*", rate_limited("1"), truncated(1 << 20))
    client(_DOWNLOAD, HF_TOKEN=TOKEN)
    hub.requests.clear()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    assert commands.fetch().status == 0
    assert commands.output.read_bytes() == FILES[SHARD]
    assert not hub.requests


@pytest.mark.parametrize(
    ("access", "file", "revision", "error"),
    [
        ("gated", SHARD, "main", "GatedRepoError"),
        ("private", SHARD, "main", "RepositoryNotFoundError"),
        ("public", "no.bin", "main", "RemoteEntryNotFoundError"),
        ("public", SHARD, "nope", "RevisionNotFoundError"),
    ],
)
def test_refusals(client, model, access, file, revision, error):
    model.access = access
    assert client(_ERROR.format(file=file, revision=revision)).strip() == error
