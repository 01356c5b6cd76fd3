"""What fetching costs: python -m benchmarks.fetch (see README.md beside this file)."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.fetch.hub import REPO, SHARD_BYTES, running
from benchmarks.fetch.workspace import Workspace
from benchmarks.workspace import ROOT, Scratch, take_turns
from tests.hub.server import serve
from tools.hub.partial import SHA256_ATTRIBUTE

_SNAPSHOT = """
import sys
from huggingface_hub import snapshot_download
snapshot_download(sys.argv[1], max_workers=int(sys.argv[2]))
"""

_ATTRIBUTE = f"startup --unix_digest_hash_attribute_name={SHA256_ATTRIBUTE}\n"

_PEAK = """
import sys
from tools.hub.__main__ import main
main(sys.argv[1:])
print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
"""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.fetch", description=__doc__)
    result.add_argument("--mib", type=int, default=1024, help="size of the cold fetch")
    result.add_argument("--repeats", type=int, default=3, help="runs of each; medians are shown")
    result.add_argument("--jobs", type=int, default=8, help="connections at once")
    result.add_argument(
        "--digest-attribute",
        action="store_true",
        help="Bazel takes the sha256 of fetched files from their attribute (docs/hub.md)",
    )
    result.add_argument("--only", choices=["cold", "incremental", "lock"], help="one part")
    return result


def timed(command: list[str], **options: object) -> float:
    """Runs a command and returns its seconds."""
    start = time.monotonic()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options
    )
    return time.monotonic() - start


def medians(runs: dict[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """Runs each in turn; returns the median seconds."""
    return {name: statistics.median(found) for name, found in take_turns(runs, repeats).items()}


def cold(args: argparse.Namespace, line: float, what: str) -> None:
    """A build that fetches everything, curl and huggingface_hub on the same files."""
    shards = [SHARD_BYTES] * (args.mib * (1 << 20) // SHARD_BYTES)
    with (
        Scratch() as root,
        running({"cold": shards}, line) as url,
        Workspace(root, url, ["cold"], _ATTRIBUTE * args.digest_attribute) as workspace,
    ):
        entry = json.loads((workspace.root / "mlc.lock.json").read_text())["models"]["cold"]
        files = [file["path"] for file in entry["files"]]

        def build() -> float:
            workspace.bazel("clean")  # which keeps the server, and what repositories hold
            workspace.bazel("build", "--nobuild", "@cold//:weights")
            return workspace.bazel("build", f"--jobs={args.jobs}", "@cold//:weights")

        def curl() -> float:
            shutil.rmtree(root / "curl", ignore_errors=True)
            address = f"{url}/{entry['repo']}/resolve/{entry['commit']}/{{{','.join(files)}}}"
            command = ["curl", "-sfL", "--parallel", "--parallel-max", str(args.jobs)]
            return timed([*command, "--create-dirs", "-o", f"{root}/curl/#1", address])

        def snapshot() -> float:
            shutil.rmtree(workspace.environment["HF_HOME"], ignore_errors=True)
            environment = {**workspace.environment, "HF_HUB_DISABLE_XET": "1"}
            command = [sys.executable, "-c", _SNAPSHOT, entry["repo"], str(args.jobs)]
            seconds = timed(command, env=environment)
            shutil.rmtree(workspace.environment["HF_HOME"])
            return seconds

        seconds = medians({"build": build, "curl": curl, "snapshot": snapshot}, args.repeats)
    mb = sum(file["nbytes"] for file in entry["files"]) / 1e6
    print(f"cold build of {mb:.0f} MB in shards of 32 MiB, {what}:")
    for name, label in (
        ("build", "bazel build"),
        ("curl", "curl --parallel"),
        ("snapshot", "snapshot_download"),
    ):
        print(f"  {label:20} {seconds[name]:6.2f} s {mb / seconds[name]:6.0f} MB/s")
    faster = min(seconds["curl"], seconds["snapshot"])
    print(f"  throughput: {faster / seconds['build']:.2f} of the faster", flush=True)


def incremental(args: argparse.Namespace) -> None:
    """A package whose model is renamed, with many weights and with few."""
    models = {"small": [20 << 20], "large": [SHARD_BYTES] * 64}
    with (
        Scratch() as root,
        running(models) as url,
        Workspace(root, url, [*models]) as workspace,
    ):
        targets = [f"//:{name}_pkg" for name in models]
        workspace.bazel("build", *targets)
        count = 0

        def rename(name: str) -> float:
            nonlocal count
            count += 1
            workspace.write_build(f"model_{count}")
            return workspace.bazel("build", f"//:{name}_pkg")

        runs = {name: lambda name=name: rename(name) for name in models}
        medians(runs, 1)
        seconds = medians(runs, 2 * args.repeats + 1)
    print("incremental build of a package, its model renamed:")
    print(f"  20 MiB bundled in 1 shard    {seconds['small']:6.3f} s")
    print(f"  2 GiB bundled in 64 shards   {seconds['large']:6.3f} s")
    print(f"  ratio: {seconds['large'] / seconds['small']:.2f}", flush=True)


def lock_and_memory(args: argparse.Namespace) -> None:
    """A lock of 200 files, and the memory of a fetch."""
    weights = {f"params_shard_{index}.bin": b"%d" % index for index in range(190)}
    small = {f"file_{index}.json": b'{"index": %d}' % index for index in range(10)}
    big = bytes(1 << 30)
    with Scratch() as root, serve() as hub:
        hub.add(REPO.format(name="many")).commit({**weights, **small})
        commit = hub.add(REPO.format(name="big")).commit({"big.bin": big})
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(root)}
        command = [sys.executable, "-s", "-B", "-m", "tools.hub"]
        refresh = [*command, "lock", "--model", REPO.format(name="many"), "--root", str(root)]
        options = {"cwd": ROOT, "env": environment}
        timed(refresh, **options)
        hub.requests.clear()
        seconds = medians({"lock": lambda: timed(refresh, **options)}, args.repeats)["lock"]
        requests = len(hub.requests) // args.repeats
        words = ["--repo", REPO.format(name="big"), "--commit", commit, "--path", "big.bin"]
        words += ["--sha256", hashlib.sha256(big).hexdigest(), "--nbytes", str(len(big))]
        fetch = [sys.executable, "-s", "-B", "-c", _PEAK, "fetch", *words, "--output"]
        done = subprocess.run([*fetch, root / "big"], stdout=subprocess.PIPE, check=True, **options)
    print(f"lock refresh of 200 files, 10 of them small: {requests} requests, {seconds:.2f} s")
    print(f"peak memory of a fetch of 1 GiB: {int(done.stdout) * 1024 / 1e6:.0f} MB", flush=True)


def main(argv: list[str] | None = None) -> None:
    """Runs the parts and prints their figures."""
    args = parser().parse_args(argv)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    if args.only in (None, "cold"):
        cold(args, 0, "loopback")
        cold(args, 125e6, "a line of 1 Gbit/s")
    if args.only in (None, "incremental"):
        incremental(args)
    if args.only in (None, "lock"):
        lock_and_memory(args)


if __name__ == "__main__":
    main()
