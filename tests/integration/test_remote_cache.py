"""Protects what a team shares: a cache filled in one folder serves another, and cannot spoil it."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.integration import http_cache
from tests.integration.conftest import PREAMBLE

BUILD = (
    PREAMBLE
    + """
mlc_model_lib(name = "lib", config = "tiny.json")
mlc_model(name = "tiny", lib = ":lib", url = "HF://example/tiny")
mlc_package(name = "pkg", device = "iphone", models = [":tiny"])
"""
)


@pytest.fixture(scope="module")
def cache():
    with http_cache.running() as server:
        yield server


def build(workspace, cache) -> tuple[dict[str, int], str]:
    """How many actions ran where, as Bazel sums them up, and the digest of the manifest."""
    workspace.write("BUILD.bazel", BUILD)
    flags = [f"--remote_cache={cache.url}", "--remote_retries=0"] if cache else []
    done = workspace.bazel("build", *flags, "//:pkg")
    (summary,) = re.findall(r"^INFO: \d+ processes?: (.*)\.$", done.stderr, re.MULTILINE)
    counts = {kind: int(count) for count, kind in re.findall(r"(\d+) ([a-z- ]+)", summary)}
    manifest = workspace.root / "bazel-bin/pkg/package-manifest.json"
    return counts, hashlib.sha256(manifest.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def first(new_workspace, cache):
    counts, digest = build(new_workspace(), cache)
    assert "remote cache hit" not in counts
    return digest


def test_another_folder_runs_nothing(new_workspace, cache, first):
    counts, digest = build(new_workspace(), cache)
    # MlcConfig, MlcCompile, MlcCheck, MlcArchive, MlcAppFiles, MlcPackage.
    assert counts.pop("remote cache hit") == 6
    assert set(counts) == {"internal"}
    assert digest == first


def test_corrupted_blobs_are_noticed(new_workspace, cache, first):
    for path, blob in cache.blobs.items():
        if path.startswith("/cas/") and blob:
            cache.blobs[path] = bytes([blob[0] ^ 1]) + blob[1:]
    workspace = new_workspace()
    workspace.write("BUILD.bazel", BUILD)
    done = workspace.bazel("build", f"--remote_cache={cache.url}", "//:pkg", check=False)
    # Bazel names the blob that it cannot verify and stops; without the cache it builds.
    assert done.returncode != 0
    assert "does not match received digest" in done.stderr
    assert build(workspace, None)[1] == first


def test_server_that_is_gone(new_workspace, first):
    with http_cache.running() as gone:
        pass
    _, digest = build(new_workspace(), gone)
    assert digest == first
