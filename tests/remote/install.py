"""Install what tests/remote starts: nginx, PostgreSQL, buildbox and BuildGrid.

They are unpacked into a directory of their own, as the launcher does with its Bazel: no root is
needed, nothing of the machine changes, no server starts. Packages are those of Debian's signed
index, BuildGrid comes from a lock with hashes.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)

from tools.bazel import mirrors  # noqa: E402
from tools.bazel.download import Downloader  # noqa: E402
from tools.bazel.errors import LauncherError  # noqa: E402
from tools.bazel.index import read_index, with_libraries  # noqa: E402
from tools.bazel.machine import Machine, this_machine  # noqa: E402
from tools.bazel.prefix import packages  # noqa: E402
from tools.bazel.progress import Progress  # noqa: E402
from tools.bazel.signature import archive_keyring  # noqa: E402

LOCK = ROOT / "tests" / "remote" / "requirements.lock"
NAMES = ("buildbox", "nginx", "patchelf", r"postgresql-\d+")
UNUSED = re.compile(r"libc-gconv-modules|libprotoc[0-9]|gcc-[0-9]+-base")
PROGRAMS = (
    "usr/sbin/nginx",
    "usr/lib/postgresql/*/bin/initdb",
    "usr/lib/postgresql/*/bin/postgres",
    "usr/bin/buildbox-casd",
    "usr/bin/buildbox-run-hosttools",
    "usr/bin/buildbox-worker",
)
CANNOT = 3
"""Exit status where the machine is not one that this program installs anything on."""


def run(*command: str | pathlib.Path) -> None:
    """Run a command that is quiet unless it fails.

    Raises:
      LauncherError: With the command's last line, when it fails.
    """
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LauncherError(f"{pathlib.Path(command[0]).name} failed: {reason}")


def unpack(
    downloader: Downloader, machine: Machine, keyring: pathlib.Path, root: pathlib.Path
) -> None:
    """Unpack the servers and the libraries they need into `root`."""
    index = read_index(downloader, packages.SUITE, machine.debian, keyring)
    names = [name for name in index if any(re.fullmatch(known, name) for known in NAMES)]
    found = with_libraries(index, names, UNUSED)
    progress = Progress(f"downloading {len(found)} packages", sum(item.size for item in found))
    files = downloader.fetch_all(found, progress)
    progress.finish()
    root.mkdir(parents=True)
    for deb in files.values():
        run("dpkg-deb", "--extract", deb, root)


def use_own_libraries(root: pathlib.Path, final: pathlib.Path, machine: Machine) -> None:
    """Give the programs in `root` the loader and the libraries that they will have in `final`."""
    folder = pathlib.Path("usr/lib", machine.triplet)
    patchelf = (root / folder / machine.loader, "--library-path", root / folder)
    for pattern in PROGRAMS:
        for program in root.glob(pattern):
            run(
                *(*patchelf, root / "usr/bin/patchelf", program, "--force-rpath"),
                *("--set-interpreter", final / folder / machine.loader),
                *("--set-rpath", final / folder),
            )


def install_buildgrid(site: pathlib.Path) -> None:
    """Install the locked wheels of BuildGrid for this Python."""
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", "--root-user-action=ignore"),
        *("--target", site, "--requirement", LOCK),
    )


def contents() -> dict[str, str]:
    """What an install is made of; another one takes its place when this changes."""
    ours = b"".join(path.read_bytes() for path in (pathlib.Path(__file__), LOCK))
    return {"python": sys.implementation.cache_tag, "sha256": hashlib.sha256(ours).hexdigest()}


def install(directory: pathlib.Path) -> None:
    """Install everything into `directory`, which appears when it is complete."""
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    machine, keyring = this_machine(), archive_keyring()
    with (
        tempfile.TemporaryDirectory() as downloads,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        wheels = pool.submit(install_buildgrid, unfinished / "site")
        downloader = Downloader(
            mirrors.find_mirrors(), pathlib.Path(downloads), mirrors.apt_proxies()
        )
        unpack(downloader, machine, keyring, unfinished / "root")
        use_own_libraries(unfinished / "root", directory / "root", machine)
        wheels.result()
    (unfinished / "contents.json").write_text(json.dumps(contents()), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    unfinished.rename(directory)


def main() -> int:
    """Install what is missing; exit status 3 where that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path, help="for the servers")
    directory = parser.parse_args().directory.absolute()
    try:
        this_machine()
        archive_keyring()
        mirrors.find_mirrors()
        if not shutil.which("dpkg-deb"):
            raise LauncherError("dpkg-deb missing")
    except LauncherError as error:
        print(f"the servers of tests/remote are not installed: {error}")
        return CANNOT
    made = directory / "contents.json"
    if not made.exists() or json.loads(made.read_text(encoding="utf-8")) != contents():
        try:
            install(directory)
        except LauncherError as error:
            raise SystemExit(f"error: {error}") from None
    return 0


if __name__ == "__main__":
    sys.exit(main())
