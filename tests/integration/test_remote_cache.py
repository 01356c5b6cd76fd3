"""Protects what a team shares: a cache filled in one folder serves another, and cannot spoil it."""

from __future__ import annotations

import hashlib
import json
import re
import sys

import pytest

from tests.integration import http_cache
from tests.integration.conftest import PREAMBLE, TINY_CONFIG

BUILD = (
    PREAMBLE
    + """
mlc_model_lib(name = "lib", config = "tiny.json")
mlc_model(name = "tiny", lib = ":lib", url = "HF://example/tiny")
mlc_package(name = "pkg", device = "iphone", models = [":tiny"])
"""
)

# A fine-tune, in a package of its own.
LIBRARY = (
    PREAMBLE
    + """
mlc_model_lib(name = "{name}_lib", config = "{name}.json", device = "android")
"""
)

HELPER = """\
#!/bin/sh
# What Bazel asks a credential helper for, and in which form: {"headers": {NAME: [VALUE]}}.
cat >/dev/null
printf '{"headers": {"Authorization": ["Bearer %s"]}}' "$(cat "${0%/*}/cache-token")"
"""


# The test's Python need not be the system's.
HERMETIC = ["--config=hermetic"]
if not sys.base_prefix.startswith("/usr"):
    HERMETIC.append(f"--sandbox_add_mount_pair={sys.base_prefix}")


@pytest.fixture(scope="module")
def cache():
    with http_cache.running() as server:
        yield server


def build(workspace, cache, *flags: str, config: str = "remote-cache", check: bool = True):
    """Build the package with a cache that gets two chances for a blob."""
    flags = (f"--remote_cache={cache.url}", "--remote_retries=1", "--remote_timeout=2s", *flags)
    return workspace.bazel("build", f"--config={config}", *flags, "//:pkg", check=check)


IMPATIENT = {"stalls": ("--remote_retries=0", "--remote_timeout=1s")}
"""Flags for a fault that every request waits for until it is given up."""


def counts(done) -> dict[str, int]:
    """How many actions ran where, as Bazel sums them up."""
    (summary,) = re.findall(r"^INFO: \d+ processes?: (.*)\.$", done.stderr, re.MULTILINE)
    return {kind: int(count) for count, kind in re.findall(r"(\d+) ([a-z- ]+)", summary)}


def digest(workspace) -> str:
    """The digest of the manifest, which has that of every file of the package."""
    manifest = workspace.root / "bazel-bin/pkg/package-manifest.json"
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def first(new_workspace, cache):
    """The digest of the package that filled the cache."""
    workspace = new_workspace()
    workspace.write("BUILD.bazel", BUILD)
    assert "remote cache hit" not in counts(build(workspace, cache, config="ci"))
    return digest(workspace)


@pytest.fixture(scope="module")
def checkout(new_workspace):
    made = new_workspace()
    made.write("BUILD.bazel", BUILD)
    return made


@pytest.fixture
def second(checkout):
    """Another folder, in which nothing is built."""
    checkout.bazel("clean")
    return checkout


@pytest.fixture
def broken(cache):
    """The cache; what a test does to it is undone."""
    blobs = dict(cache.blobs)
    yield cache
    cache.blobs, cache.fault, cache.authorization = blobs, "", ""


def test_another_folder_runs_nothing(second, cache, first):
    found = counts(build(second, cache))
    # MlcConfig, MlcCompile, MlcCheck, MlcArchive, MlcAppFiles, MlcPackage.
    assert found.pop("remote cache hit") == 6
    assert set(found) == {"internal"}
    assert digest(second) == first


@pytest.mark.parametrize("fault", http_cache.FAULTS)
def test_faulty_server(second, broken, first, fault):
    """The build does without, or as well as it can; and who reads a cache does not write it."""
    broken.fault = fault
    before = dict(broken.blobs)
    build(second, broken, *IMPATIENT.get(fault, ()))
    assert digest(second) == first
    assert broken.blobs == before


@pytest.mark.parametrize("kind", ["ac", "cas"])
def test_broken_blobs(second, broken, first, kind):
    """Bazel names a blob that it cannot verify and stops, or builds; it never believes it.

    Without the cache the package is built by actions that see nothing but what they declare.
    """
    blobs = [(path, blob) for path, blob in broken.blobs.items() if path.startswith(f"/{kind}/")]
    for number, (path, blob) in enumerate(blobs):
        corrupted = bytes([blob[0] ^ 1]) + blob[1:] if blob else b"more"
        broken.blobs[path] = blob[:-1] if number % 2 and blob else corrupted
    done = build(second, broken, check=kind == "ac")
    if kind == "cas":
        assert done.returncode != 0
        assert "does not match received digest" in done.stderr
        second.bazel("build", *HERMETIC, "//:pkg")
    assert digest(second) == first


def add_fine_tune(workspace, name: str, temperature: float) -> str:
    """Add a model with weights and chat settings of its own; return the label of its library."""
    config = {**TINY_CONFIG, "quantization": "q4f32_1", "temperature": temperature}
    workspace.write(f"{name}/BUILD.bazel", LIBRARY.format(name=name))
    workspace.write(f"{name}/{name}.json", json.dumps(config))
    return f"//{name}:{name}_lib"


def test_equal_libraries_of_other_targets(second, broken):
    """Two fine-tunes of one architecture, and one that was moved, are one compile."""
    polite, terse = add_fine_tune(second, "polite", 0.2), add_fine_tune(second, "terse", 0.1)
    flags = (f"--remote_cache={broken.url}", "--config=ci")
    found = counts(second.bazel("build", *flags, polite, terse))
    # The two MlcConfig, and a compile that the other target waits for.
    assert found["worker"] == 3
    assert found.get("deduplicated", 0) + found.get("remote cache hit", 0) == 1
    assert library(second, "polite") == library(second, "terse")
    second.bazel("clean")
    found = counts(second.bazel("build", *flags, terse, add_fine_tune(second, "moved", 0.2)))
    # The MlcConfig of the moved one.
    assert found["worker"] == 1
    assert library(second, "moved") == library(second, "terse")


@pytest.mark.parametrize(
    "flag",
    ["--strategy=MlcCompile=sandboxed", "--@rules_mlc//rules/settings:persistent_workers=false"],
)
def test_without_workers(second, broken, flag):
    """Keys are the same: what processes made, who runs workers finds in the cache."""
    label = add_fine_tune(second, "polite", 0.2)
    flags = (f"--remote_cache={broken.url}", "--config=ci")
    second.bazel("build", *flags, flag, label)
    second.bazel("clean")
    found = counts(second.bazel("build", *flags, label))
    assert found.pop("remote cache hit") == 2
    assert set(found) == {"internal"}


def library(workspace, name: str) -> bytes:
    (found,) = workspace.root.glob(f"bazel-out/*/bin/{name}/{name}_lib.tar")
    return found.read_bytes()


def test_credentials_come_from_a_helper(second, broken, first):
    """A token that is in no flag, no rc file and no variable."""
    broken.authorization = "Bearer secret"
    helper = second.write("helper", HELPER)
    helper.chmod(0o755)
    second.write("cache-token", "secret")
    found = counts(build(second, broken, f"--credential_helper=127.0.0.1={helper}"))
    assert found["remote cache hit"] == 6
    assert digest(second) == first


def test_server_that_is_gone(second, first):
    with http_cache.running() as gone:
        pass
    build(second, gone)
    assert digest(second) == first
