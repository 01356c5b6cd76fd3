"""What remote workers and a shared cache are worth: python -m benchmarks.remote (see README.md)."""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

from benchmarks.fetch import hub
from benchmarks.fetch.workspace import Workspace as HubWorkspace
from benchmarks.workspace import ROOT, Scratch, Workspace
from tests.remote import cluster, nginx

_CONFIG = ROOT / "examples/quickstart/model/mlc-chat-config.json"

# Equal models with compile keys of their own.
_BUILD = """\
load("@rules_mlc//rules:defs.bzl", "mlc_model_lib")

[mlc_model_lib(
    name = "lib{{}}".format(index),
    config = "mlc-chat-config.json",
    device = "android",
    overrides = {{"prefill_chunk_size": 64 + index}},
) for index in range({count})]
"""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.remote", description=__doc__)
    result.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="clusters")
    result.add_argument("--libraries", type=int, default=8, help="compiles of each build")
    result.add_argument("--mib", type=int, default=512, help="weights of the fresh clone")
    result.add_argument("--repeats", type=int, default=3, help="runs of each; medians are shown")
    result.add_argument("--only", choices=["workers", "clone"], help="one part")
    return result


def compiles(workspace: Workspace, repeats: int, *flags: str) -> float:
    """Median seconds of a build of every library, analysed already."""
    seconds = []
    for _ in range(repeats):
        workspace.bazel("clean")
        workspace.bazel("build", "--nobuild", *flags, "//...")
        seconds.append(workspace.bazel("build", *flags, "//..."))
    return statistics.median(seconds)


def workers(args: argparse.Namespace) -> None:
    """The same compiles here and on clusters of this machine."""
    print("| where | first compile s | all s | compiles a minute | to local |")
    print("|---|---|---|---|---|")
    with Scratch() as root, Workspace(root) as workspace:
        workspace.write("mlc-chat-config.json", _CONFIG.read_text(encoding="utf-8"))
        workspace.write("BUILD.bazel", _BUILD.format(count=args.libraries))

        def show(where: str, first: float, seconds: float) -> None:
            rate = 60 * args.libraries / seconds
            ratio = local / seconds
            print(
                f"| {where} | {first:.1f} | {seconds:.1f} | {rate:.1f} | {ratio:.2f} |", flush=True
            )

        first = workspace.bazel("build", "//:lib0")
        local = compiles(workspace, args.repeats)
        show("here", first, local)
        for count in args.workers:
            with cluster.running(count) as servers:
                flags = ("--config=rbe", f"--remote_executor=grpc://{servers.address}")
                flags += ("--noremote_accept_cached", f"--jobs={2 * count}")
                workspace.bazel("clean")
                # The packages go to the cluster, and to the workers' cache.
                first = workspace.bazel("build", *flags, "//:lib0")
                seconds = compiles(workspace, args.repeats, *flags)
            show(f"workers: {count}", first, seconds)


def clone(args: argparse.Namespace) -> None:
    """A clone in which nothing is built, and curl for the same blobs of the same cache."""
    shards = [hub.SHARD_BYTES] * (args.mib * (1 << 20) // hub.SHARD_BYTES)
    with (
        Scratch() as root,
        hub.running({"model": shards}) as url,
        nginx.running(make(root / "nginx")) as cache,
    ):
        address = f"--remote_cache={cache}"
        with HubWorkspace(make(root / "first"), url, ["model"]) as workspace:
            workspace.bazel("build", "--config=ci", address, "//:model_pkg")
        blobs = [path for path in (root / "nginx/cache/cas").rglob("*") if path.is_file()]
        nbytes = sum(path.stat().st_size for path in blobs)
        urls = root / "urls"
        urls.write_text("".join(f'url = "{cache}/cas/{path.name}"\n' for path in blobs))
        starts, repositories, builds, curls = [], [], [], []
        for repeat in range(args.repeats):
            with HubWorkspace(make(root / f"clone{repeat}"), url, ["model"]) as workspace:
                starts.append(workspace.bazel("info"))
                repositories.append(workspace.bazel("build", "--nobuild", "//:model_pkg"))
                flags = ("--config=remote-cache", "--jobs=16", address)
                builds.append(workspace.bazel("build", *flags, "//:model_pkg"))
            curls.append(curl(make(root / f"curl{repeat}"), urls))
    build, transfer = statistics.median(builds), statistics.median(curls)
    print(f"fresh clone, {nbytes / 1e6:.0f} MB in {len(blobs)} blobs of a warm cache:")
    print(f"  server's start                {statistics.median(starts):6.2f} s")
    print(f"  repositories and analysis     {statistics.median(repositories):6.2f} s")
    print(f"  build                         {build:6.2f} s")
    print(f"  curl --parallel, same blobs   {transfer:6.2f} s")
    print(f"  build to curl                 {build / transfer:6.2f}", flush=True)


def curl(folder: pathlib.Path, urls: pathlib.Path) -> float:
    """Seconds of a transfer of all blobs."""
    start = time.monotonic()
    subprocess.run(
        [
            *("curl", "-sf", "--no-progress-meter", "--parallel", "--parallel-max", "16"),
            *("--remote-name-all", "--config", urls),
        ],
        cwd=folder,
        check=True,
    )
    return time.monotonic() - start


def make(folder: pathlib.Path) -> pathlib.Path:
    """Makes a folder, and returns it."""
    folder.mkdir()
    return folder


def main(argv: list[str] | None = None) -> None:
    """Runs the parts and prints their figures."""
    args = parser().parse_args(argv)
    # Who is told to end ends its servers, too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    if args.only in (None, "workers"):
        workers(args)
    if args.only in (None, "clone"):
        clone(args)


if __name__ == "__main__":
    main()
